"""How a card at rest is blended: cut beforehand into what covers and what lets through.

NumPy; no codec, no I/O. Most of a card is opaque, and copying bytes costs a seventh of
blending them; but every piece is a call more, so small planes stay in one piece.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from overlay.layout import Box
from overlay.tiles import Bytes, Plane, Tile

WORTH_CUTTING = 30_000
"""Pixels of a plane from which on five pieces are faster than one, measured."""


class Patch(NamedTuple):
    """One rectangle of one plane. A tuple: it is read for every frame."""

    plane: int
    """0, 1, 2: Y, U, V."""
    rows: slice
    columns: slice
    keep: Bytes | None
    """None: opaque, `add` replaces what is there."""
    add: Bytes


def patches(tile: Tile, x: int, y: int) -> tuple[Patch, ...]:
    """Cut `tile`, its corner at luma pixel (x, y) (even), into patches of a 4:2:0 picture."""
    made: list[Patch] = []
    for number, (plane, step) in enumerate(((tile.y, 1), (tile.u, 2), (tile.v, 2))):
        pieces = _pieces(plane, tile.margin // step)
        made.extend(_patch(number, plane, box, x // step, y // step) for box in pieces)
    return tuple(made)


def _pieces(plane: Plane, margin: int) -> list[Box]:
    height, width = plane.keep.shape
    whole = Box(0, 0, width, height)
    if width * height < WORTH_CUTTING:
        return [whole]
    inset = margin
    while inset < min(width, height) // 2:
        inner = Box(inset, inset, width - 2 * inset, height - 2 * inset)
        if not _cut(plane.keep, inner).any():
            return [
                inner,
                Box(0, 0, width, inset),
                Box(0, inner.bottom, width, inset),
                Box(0, inset, inset, inner.height),
                Box(inner.right, inset, inset, inner.height),
            ]
        inset += 1
    return [whole]


def _patch(number: int, plane: Plane, box: Box, x: int, y: int) -> Patch:
    keep = np.ascontiguousarray(_cut(plane.keep, box))
    return Patch(
        number,
        slice(y + box.y, y + box.bottom),
        slice(x + box.x, x + box.right),
        keep if keep.any() else None,
        np.ascontiguousarray(_cut(plane.add, box)),
    )


def _cut(plane: Bytes, box: Box) -> Bytes:
    return plane[box.y : box.bottom, box.x : box.right]
