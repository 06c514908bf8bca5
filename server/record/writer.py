"""The one thread that writes recordings, and the bounded queue before it.

The event loop only offers; what does not fit is refused at once. A disk that hangs holds the
thread, never the loop, nor the end of the process.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

import structlog

MOST_BYTES = 64 * 1024 * 1024
MOST_JOBS = 20_000
CLOSE_SECONDS = 5.0


class Writer:
    """Does what it is offered, in order. At most `most_bytes` of media wait."""

    def __init__(self, most_bytes: int = MOST_BYTES, most_jobs: int = MOST_JOBS) -> None:
        self._most_bytes = most_bytes
        self._most_jobs = most_jobs
        self._jobs: deque[tuple[int, Callable[[], None]]] = deque()
        self._bytes = 0
        self._closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._log = structlog.get_logger("record")

    def start(self) -> None:
        self._thread.start()

    @property
    def waiting_bytes(self) -> int:
        """Bytes offered and not yet written."""
        return self._bytes

    @property
    def idle(self) -> bool:
        """All that was offered is done."""
        return not self._jobs

    def offer(self, size: int, act: Callable[[], None]) -> bool:
        """Have `act` done in the thread; False, and not done, when too much waits already.

        `size`: the bytes that it holds in memory.
        """
        with self._changed:
            full = self._bytes + size > self._most_bytes or len(self._jobs) >= self._most_jobs
            if full or self._closing:
                return False
            self._jobs.append((size, act))
            self._bytes += size
            self._changed.notify()
        return True

    def close(self, seconds: float = CLOSE_SECONDS) -> bool:
        """Write what waits, for so long at most; False: the disk did not take all. Blocks."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(seconds)
        return not self._jobs and not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._jobs and not self._closing:
                    self._changed.wait()
                if not self._jobs:
                    return
                # It stays in the queue, and counts, until it is done.
                size, act = self._jobs[0]
            try:
                act()
            except Exception:  # noqa: BLE001 - the thread must outlive what one recording meets
                self._log.exception("a recording's job failed")
            with self._changed:
                self._jobs.popleft()
                self._bytes -= size
