"""A small surface of premultiplied RGB + alpha on which a card is painted, antialiased."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

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
        self._paint(self._rounded(area, radius) * np.float32(opacity), 0, 0, _vector(colour))

    def outline(
        self, area: Area, radius: float, width: float, colour: Colour, opacity: float
    ) -> None:
        """Draw a line `width` wide along the inside of a rounded rectangle."""
        ring = self._rounded(area, radius) - self._rounded(area.inset(width), radius - width)
        self._paint(np.maximum(ring, 0) * np.float32(opacity), 0, 0, _vector(colour))

    def shadow(
        self, area: Area, radius: float, spread: float, colour: Colour, opacity: float
    ) -> None:
        """Cast the shadow of a rounded rectangle, blurred by a Gaussian of sigma `spread`."""
        soft = cv2.GaussianBlur(
            self._rounded(area, radius), (0, 0), spread, borderType=cv2.BORDER_CONSTANT
        )
        self._paint(np.asarray(soft, np.float32) * np.float32(opacity), 0, 0, _vector(colour))

    def picture(self, area: Area, radius: float, pixels: NDArray[np.uint8]) -> None:
        """Lay RGB pixels, corners rounded, with their top left at the whole pixel under `area`."""
        x, y = round(area.x), round(area.y)
        rows, columns = pixels.shape[:2]
        mask = self._rounded(area, radius)[y : y + rows, x : x + columns]
        self._paint(mask, x, y, pixels.astype(np.float32))

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

    def _rounded(self, area: Area, radius: float) -> Mask:
        """Cover a rounded rectangle: one minus the signed distance to its edge, cut to 0..1."""
        radius = max(min(radius, area.width / 2, area.height / 2), 0.0)
        across = np.abs(np.arange(self.width) + 0.5 - (area.x + area.width / 2))
        down = np.abs(np.arange(self.height) + 0.5 - (area.y + area.height / 2))
        dx = (across - (area.width / 2 - radius))[None, :]
        dy = (down - (area.height / 2 - radius))[:, None]
        outside = np.hypot(np.maximum(dx, 0), np.maximum(dy, 0))
        distance = outside + np.minimum(np.maximum(dx, dy), 0) - radius
        return np.asarray(np.clip(0.5 - distance, 0, 1), np.float32)


def _vector(colour: Colour) -> Plane:
    return np.array((colour.red, colour.green, colour.blue), np.float32)
