"""Time of the overlay per frame, against the plain copy of the frame it is drawn on.

Run from the repository's root: python -m bench.overlay
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from bench.card import scene
from bench.report import BenchError, Effort, Row, alone, note
from overlay.compositor import Compositor
from overlay.scene import Motion
from overlay.tiles import ColorSpec

_SIZES = ((1920, 1080), (1280, 720), (854, 480), (640, 360))
_WHILE_MOVING = 3000
_ROUNDS = 9
_REPEATS = 40


def measure(_effort: Effort) -> list[Row]:
    """Measure, per rung, the time of a standing card as a ratio to copying the frame's planes."""
    cv2.setNumThreads(1)
    return [_rung(width, height) for width, height in _SIZES]


def _rung(width: int, height: int) -> Row:
    rng = np.random.default_rng(1)
    # As decoders lay them out: rows padded to a multiple of 64.
    stride = (width + 63) // 64 * 64
    y = rng.integers(16, 235, (height, stride), np.uint8)[:, :width]
    u, v = (
        rng.integers(16, 240, (height // 2, stride // 2), np.uint8)[:, : width // 2]
        for _ in range(2)
    )
    copies = [np.empty_like(plane) for plane in (y, u, v)]
    compositor = Compositor(width, height, ColorSpec())
    begun = time.thread_time()
    prepared = compositor.prepare(replace(scene(), motion=Motion.SLIDE))
    render = time.thread_time() - begun
    if prepared.problems:
        raise BenchError("; ".join(prepared.problems))
    compositor.change(prepared, 0)

    def copy() -> None:
        for plane, into in zip((y, u, v), copies, strict=True):
            np.copyto(into, plane)

    works = (
        copy,
        lambda: compositor.draw(y, u, v, 10**6),
        lambda: compositor.draw(y, u, v, _WHILE_MOVING),
    )
    rounds = [[_time(work) for work in works] for _ in range(_ROUNDS)]
    copied, settled, moving = (sorted(times)[_ROUNDS // 2] for times in zip(*rounds, strict=True))
    ratios = sorted(still / copied for copied, still, _ in rounds)
    note(
        f"{width}x{height}: settled {settled:.3f} ms, moving {moving:.3f} ms a frame; "
        f"copying the frame {copied:.3f} ms; {settled * 3:.2f} % of one core at 30 fps; "
        f"rendered once in {render * 1000:.0f} ms"
    )
    what = "copying the frame's planes; caches warm, median of paired rounds"
    return Row(f"card on {width}x{height}", ratios[_ROUNDS // 2], "x", what)


def _time(work: Callable[[], None]) -> float:
    """Give CPU milliseconds a call: other work on the machine does not count."""
    begun = time.thread_time()
    for _ in range(_REPEATS):
        work()
    return (time.thread_time() - begun) / _REPEATS * 1000


if __name__ == "__main__":
    alone(measure)
