"""Makes the demo's pictures: `python -m server.demo.darkroom FOLDER`.

Tracing takes some seconds of one core, so it runs in a process of its own, at low priority,
once: what is there already is left alone. Each file appears whole or not at all.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from server.demo import solids
from server.demo.goods import GOODS, Good
from server.demo.still import Studio, shoot

SCENE = "scene.png"
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


def scene_picture(width: int = WIDTH, height: int = HEIGHT) -> bytes:
    """Make the anchor's table in the evening: a PNG whose alpha tells where no solid is."""
    lamp = (0.95, 1.0, -1.3)
    table = (
        *solids.lantern((lamp[0], 0, lamp[2])),
        *solids.bowl((3.2, 0, -0.35)),
        *solids.tea((0.8, 0, 1.25)),
        *solids.honey((-0.55, 0, 0.0)),
        *solids.scarf((-2.5, 0, -1.1)),
    )
    studio = Studio(
        eye=(0.1, 3.3, 9.2),
        target=(0.25, 0.72, 0.0),
        lens=3.55,
        reach=4.4,
        solids=table,
        lamp=lamp,
        key=(0.6, 0.56, 0.55),
        sky=(0.12, 0.15, 0.23),
        wall=(0.1, 0.125, 0.18),
        table=(0.36, 0.22, 0.13),
    )
    small = shoot(studio, width * 3 // 4, height * 3 // 4)
    large = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return _encoded(".png", large.astype(np.uint8, copy=False), [cv2.IMWRITE_PNG_COMPRESSION, 6])


def develop(folder: Path) -> None:
    """Make what is missing in `folder`: the scene and `{id}.jpg` of each product."""
    folder.mkdir(parents=True, exist_ok=True)
    _make(folder / f"{GOODS[0].id}.jpg", partial(product_picture, GOODS[0]))
    _make(folder / SCENE, scene_picture)
    for good in GOODS[1:]:
        _make(folder / f"{good.id}.jpg", partial(product_picture, good))


def _make(path: Path, picture: Callable[[], bytes]) -> None:
    if not path.exists():
        part = path.with_suffix(".part")
        part.write_bytes(picture())
        part.replace(path)


def _encoded(kind: str, picture: NDArray[np.uint8], options: list[int]) -> bytes:
    done, data = cv2.imencode(kind, picture, options)
    if not done:
        raise RuntimeError(f"OpenCV could not write {kind}")
    return data.tobytes()


if __name__ == "__main__":
    os.nice(10)
    cv2.setNumThreads(1)
    develop(Path(sys.argv[1]))
