"""The anchor's moving picture: a table in the evening, drifting lights, steam, a clock.

NumPy and OpenCV. What stands still is drawn once; what is soft is drawn at a quarter of the
size; each frame costs a few milliseconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from server.demo.darkroom import EMPTY, HEIGHT, PRINTS, SCENE, WIDTH

Picture: TypeAlias = NDArray[np.uint8]

_SOFT = 4
_LAMP = (184, 68)
_STEAM_AT = (171, 40)
"""Above the tea, a quarter of the size."""
_CLOCK_AT = (936, 44)
_WARM = (0.42, 0.72, 1.0)


@dataclass(frozen=True, slots=True)
class _Light:
    x: float
    y: float
    radius: float
    drift: float
    phase: float
    color: tuple[float, float, float]


class Backdrop:
    """Draws the frame for any instant; the same instant gives the same frame."""

    def __init__(self, prints: Path = PRINTS) -> None:
        """Read the table's picture. Raises OSError when it is not there or broken."""
        table = cv2.imread(str(prints / SCENE), cv2.IMREAD_COLOR)
        empty = cv2.imread(str(prints / EMPTY), cv2.IMREAD_GRAYSCALE)
        if table is None or empty is None or table.shape != (HEIGHT, WIDTH, 3):
            raise OSError(f"{prints / SCENE} cannot be read")
        self._table = np.asarray(table, np.uint8)
        _draw_furniture(self._table)
        size = (WIDTH // _SOFT, HEIGHT // _SOFT)
        small = cv2.resize(empty, size, interpolation=cv2.INTER_AREA)
        self._empty = np.asarray(small / 255.0, np.float32)[:, :, None]
        self._glow = _disc(WIDTH // _SOFT, HEIGHT // _SOFT, _LAMP, 66)[:, :, None]
        self._steam = _noise(160, 96)
        self._lights = _lights()
        self._digits = {sign: _sign(sign) for sign in "0123456789:."}

    def frame(self, wall_ms: int) -> Picture:
        """Draw the frame of this instant as planar YUV 4:2:0 (BT.601), 1080 x 1280."""
        now = wall_ms / 1000
        soft = self._light(now)
        wide = cv2.resize(soft, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
        picture = np.asarray(cv2.add(self._table, wide), np.uint8)
        self._clock(picture, wall_ms)
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), np.uint8)

    def _light(self, now: float) -> Picture:
        """Draw all that glows, a quarter of the size."""
        height, width = HEIGHT // _SOFT, WIDTH // _SOFT
        layer = np.zeros((height, width, 3), np.float32)
        for light in self._lights:
            _draw_light(layer, light, now)
        layer = cv2.GaussianBlur(layer, (0, 0), 1.1) * self._empty
        flicker = 12 + 5 * math.sin(now * 2.3) + 3 * math.sin(now * 5.9 + 1)
        layer += self._glow * np.array(_WARM, np.float32) * flicker
        self._draw_steam(layer, now)
        return np.clip(layer, 0, 255).astype(np.uint8)

    def _draw_steam(self, layer: NDArray[np.float32], now: float) -> None:
        """Let two sheets of noise rise through each other over the tea."""
        tall, wide = 64, 40
        left, top = _STEAM_AT
        rows = (np.arange(tall)[:, None] + int(now * 22)) % 160
        sway = (3 * np.sin(np.arange(tall)[:, None] / 11 + now * 1.2)).astype(int)
        columns = np.arange(wide)[None, :] + 20 + sway
        other = (np.arange(tall)[:, None] + int(now * 13)) % 160
        wisps = self._steam[rows, columns] * self._steam[other, columns[:, ::-1]]
        x = np.linspace(-1, 1, wide)[None, :]
        y = np.linspace(0, 1, tall)[:, None]
        envelope = np.exp(-((x / (0.3 + 0.35 * (1 - y))) ** 2)) * np.sin(np.pi * y) ** 1.3
        smoke = cv2.GaussianBlur((wisps * envelope).astype(np.float32), (0, 0), 1.6)
        layer[top : top + tall, left : left + wide] += smoke[:, :, None] * 74

    def _clock(self, picture: Picture, wall_ms: int) -> None:
        moment = datetime.fromtimestamp(wall_ms / 1000, UTC)
        text = f"{moment:%H:%M:%S}.{wall_ms % 1000:03d}"
        x, y = _CLOCK_AT
        for sign in text:
            mask = self._digits[sign]
            height, width = mask.shape[:2]
            place = picture[y : y + height, x : x + width]
            cv2.add(place, mask, place)
            x += width
        # A ring that closes once a second, in step with the bell.
        share = (wall_ms % 1000) / 1000
        bright = int(90 + 165 * math.exp(-5 * share))
        centre = (_CLOCK_AT[0] - 34, _CLOCK_AT[1] + 27)
        color = (int(bright * 0.45), int(bright * 0.75), bright)
        cv2.ellipse(picture, centre, (17, 17), -90, 0, 360 * share, color, 4, cv2.LINE_AA)


def _draw_furniture(picture: Picture) -> None:
    """Write what never moves: the title, and a dim plate under the clock."""
    left, top = _CLOCK_AT
    plate = picture[top - 14 : top + 70, left - 66 : WIDTH - 44]
    plate[:] = (plate * 0.55).astype(np.uint8)
    face = cv2.FontFace("sans")
    white = (235, 238, 242)
    cv2.putText(picture, "Vitrine", (56, 92), white, face, 46, 600)
    cv2.putText(picture, "a shop window, live", (58, 128), (178, 190, 205), face, 22, 400)
    cv2.putText(picture, "UTC", (WIDTH - 96, top + 62), (150, 165, 185), face, 15, 500)


def _sign(sign: str) -> Picture:
    """Draw one sign of the clock, light on nothing; all digits equally wide."""
    width = 25 if sign.isdigit() else 13
    mask = np.zeros((52, width, 3), np.uint8)
    face = cv2.FontFace("sans")
    text = cv2.getTextSize((400, 200), sign, (0, 0), face, 40, 500)
    at = ((width - text[2]) // 2 - text[0], 40)
    cv2.putText(mask, sign, at, (205, 215, 225), face, 40, 500)
    return mask


def _lights() -> tuple[_Light, ...]:
    """Scatter the lights of a street behind the window; always the same ones."""
    chance = np.random.default_rng(11)
    colors = ((0.3, 0.62, 1.0), (0.5, 0.78, 1.0), (0.85, 0.7, 0.5), (0.45, 0.5, 1.0))
    return tuple(
        _Light(
            x=float(chance.uniform(0, WIDTH / _SOFT)),
            y=float(chance.uniform(6, 78)),
            radius=float(chance.uniform(4, 12)),
            drift=float(chance.uniform(-1.6, 1.6)),
            phase=float(chance.uniform(0, 2 * math.pi)),
            color=colors[int(chance.integers(len(colors)))],
        )
        for _ in range(20)
    )


def _draw_light(layer: NDArray[np.float32], light: _Light, now: float) -> None:
    width = WIDTH / _SOFT + 40
    x = (light.x + light.drift * now) % width - 20
    y = light.y + 3 * math.sin(now * 0.21 + light.phase)
    strength = 26 + 16 * math.sin(now * 0.7 + light.phase)
    color = tuple(strength * part for part in light.color)
    centre = (int(x * 16), int(y * 16))
    # Discs add up where they overlap, as out-of-focus lights do.
    reach = int(light.radius) + 2
    left, top = max(0, int(x) - reach), max(0, int(y) - reach)
    place = layer[top : int(y) + reach + 1, left : max(left, int(x) + reach + 1)]
    if place.size:
        disc = np.zeros_like(place)
        inner = (centre[0] - left * 16, centre[1] - top * 16)
        cv2.circle(disc, inner, int(light.radius * 16), color, -1, cv2.LINE_8, 4)
        place += disc


def _disc(width: int, height: int, centre: tuple[int, int], radius: float) -> NDArray[np.float32]:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    far = np.hypot(x - centre[0], y - centre[1]) / radius
    return np.asarray(np.exp(-(far**2) * 2), np.float32)


def _noise(rows: int, columns: int) -> NDArray[np.float32]:
    """Make soft noise from 0 to 1 that wraps from bottom to top."""
    chance = np.random.default_rng(5)
    raw = np.tile(chance.random((rows, columns)).astype(np.float32), (3, 1))
    soft = cv2.GaussianBlur(raw, (0, 0), 5)[rows : 2 * rows]
    spread = (soft - soft.min()) / (soft.max() - soft.min())
    return np.asarray(spread, np.float32)
