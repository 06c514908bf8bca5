"""Text to coverage masks with the fonts built into OpenCV. No font of the machine is needed.

Two faces: `sans` (Rubik, variable weight) for Latin, Cyrillic and figures, `uni`
(WenQuanYi Micro Hei, one weight) for what Rubik lacks, CJK and Hangul above all.
Neither is shaped, so scripts that need shaping are refused, not drawn wrong.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import IntEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from overlay.errors import MissingGlyph

Mask = NDArray[np.float32]
"""Coverage 0..1, shape (rows, columns)."""

_SMALL = 24
_SCALE_SMALL, _SCALE = 8, 4
"""Glyphs are drawn this many times larger and averaged down (OpenCV places them on whole
pixels); more so below _SMALL pixels, where a quarter of a pixel shows."""

_BASELINE = 1.05
_DESCENT = 0.35
_MARGIN = 0.25
"""Room around a line for ink, in font sizes: above the baseline, below it, on either side."""

_PROBE = 32
_PROBE_SHAPE = (64, 128)
_PROBE_ORIGIN = (24, 44)

# The narrow won sign is in neither face, its full-width form is; the yen sign is better
# drawn by Rubik than full width.
_STAND_IN = str.maketrans({"₩": "￦", "￥": "¥", "\u2010": "-", "\u2011": "-"})


class Weight(IntEnum):
    """Stroke weight on the scale of OpenType's `wght`."""

    REGULAR = 400
    MEDIUM = 500
    BOLD = 650


@dataclass(frozen=True, slots=True)
class TextMask:
    """A line of text: `mask` covers it, the pen's origin lies at (`left`, `baseline`) in it."""

    mask: Mask
    left: int
    baseline: int
    width: float
    """Advance in pixels."""


