"""What one rendition can be asked for: bodies by name, each for as long as it is owed.

RFC 8216bis 6.2.2: a segment or part that left the playlist stays downloadable for a
while. Pure: standard library only; time is an argument.
"""

from __future__ import annotations

import heapq


class Shelf:
    """Bodies by name. Listed ones stay; retired ones go when their time is over.

    `most_retired` bounds the memory when media comes faster than the clock runs.
    """

    def __init__(self, most_retired: int) -> None:
        self._bodies: dict[str, bytes] = {}
        self._leaving: list[tuple[str, int]] = []
        self._due: list[tuple[int, int, str]] = []
        self._retired = 0
        self._most_retired = most_retired

    def __len__(self) -> int:
        return len(self._bodies)

    def put(self, name: str, body: bytes) -> None:
        self._bodies[name] = body

    def get(self, name: str) -> bytes | None:
        return self._bodies.get(name)

    def retire(self, name: str, linger_ms: int) -> None:
        """Let the body go `linger_ms` after the next `expire`."""
        self._leaving.append((name, linger_ms))
        if len(self._leaving) > self._most_retired:
            oldest, _ = self._leaving.pop(0)
            self._bodies.pop(oldest, None)

    def expire(self, now_ms: int) -> None:
        """Start the time of what was retired and drop what is over. `now_ms` never falls."""
        for name, linger_ms in self._leaving:
            self._retired += 1
            heapq.heappush(self._due, (now_ms + linger_ms, self._retired, name))
        self._leaving.clear()
        while self._due and (self._due[0][0] <= now_ms or len(self._due) > self._most_retired):
            self._bodies.pop(heapq.heappop(self._due)[2], None)
