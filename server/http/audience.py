"""How many viewers each channel has: those whose page listens to its events.

Who runs the channel, and shows a token for it, is none of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class Audience:
    """Counts viewers, not connections: one viewer with two tabs is one."""

    def __init__(self) -> None:
        self._present: dict[str, Counter[str]] = {}

    def count(self, channel: str) -> int:
        return len(self._present.get(channel, ()))

    def total(self) -> int:
        return sum(len(viewers) for viewers in self._present.values())

    @contextmanager
    def present(self, channel: str, viewer: str) -> Iterator[None]:
        """Count `viewer` (any stable name of theirs) while the block runs."""
        viewers = self._present.setdefault(channel, Counter())
        viewers[viewer] += 1
        try:
            yield
        finally:
            viewers[viewer] -= 1
            if viewers[viewer] <= 0:
                del viewers[viewer]
            if not viewers:
                self._present.pop(channel, None)
