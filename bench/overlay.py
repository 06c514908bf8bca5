"""Time of the overlay per frame, against the plain copy of the frame it is drawn on.

Run from the repository's root: python -m bench.overlay
"""

from __future__ import annotations

import time
from collections.abc import Callable

import cv2
import numpy as np

from overlay.compositor import Compositor
from overlay.scene import Card, Money, Motion, Scene
from overlay.tiles import ColorSpec

_SIZES = ((1920, 1080), (1280, 720), (854, 480), (640, 360))
_WHILE_MOVING = 3000
_ROUNDS = 9
_REPEATS = 40


def main() -> None:
    """Print, per rung, milliseconds a frame and the ratio to copying the frame's planes."""
    cv2.setNumThreads(1)
    print("one product card of 0.36 of the width, medians of paired rounds")
    for width, height in _SIZES:
        _rung(width, height)


def _rung(width: int, height: int) -> None:
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
    prepared = compositor.prepare(_scene())
    render = time.thread_time() - begun
    assert not prepared.problems, prepared.problems
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
    print(
        f"{width}x{height}: settled {settled:.3f} ms, moving {moving:.3f} ms a frame; "
        f"settled / copying the frame {ratios[_ROUNDS // 2]:.2f} (copy {copied:.3f} ms); "
        f"{settled * 3:.2f} % of one core at 30 fps; rendered once in {render * 1000:.0f} ms"
    )


def _time(work: Callable[[], None]) -> float:
    """Give CPU milliseconds a call: other work on the machine does not count."""
    begun = time.thread_time()
    for _ in range(_REPEATS):
        work()
    return (time.thread_time() - begun) / _REPEATS * 1000


def _scene() -> Scene:
    ramp = np.linspace(0, 255, 600, dtype=np.uint8)
    pixels = np.dstack([np.tile(ramp, (600, 1)), np.tile(ramp[:, None], (1, 600))] * 2)[..., :3]
    done, image = cv2.imencode(".jpg", pixels)
    assert done
    card = Card(
        "bench",
        "Silk Blouse with Pearl Buttons",
        Money(10_320, "USD"),
        Money(12_900, "USD"),
        image.tobytes(),
    )
    return Scene("bench", (card,), motion=Motion.SLIDE)


if __name__ == "__main__":
    main()
