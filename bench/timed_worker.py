"""A worker process that also times its compositors, and tells the sum when it ends.

    python -m bench.timed_worker

It is `transcode.worker` in everything else. CPU time of the drawing threads, not wall time.
"""

from __future__ import annotations

import sys
import threading
import time

from overlay.compositor import Compositor, Picture, PreparedScene
from overlay.scene import Scene
from transcode import worker

MARK = "overlay seconds: "


class _Clock:
    """CPU seconds of all threads in the overlay."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.drawing = 0.0
        self.preparing = 0.0
        self.draws = 0

    def drew(self, seconds: float) -> None:
        with self._lock:
            self.drawing += seconds
            self.draws += 1

    def prepared(self, seconds: float) -> None:
        with self._lock:
            self.preparing += seconds


def _install(clock: _Clock) -> None:
    """Put the clock around what a compositor does."""
    draw, prepare = Compositor.draw, Compositor.prepare

    def timed_draw(self: Compositor, y: Picture, u: Picture, v: Picture, now: int) -> None:
        began = time.thread_time()
        draw(self, y, u, v, now)
        clock.drew(time.thread_time() - began)

    def timed_prepare(self: Compositor, scene: Scene) -> PreparedScene:
        began = time.thread_time()
        prepared = prepare(self, scene)
        clock.prepared(time.thread_time() - began)
        return prepared

    Compositor.draw = timed_draw  # type: ignore[method-assign]
    Compositor.prepare = timed_prepare  # type: ignore[method-assign]


def main() -> int:
    """Run the worker; its exit status."""
    clock = _Clock()
    _install(clock)
    code = worker.main()
    sys.stderr.write(f"{MARK}{clock.drawing:.6f} {clock.preparing:.6f} {clock.draws}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