class Typeface:
    """Measures and draws lines of text. One per thread at a time: faces keep their weight."""

    def __init__(self) -> None:
        self._sans = cv2.FontFace("sans")
        self._uni = cv2.FontFace("uni")
        self._missing = self._probe("?", Weight.REGULAR)

    def check(self, text: str) -> None:
        """Raise MissingGlyph for the first character of `text` that cannot be drawn right."""
        self._runs(clean(text))

    def width(self, text: str, size: float, weight: Weight) -> float:
        """Measure the advance of one line in pixels at `size` pixels per em."""
        pixels = max(round(size * _scale(size)), 1)
        total = 0
        for face, run in self._runs(clean(text)):
            total += self._advance(face, run, pixels, weight)
        return total / pixels * size

    def draw(self, text: str, size: float, weight: Weight) -> TextMask:
        """Draw one line at `size` pixels per em. Raises MissingGlyph."""
        scale = _scale(size)
        pixels = max(round(size * scale), 1)
        runs = self._runs(clean(text))
        advances = [self._advance(face, run, pixels, weight) for face, run in runs]
        margin, baseline = _whole(_MARGIN * pixels, scale), _whole(_BASELINE * pixels, scale)
        rows = baseline + _whole(_DESCENT * pixels, scale)
        canvas = np.zeros((rows, _whole(sum(advances) + 2 * margin, scale)), np.uint8)
        pen = margin
        for (face, run), advance in zip(runs, advances, strict=True):
            ink = self._ink(face, run, advance, (rows, baseline, margin), pixels, weight)
            start = pen - (ink.shape[1] - advance) // 2
            room = canvas[:, start : start + ink.shape[1]]
            np.maximum(room, ink[:, : room.shape[1]], out=room)
            pen += advance
        small = cv2.resize(
            canvas,
            (canvas.shape[1] // scale, rows // scale),
            interpolation=cv2.INTER_AREA,
        )
        mask = small.astype(np.float32) / np.float32(255)
        return TextMask(mask, margin // scale, baseline // scale, sum(advances) / scale)

    def _advance(self, face: cv2.FontFace, run: str, pixels: int, weight: Weight) -> int:
        nothing = np.zeros((1, 1), np.uint8)
        stroke = self._stroke(face, weight)
        (end, _), _ = cv2.putText(nothing, run, (0, 0), (0,), face, pixels, stroke)
        return int(end)

    def _ink(
        self,
        face: cv2.FontFace,
        run: str,
        advance: int,
        frame: tuple[int, int, int],
        pixels: int,
        weight: Weight,
    ) -> NDArray[np.uint8]:
        rows, baseline, margin = frame
        if run[0] == "0":
            # Rubik's zero is slashed in this build: its capital O, as narrow as the zero,
            # is the same outline without the slash.
            run = run.replace("0", "O")
            drawn = self._advance(face, run, pixels, weight)
        else:
            drawn = advance
        ink = np.zeros((rows, drawn + 2 * margin), np.uint8)
        cv2.putText(ink, run, (margin, baseline), (255,), face, pixels, self._stroke(face, weight))
        if drawn != advance:
            width = ink.shape[1] * advance // drawn
            ink = np.asarray(cv2.resize(ink, (width, rows), interpolation=cv2.INTER_AREA), np.uint8)
        return _embolden(ink, pixels, weight) if face is self._uni else ink

    def _stroke(self, face: cv2.FontFace, weight: Weight) -> int:
        return weight if face is self._sans else 0

    def _runs(self, text: str) -> list[tuple[cv2.FontFace, str]]:
        runs: list[tuple[cv2.FontFace, str]] = []
        for character in text:
            face = self._face(character, text)
            # Zeros go by themselves: see _ink.
            alike = runs and (runs[-1][0] is face and (runs[-1][1][0] == "0") == (character == "0"))
            if alike:
                runs[-1] = (runs[-1][0], runs[-1][1] + character)
            else:
                runs.append((face, character))
        return runs

    def _face(self, character: str, text: str) -> cv2.FontFace:
        if character == " " or "!" <= character <= "~":
            return self._sans
        if _needs_shaping(character):
            raise MissingGlyph(character, text)
        light = self._probe(character, Weight.REGULAR)
        # What neither face has is drawn as a question mark, or not at all.
        if not light.any() or np.array_equal(light, self._missing):
            raise MissingGlyph(character, text)
        # Only Rubik's strokes change with the weight.
        fixed = np.array_equal(light, self._probe(character, Weight.BOLD))
        return self._uni if fixed else self._sans

    def _probe(self, character: str, weight: Weight) -> NDArray[np.uint8]:
        ink = np.zeros(_PROBE_SHAPE, np.uint8)
        cv2.putText(ink, character, _PROBE_ORIGIN, (255,), self._sans, _PROBE, weight)
        return ink


def clean(text: str) -> str:
    """Reduce a text to what is drawn: NFC, single spaces, no invisible marks."""
    kept = []
    for character in unicodedata.normalize("NFC", text):
        category = unicodedata.category(character)
        if category in {"Cc", "Zs", "Zl", "Zp"}:
            kept.append(" ")
        elif category != "Cf" and not "\ufe00" <= character <= "\ufe0f":
            kept.append(character)
    return " ".join("".join(kept).split()).translate(_STAND_IN)


def _needs_shaping(character: str) -> bool:
    return unicodedata.bidirectional(character) in {
        "R",
        "AL",
    } or unicodedata.category(character) in {"Mn", "Mc", "Me"}


def _embolden(layer: NDArray[np.uint8], pixels: int, weight: Weight) -> NDArray[np.uint8]:
    """Widen the strokes of the one-weight face to go with Rubik's."""
    reach = round(pixels * (weight - Weight.REGULAR) / 10_000)
    if reach < 1:
        return layer
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.asarray(cv2.dilate(layer, kernel), np.uint8)


def _scale(size: float) -> int:
    return _SCALE_SMALL if size < _SMALL else _SCALE


def _whole(length: float, scale: int) -> int:
    """Round up to whole output pixels."""
    return -(-int(length) // scale) * scale
