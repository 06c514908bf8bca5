"""Shapes as distance fields: what is turned on a lathe, a block; and solids made of them.

NumPy and OpenCV. A solid of revolution is a closed outline in the (radius, height) half-plane;
its distance field is looked up in a table, so a pot costs as much as a ball. Lengths are in
units of about ten centimetres, y is up, the table is y = 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Paint: TypeAlias = Callable[[Floats], Floats]
"""Colour, N x 3, of points, N x 3, in the solid's own space."""

_CELLS = 320
_SKIN = 0.08


@dataclass(frozen=True, slots=True)
class Solid:
    """Something on the table."""

    distance: Callable[[Floats], Floats]
    paint: Paint
    place: tuple[float, float, float] = (0.0, 0.0, 0.0)
    gloss: float = 0.3
    """Strength of the highlight."""
    glow: float = 0.0
    """Part of its colour that it gives off by itself."""
    ball: tuple[float, float] = (0.9, 1.5)
    """It lies within a ball about (0, ball[0], 0) of radius ball[1], in its own space."""

    def field(self, points: Floats) -> Floats:
        """Return a bound of the distance, exact near the solid."""
        own = points - np.array(self.place, np.float32)
        away = np.linalg.norm(own - np.array((0, self.ball[0], 0), np.float32), axis=1)
        bound = (away - self.ball[1] + _SKIN).astype(np.float32)
        near = np.flatnonzero(bound < 2 * _SKIN)
        bound[near] = self.distance(own[near])
        return np.asarray(bound, np.float32)


def lathe(outline: Sequence[tuple[float, float]]) -> Callable[[Floats], Floats]:
    """Make the distance field of a closed outline of (radius, height) turned about the axis."""
    points = np.array(outline, np.float32)
    reach = float(points[:, 0].max()) * 1.6 + 0.2
    low, high = float(points[:, 1].min()) - 0.5, float(points[:, 1].max()) + 0.5
    scale = _CELLS / max(reach, high - low)
    columns, rows = int(reach * scale) + 1, int((high - low) * scale) + 1
    mask = np.zeros((rows, columns), np.uint8)
    at = np.round((points - (0.0, low)) * scale * 16).astype(np.int32)
    cv2.fillPoly(mask, [at], 255, lineType=cv2.LINE_AA, shift=4)
    # The axis must not count as a surface: the far half mirrors the near one.
    both = np.concatenate([mask[:, ::-1], mask], axis=1)
    solid = (both > 127).astype(np.uint8)
    outside = cv2.distanceTransform(1 - solid, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    inside = cv2.distanceTransform(solid, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    edge = np.clip(both.astype(np.float32) / 255, 0, 1) - 0.5
    table = np.where(outside > 1.5, outside - 0.5, np.where(inside > 1.5, 0.5 - inside, -edge))
    smooth = cv2.GaussianBlur(table / scale, (0, 0), 1.2)
    half = np.ascontiguousarray(smooth[:, columns:], np.float32)

    def distance(p: Floats) -> Floats:
        radius = np.hypot(p[:, 0], p[:, 2])
        u = np.clip(radius, 0, reach - 1.5 / scale)
        v = np.clip(p[:, 1], low + 1 / scale, high - 1.5 / scale)
        inner = _sample(half, u * np.float32(scale) - 0.5, (v - np.float32(low)) * scale - 0.5)
        away = np.hypot(radius - u, p[:, 1] - v)
        return np.where(away > 0, np.maximum(inner, 0) * 0.7 + away, inner).astype(np.float32)

    return distance


def _sample(table: Floats, x: NDArray[Any], y: NDArray[Any]) -> Floats:
    """Read `table` between its cells; longer than the 32767 rows that remap takes at once."""
    found = np.empty(len(x), np.float32)
    for start in range(0, len(x), 30_000):
        part = slice(start, start + 30_000)
        found[part] = cv2.remap(
            table,
            x[part, None].astype(np.float32),
            y[part, None].astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )[:, 0]
    return found


def block(size: tuple[float, float, float], rounding: float) -> Callable[[Floats], Floats]:
    """Make the distance field of a box of half-sizes `size` with round edges, centred."""
    half = np.array(size, np.float32) - rounding

    def distance(p: Floats) -> Floats:
        q = np.abs(p) - half
        outer = np.linalg.norm(np.maximum(q, 0), axis=1)
        return np.asarray(outer + np.minimum(q.max(axis=1), 0) - rounding, np.float32)

    return distance


def plain(*rgb: float) -> Paint:
    colour = np.array(rgb, np.float32)
    return lambda p: np.broadcast_to(colour, (len(p), 3)).copy()
