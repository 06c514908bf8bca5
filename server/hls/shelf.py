"""What one rendition can be asked for: bodies by name, each for as long as it is owed.

RFC 8216bis 6.2.2: a segment or part that left the playlist stays downloadable for a
while. Pure: standard library only; time is an argument.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator

MOST_AWAY = 20_000
"""Names that left the playlist and are still the archive's to give; hours of them."""


class Shelf:
    """Bodies by name, in memory or sent away to the archive.

    Listed ones stay; retired ones go when their time is over. `most_retired` bounds the
    memory when media comes faster than the clock runs.
    """

    def __init__(self, most_retired: int) -> None:
        self._bodies: dict[str, bytes] = {}
        self._away: set[str] = set()
        self._near = _Leaving(most_retired)
        self._far = _Leaving(MOST_AWAY)

    def __len__(self) -> int:
        """Count the bodies in memory."""
        return len(self._bodies)

    def put(self, name: str, body: bytes) -> None:
        self._bodies[name] = body

    def get(self, name: str) -> bytes | None:
        return self._bodies.get(name)

    def send_away(self, name: str) -> None:
        """Let memory go of a body that the archive holds."""
        if self._bodies.pop(name, None) is not None:
            self._away.add(name)

    def is_away(self, name: str) -> bool:
        """Tell whether the body is owed, and the archive's to give."""
        return name in self._away

    def retire(self, name: str, linger_ms: int) -> None:
        """Let the body go `linger_ms` after the next `expire`."""
        if name in self._away:
            self._away.difference_update(self._far.add(name, linger_ms))
        else:
            self._drop(self._near.add(name, linger_ms))

    def expire(self, now_ms: int) -> None:
        """Start the time of what was retired and drop what is over. `now_ms` never falls."""
        self._drop(self._near.due(now_ms))
        self._away.difference_update(self._far.due(now_ms))

    def _drop(self, names: Iterator[str]) -> None:
        for name in names:
            self._bodies.pop(name, None)


class _Leaving:
    """Names with the time at which each is over, `most` of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._new: deque[tuple[str, int]] = deque()
        self._due: list[tuple[int, int, str]] = []
        self._count = 0

    def add(self, name: str, linger_ms: int) -> Iterator[str]:
        """Take a name; give those that are over because there are too many."""
        self._new.append((name, linger_ms))
        return iter([self._new.popleft()[0]] if len(self._new) > self._most else [])

    def due(self, now_ms: int) -> Iterator[str]:
        """Give the names that are over."""
        for name, linger_ms in self._new:
            self._count += 1
            heapq.heappush(self._due, (now_ms + linger_ms, self._count, name))
        self._new.clear()
        while self._due and (self._due[0][0] <= now_ms or len(self._due) > self._most):
            yield heapq.heappop(self._due)[2]
