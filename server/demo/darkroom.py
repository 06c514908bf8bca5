"""Makes the demo's pictures: `python -m server.demo.darkroom`, after a change to what is in them.

Tracing takes a minute of one core, so the prints lie beside this file and nobody waits for
them; a test holds them against the solids they show.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from server.demo import solids
from server.demo.goods import GOODS, Good
from server.demo.still import Studio, shoot

PRINTS = Path(__file__).with_name("pictures")
SCENE = "scene.jpg"
EMPTY = "scene-empty.png"
"""White where no solid stands before the wall."""
WIDTH, HEIGHT = 1280, 720
SIDE = 600
_SHARPER = 1.5
"""Traced larger and scaled down: smooth edges."""


def product_picture(good: Good, side: int = SIDE) -> bytes:
    """Make the product's picture: a square JPEG."""
    dim = 0.32 if good.lit else 1.0
    studio = Studio(
        eye=(0.0, 2.9, 5.8),
        target=(0.0, good.target, 0.0),
        lens=good.lens,
        lamp=(0.0, 1.0, 0.0) if good.lit else None,
        key=(1.5 * dim, 1.38 * dim, 1.2 * dim),
        sky=(0.34 * dim, 0.38 * dim, 0.46 * dim),
        wall=good.wall,
        table=good.table,
        solids=good.made_of(),
    )
    size = int(side * _SHARPER)
    picture = np.ascontiguousarray(shoot(studio, size, size)[:, :, :3])
    small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    return _encoded(".jpg", small.astype(np.uint8, copy=False), [cv2.IMWRITE_JPEG_QUALITY, 90])


def scene(width: int, height: int) -> NDArray[np.uint8]:
    """Trace the anchor's table in the evening: BGR, and 255 where no solid is."""
    lamp = (1.1, 1.0, -1.3)
    table = (
        *solids.lantern((lamp[0], 0, lamp[2])),
        *solids.bowl((3.2, 0, -0.35)),
        *solids.tea((1.05, 0, 1.25)),
        *solids.honey((-0.55, 0, 0.0)),
        *solids.scarf((-2.5, 0, -1.1)),
    )
    studio = Studio(
        eye=(0.1, 3.3, 9.2),
        target=(0.25, 0.72, 0.0),
        lens=3.55,
        reach=4.9,
        solids=table,
        lamp=lamp,
        key=(0.6, 0.56, 0.55),
        sky=(0.12, 0.15, 0.23),
        wall=(0.1, 0.125, 0.18),
        table=(0.36, 0.22, 0.13),
    )
    return shoot(studio, width, height)


def develop(folder: Path) -> None:
    """Make all pictures anew: `{id}.jpg` of each product, the scene and where it is empty."""
    folder.mkdir(parents=True, exist_ok=True)
    for good in GOODS:
        (folder / f"{good.id}.jpg").write_bytes(product_picture(good))
    size = (int(WIDTH * _SHARPER), int(HEIGHT * _SHARPER))
    large = cv2.resize(scene(*size), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    small = large.astype(np.uint8, copy=False)
    picture, empty = np.ascontiguousarray(small[:, :, :3]), np.ascontiguousarray(small[:, :, 3])
    jpeg = _encoded(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 93])
    (folder / SCENE).write_bytes(jpeg)
    (folder / EMPTY).write_bytes(_encoded(".png", empty, [cv2.IMWRITE_PNG_COMPRESSION, 9]))


def _encoded(kind: str, picture: NDArray[np.uint8], options: list[int]) -> bytes:
    done, data = cv2.imencode(kind, picture, options)
    if not done:
        raise RuntimeError(f"OpenCV could not write {kind}")
    return data.tobytes()


if __name__ == "__main__":
    develop(PRINTS)
