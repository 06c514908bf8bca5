"""Cards, pictures of products and frames made by code, for the overlay's tests."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from overlay.compositor import Compositor
from overlay.scene import Card, Money

Planes = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]


def picture(
    colour: tuple[int, ...] = (200, 40, 60),
    size: tuple[int, int] = (90, 120),
    kind: str = "PNG",
) -> bytes:
    """Encode a flat picture; four channels make one with transparency."""
    file = io.BytesIO()
    Image.new("RGBA" if len(colour) == 4 else "RGB", size, colour).save(file, kind)
    return file.getvalue()


def card(name: str = "pin-1", slot: int = 0, image: bytes | None = None) -> Card:
    return Card(
        name,
        "Silk Blouse with Pearl Buttons",
        Money(10_320, "USD"),
        Money(12_900, "USD"),
        image,
        slot,
    )


def frame(width: int = 640, height: int = 360, padding: int = 32) -> Planes:
    """Make a 4:2:0 frame of noise whose rows are `padding` samples longer than wide."""
    rng = np.random.default_rng(7)

    def plane(columns: int, rows: int) -> NDArray[np.uint8]:
        return rng.integers(16, 236, (rows, columns + padding), np.uint8)[:, :columns]

    half = (width // 2, height // 2)
    return plane(width, height), plane(*half), plane(*half)


def drawn(compositor: Compositor, planes: Planes, now: int) -> Planes:
    """Draw on a copy of `planes` and give the copy."""
    y, u, v = (plane.copy() for plane in planes)
    compositor.draw(y, u, v, now)
    return y, u, v
