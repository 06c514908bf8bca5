"""Threads that work on the disk under recordings, and the bounded queue before them.

The event loop only offers; what does not fit is refused at once. A disk that hangs holds these
threads, never the loop, nor those of other work, nor the end of the process: no executor's thread
may be left behind, for Python waits for all of them when it ends.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

import structlog

MOST_BYTES = 64 * 1024 * 1024
MOST_JOBS = 20_000
CLOSE_SECONDS = 5.0


class DiskThreads:
    """Do what they are offered, in order: one is a writer. At most `most_bytes` of media wait."""

    def __init__(
        self,
        name: str,
        count: int = 1,
        *,
        most_bytes: int = MOST_BYTES,
        most_jobs: int = MOST_JOBS,
    ) -> None:
        self._most_bytes = most_bytes
        self._most_jobs = most_jobs
        self._waiting: deque[tuple[int, Callable[[], None]]] = deque()
        self._jobs = 0
        self._bytes = 0
        self._closing = False
        self._changed = threading.Condition()
        self._threads = [
            threading.Thread(target=self._run, name=f"{name}-{number}", daemon=True)
            for number in range(count)
        ]
        self._log = structlog.get_logger("record")

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    @property
    def waiting_bytes(self) -> int:
        """Bytes offered and not yet written."""
        return self._bytes

    @property
    def idle(self) -> bool:
        """All that was offered is done."""
        return not self._jobs

    def offer(self, size: int, act: Callable[[], None]) -> bool:
        """Have `act` done in a thread; False, and not done, when too much waits already.

        `size`: the bytes that it holds in memory. It counts until it is done.
        """
        with self._changed:
            full = self._bytes + size > self._most_bytes or self._jobs >= self._most_jobs
            if full or self._closing:
                return False
            self._waiting.append((size, act))
            self._jobs += 1
            self._bytes += size
            self._changed.notify()
        return True

    def close(self, seconds: float = CLOSE_SECONDS) -> bool:
        """Do what waits, for so long at most; False: the disk did not take all. Blocks."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        until = time.monotonic() + seconds
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(until - time.monotonic(), 0))
        return not self._jobs and not any(thread.is_alive() for thread in self._threads)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closing:
                    self._changed.wait()
                if not self._waiting:
                    return
                size, act = self._waiting.popleft()
            try:
                act()
            except Exception:  # noqa: BLE001 - the thread must outlive what one recording meets
                self._log.exception("a recording's job failed")
            with self._changed:
                self._jobs -= 1
                self._bytes -= size
