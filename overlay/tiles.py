"""Cards to tiles: painted once at a rung's own size, then kept as planar YUV + alpha.

A tile's planes are premultiplied and in 8.8 fixed point, ready for a blend of one
multiplication and one addition per sample: out = (under * keep + add) >> 8.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from enum import IntEnum
from threading import Lock

import cv2
import numpy as np
from numpy.typing import NDArray

from overlay.canvas import Canvas
from overlay.face import margin, paint, word
from overlay.layout import Box
from overlay.picture import square
from overlay.scene import Card
from overlay.typeface import Typeface

Bytes = NDArray[np.uint8]

KEPT_TILES = 8
"""Tiles a renderer remembers: the cards on screen and those that come back soon."""

_CHECK_SIDE = 64


class Matrix(IntEnum):
    """Luma coefficients of a stream."""

    BT601 = 601
    BT709 = 709


@dataclass(frozen=True, slots=True)
class ColorSpec:
    """How a stream's Y'CbCr is meant (ITU-R BT.601-7, BT.709-6; H.273)."""

    matrix: Matrix = Matrix.BT709
    full_range: bool = False

    def planes(self, rgb: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        """Convert RGB in 0..255, shape (rows, columns, 3), to Y, Cb, Cr in code values."""
        kr, kb = (0.299, 0.114) if self.matrix is Matrix.BT601 else (0.2126, 0.0722)
        red, blue = rgb[..., 0], rgb[..., 2]
        luma = kr * red + (1 - kr - kb) * rgb[..., 1] + kb * blue
        base, luma_scale, chroma_scale = (
            (0.0, 1.0, 1.0) if self.full_range else (16.0, 219 / 255, 224 / 255)
        )
        cb = (blue - luma) / (2 * (1 - kb)) * chroma_scale + 128
        cr = (red - luma) / (2 * (1 - kr)) * chroma_scale + 128
        return luma * luma_scale + base, cb, cr


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """One plane of a tile."""

    keep: Bytes
    """255 * (1 - alpha): 255 leaves the picture as it is, 0 covers it."""
    add: Bytes
    """alpha * value: the value itself where the card is opaque."""


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """A card as it is blended, body and shadow. All measures in luma pixels and even."""

    width: int
    height: int
    margin: int
    """From the tile's edge to the card's body, on every side."""
    y: Plane
    u: Plane
    v: Plane


def render(card: Card, body: Box, locale: str, color: ColorSpec, typeface: Typeface) -> Tile:
    """Paint a card with a body of `body.width` x `body.height` pixels (even).

    Tens of milliseconds; nothing of it belongs into the path of a frame. Raises OverlayError.
    """
    return _tile(paint(card, body, locale, typeface), body, color)


def check(card: Card, locale: str) -> None:
    """Raise OverlayError if `card` could not be drawn: MissingGlyph, BrokenImage, BadPrice.

    Decodes the image: call it off the event loop.
    """
    word(card, locale, Typeface())
    if card.image is not None:
        square(card.image, _CHECK_SIDE)


class Renderer:
    """Renders cards for one picture size and remembers the last few tiles. Thread-safe."""

    def __init__(self, color: ColorSpec) -> None:
        self._color = color
        self._typeface = Typeface()
        self._tiles: OrderedDict[tuple[Card, int, int, str], Tile] = OrderedDict()
        self._lock = Lock()

    def tile(self, card: Card, body: Box, locale: str) -> Tile:
        """Give the card's tile, rendered now or remembered by content. Raises OverlayError."""
        content = replace(card, id="", slot=0)
        key = (content, body.width, body.height, locale)
        with self._lock:
            tile = self._tiles.get(key)
            if tile is None:
                tile = render(card, body, locale, self._color, self._typeface)
                self._tiles[key] = tile
                if len(self._tiles) > KEPT_TILES:
                    self._tiles.popitem(last=False)
            else:
                self._tiles.move_to_end(key)
            return tile


def _tile(canvas: Canvas, body: Box, color: ColorSpec) -> Tile:
    alpha = canvas.alpha
    straight = np.asarray(canvas.rgb / np.maximum(alpha, 1e-6)[..., None], np.float32)
    luma, cb, cr = color.planes(straight)
    thin = _halved(alpha)
    u, v = (_plane(_halved(chroma * alpha), thin) for chroma in (cb, cr))
    return Tile(canvas.width, canvas.height, margin(body), _plane(luma * alpha, alpha), u, v)


def _plane(premultiplied: NDArray[np.float32], alpha: NDArray[np.float32]) -> Plane:
    value = np.clip(premultiplied / np.maximum(alpha, 1e-6), 0, 255)
    keep = np.rint(255 * (1 - alpha)).clip(0, 255)
    # From the rounded weight, so that the two never exceed a byte together.
    add = np.floor(value * (255 - keep) / 255 + 0.5)
    return Plane(keep.astype(np.uint8), add.astype(np.uint8))


def _halved(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """Subsample to 4:2:0 with chroma sited left, as H.264 has it by default (H.264 E.2.1)."""
    kernel_across = np.array((0.25, 0.5, 0.25), np.float32)
    across = cv2.filter2D(plane, -1, kernel_across[None, :], borderType=cv2.BORDER_REPLICATE)
    return np.asarray((across[0::2, 0::2] + across[1::2, 0::2]) / 2, np.float32)
