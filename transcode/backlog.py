"""How much, and how old, is what a pipe has not yet taken. Pure; sizes and times are arguments."""

from __future__ import annotations

from collections import deque


class Backlog:
    """Remembers what was written, to tell from the bytes still held how late they are."""

    def __init__(self) -> None:
        self._written: deque[tuple[int, int]] = deque()
        self._total = 0

    def wrote(self, size: int, arrived_ms: int, held: int) -> None:
        """Note a write of `size` bytes; the transport holds `held` bytes after it."""
        if not held:
            self.clear()
            return
        self._written.append((size, arrived_ms))
        self._total += size
        self.settle(held)

    def settle(self, held: int) -> None:
        """Forget what has gone: all but the newest `held` bytes."""
        while self._written and self._total - self._written[0][0] >= held:
            self._total -= self._written.popleft()[0]

    def age_ms(self, now_ms: int) -> int:
        """Give how long ago the oldest unit still held arrived; 0 when none is held."""
        return max(0, now_ms - self._written[0][1]) if self._written else 0

    def clear(self) -> None:
        if self._written:
            self._written.clear()
            self._total = 0
