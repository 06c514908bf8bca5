"""What viewers see while an anchor is away: the last good picture, blurred, and the title.

Imports PyAV and OpenCV. Runs in the worker only.
"""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from overlay.canvas import Area, Canvas, Colour
from overlay.errors import MissingGlyph
from overlay.tiles import ColorSpec, Matrix
from overlay.typeface import Typeface, Weight, clean
from overlay.wrap import wrap
from transcode import scale
from transcode.epoch_line import SOUND_ONLY, EpochLine, Kind
from transcode.epochs import Epochs
from transcode.ladder import Ladder, resolve, sound_only
from transcode.message import Interrupt

NEAR_MS = 2_000
"""So much is made up for at once, behind the last picture or when ticks paused; after more
than that an epoch begins with the time told. Less than what a window waits for a segment."""
UNKNOWN_RATE = Fraction(30)

_SOFT = 24
"""The picture is reduced until its short side has so many pixels: no face, no word is left."""
_DIM = 0.42
"""Of the picture's light that remains, so that the title reads on anything."""
_PALE = 0.75
"""Of its colour."""
_DARK = 40
"""Luma where there is no picture to blur."""
_WHITE = 235
_LINES = 2
_TITLE = 0.082
"""Size of the title, of the picture's short side."""
_WIDTH = 0.84
"""Of the picture's width, for the title."""
_MIDDLE = 0.42
"""Where the title's middle stands; cards stand below, or above."""
_DOT, _DOT_STEP = 0.022, 0.055
"""Radius of a dot and from one to the next, of the short side."""


class Slate:
    """Stands from an interruption until the next publisher's first picture."""

    def __init__(self, told: Interrupt, epochs: Epochs, sound_alone: bool) -> None:
        """`sound_alone`: it follows an epoch without pictures, and is silence."""
        self._epochs = epochs
        self._line: EpochLine | None = None
        if sound_alone:
            self._kind, self._ladder = SOUND_ONLY, sound_only(epochs.profile)
            self._frame: VideoFrame | None = None
            return
        self._kind, self._ladder = _shape(told, epochs)
        best = self._ladder.renditions[0]
        seen = epochs.still.frame if epochs.still is not None else None
        self._frame = compose(seen, best.width, best.height, self._kind.color, told.title)

    def until(self, now_ms: int) -> None:
        """Encode what is due at `now_ms` (UTC), at most a few seconds. Raises MediaError."""
        line = self._line
        end_ms = self._epochs.floor_ms if line is None else line.pdt_end_ms
        if now_ms <= end_ms:
            return  # an epoch without a picture would be told, where another may follow
        behind = now_ms - end_ms > NEAR_MS
        if line is None or behind:
            at_ms = now_ms if behind else end_ms
            line = self._epochs.open(self._kind, self._ladder, 0, at_ms, slate=True)
            self._line = line
        line.stand(self._frame, now_ms)


def _shape(told: Interrupt, epochs: Epochs) -> tuple[Kind, Ladder]:
    """Choose the slate's ladder: as before, else for the size told, else the profile's best."""
    if epochs.still is not None:
        return epochs.still.kind, epochs.still.ladder
    width, height = told.width, told.height
    if width <= 0 or height <= 0:
        height = max(rung.short_side for rung in epochs.profile.rungs)
        width = height * 16 // 9
    color = ColorSpec(Matrix.BT709 if min(width, height) >= scale.HD_SHORT_SIDE else Matrix.BT601)
    ladder = resolve(epochs.profile, width, height, UNKNOWN_RATE)
    return Kind(width, height, color), ladder


def compose(
    seen: VideoFrame | None, width: int, height: int, color: ColorSpec, title: str
) -> VideoFrame:
    """Draw the slate: limited-range yuv420p of `width` x `height` (even), `seen` behind it."""
    frame = VideoFrame(width, height, "yuv420p")
    planes = scale.views(frame)
    if seen is None:
        backs: tuple[NDArray[np.float32] | int, ...] = (_DARK, 128, 128)
    else:
        small = _reduced(seen, width, height)
        backs = tuple(
            _soft(plane, target.shape, floor, share)
            for plane, target, floor, share in zip(
                small, planes, (16, 128, 128), (_DIM, _PALE, _PALE), strict=True
            )
        )
    ink = _ink(width, height, title)
    thin = np.asarray(cv2.resize(ink, (width // 2, height // 2), interpolation=cv2.INTER_AREA))
    for target, back, cover, white in zip(
        planes, backs, (ink, thin, thin), (_WHITE, 128, 128), strict=True
    ):
        mixed = back + (white - back) * cover
        np.copyto(target, np.rint(mixed).clip(0, 255).astype(np.uint8))
    return frame


def _reduced(seen: VideoFrame, width: int, height: int) -> scale.Planes:
    """Bring the picture down, through a size near the slate's, until no detail is left."""
    whole = scale.Scaler(width, height).scale(seen)
    step = max(1, min(width, height) // _SOFT)
    y, u, v = (
        np.asarray(
            cv2.resize(
                plane,
                (max(2, width // step), max(2, height // step)),
                interpolation=cv2.INTER_AREA,
            ),
            np.uint8,
        )
        for plane in scale.views(whole)
    )
    return y, u, v


def _soft(
    small: NDArray[np.uint8], shape: tuple[int, ...], floor: int, share: float
) -> NDArray[np.float32]:
    dim = floor + (small.astype(np.float32) - floor) * np.float32(share)
    blurred = cv2.GaussianBlur(dim, (0, 0), 1.6, borderType=cv2.BORDER_REPLICATE)
    grown = cv2.resize(blurred, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray(grown, np.float32)


def _ink(width: int, height: int, title: str) -> NDArray[np.float32]:
    """Cover the title, in the middle, and three dots below it: they need no language."""
    canvas = Canvas(width, height)
    white = Colour(255, 255, 255)
    short = min(width, height)
    face = Typeface()
    size = max(8.0, short * _TITLE)
    words = _drawable(title, face)
    lines = wrap(words, width * _WIDTH, _LINES, lambda text: face.width(text, size, Weight.BOLD))
    baseline = height * _MIDDLE - size * 1.25 * (len(lines) - 1) / 2 + size * 0.35
    for line in lines:
        drawn = face.draw(line, size, Weight.BOLD)
        canvas.text(drawn, (width - drawn.width) / 2, baseline, white)
        baseline += size * 1.25
    radius, step = max(1.0, short * _DOT), short * _DOT_STEP * 2
    for number in (-1, 0, 1):
        x, y = width / 2 + number * step - radius, baseline - size * 0.35
        canvas.fill(Area(x, y, 2 * radius, 2 * radius), radius, white)
    return canvas.alpha


def _drawable(title: str, face: Typeface) -> str:
    """Leave out the characters that cannot be drawn right, such as emoji."""
    kept: list[str] = []
    for character in clean(title):
        try:
            face.check(character)
        except MissingGlyph:
            continue
        kept.append(character)
    return clean("".join(kept))
