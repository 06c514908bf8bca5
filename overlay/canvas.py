"""A small surface of premultiplied RGB + alpha on which a card is painted, antialiased."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from overlay.layout import Box
from overlay.typeface import Mask, TextMask

Plane = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Colour:
    """sRGB, 0..255 each."""

    red: int
    green: int
    blue: int


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle in pixels, not necessarily whole ones."""

    x: float
    y: float
    width: float
    height: float

    def inset(self, by: float) -> Area:
        return Area(self.x + by, self.y + by, self.width - 2 * by, self.height - 2 * by)


class Canvas:
    """Premultiplied `rgb` (rows, columns, 3) in 0..255 and `alpha` (rows, columns) in 0..1."""

    def __init__(self, width: int, height: int) -> None:
        self.rgb: Plane = np.zeros((height, width, 3), np.float32)
        self.alpha: Plane = np.zeros((height, width), np.float32)

    @property
    def width(self) -> int:
        return int(self.alpha.shape[1])

    @property
    def height(self) -> int:
        return int(self.alpha.shape[0])

    def fill(self, area: Area, radius: float, colour: Colour, opacity: float = 1.0) -> None:
        """Fill a rounded rectangle."""
        window = self._window(area)
        mask = _rounded(area, radius, window) * np.float32(opacity)
        self._paint(mask, window.x, window.y, _vector(colour))

    def outline(
        self, area: Area, radius: float, width: float, colour: Colour, opacity: float
    ) -> None:
        """Draw a line `width` wide along the inside of a rounded rectangle."""
        window = self._window(area)
        inner = _rounded(area.inset(width), radius - width, window)
        ring = np.maximum(_rounded(area, radius, window) - inner, 0) * np.float32(opacity)
        self._paint(ring, window.x, window.y, _vector(colour))

    def shadow(
        self, area: Area, radius: float, spread: float, colour: Colour, opacity: float
    ) -> None:
        """Cast the shadow of a rounded rectangle, blurred by a Gaussian of sigma `spread`."""
        hard = _rounded(area, radius, Box(0, 0, self.width, self.height)) * np.float32(opacity)
        soft = cv2.GaussianBlur(hard, (0, 0), spread, borderType=cv2.BORDER_CONSTANT)
        self._paint(np.asarray(soft, np.float32), 0, 0, _vector(colour))

    def picture(self, area: Area, radius: float, pixels: NDArray[np.uint8]) -> None:
        """Lay RGB pixels, corners rounded, with their top left at the whole pixel under `area`."""
        window = Box(round(area.x), round(area.y), pixels.shape[1], pixels.shape[0])
        mask = _rounded(area, radius, window)
        self._paint(mask, window.x, window.y, pixels.astype(np.float32))

    def text(self, line: TextMask, x: float, baseline: float, colour: Colour) -> None:
        """Write a line with its pen's origin at (`x`, `baseline`), cut off at the edges."""
        left, top = round(x) - line.left, round(baseline) - line.baseline
        mask = line.mask[max(-top, 0) :, max(-left, 0) :]
        left, top = max(left, 0), max(top, 0)
        mask = mask[: max(self.height - top, 0), : max(self.width - left, 0)]
        self._paint(mask, left, top, _vector(colour))

    def _paint(self, mask: Mask, x: int, y: int, colour: Plane) -> None:
        """Composite `colour` over what is there (Porter-Duff over)."""
        rows, columns = mask.shape
        rgb = self.rgb[y : y + rows, x : x + columns]
        alpha = self.alpha[y : y + rows, x : x + columns]
        rgb += (colour - rgb) * mask[..., None]
        alpha += (1 - alpha) * mask

    def _window(self, area: Area) -> Box:
        """Find the whole pixels that `area` touches."""
        x, y = max(math.floor(area.x), 0), max(math.floor(area.y), 0)
        right = min(math.ceil(area.x + area.width), self.width)
        bottom = min(math.ceil(area.y + area.height), self.height)
        return Box(x, y, max(right - x, 0), max(bottom - y, 0))


def _rounded(area: Area, radius: float, window: Box) -> Mask:
    """Cover a rounded rectangle in `window`: its signed distance, cut to 0..1 at the edge."""
    radius = max(min(radius, area.width / 2, area.height / 2), 0.0)
    columns = np.arange(window.x, window.right, dtype=np.float32) + 0.5
    rows = np.arange(window.y, window.bottom, dtype=np.float32) + 0.5
    dx = (np.abs(columns - (area.x + area.width / 2)) - (area.width / 2 - radius))[None, :]
    dy = (np.abs(rows - (area.y + area.height / 2)) - (area.height / 2 - radius))[:, None]
    outside = np.hypot(np.maximum(dx, 0), np.maximum(dy, 0))
    distance = outside + np.minimum(np.maximum(dx, dy), 0) - radius
    return np.asarray(np.clip(0.5 - distance, 0, 1), np.float32)


def _vector(colour: Colour) -> Plane:
    return np.array((colour.red, colour.green, colour.blue), np.float32)
