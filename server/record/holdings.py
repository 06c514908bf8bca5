"""What of one session is on disk, by rendition and name. Values only; for two threads."""

from __future__ import annotations

from collections import deque

MOST_HELD = 100_000
"""Segments of one session that the live list may reach back to: seven hours of four renditions."""


class Holdings:
    """The newest of them. One thread adds, the event loop asks."""

    def __init__(self) -> None:
        self._held: set[tuple[str, str]] = set()
        self._order: deque[tuple[str, str]] = deque()

    def __contains__(self, place: tuple[str, str]) -> bool:
        return place in self._held

    def add(self, rendition: str, name: str) -> None:
        self._held.add((rendition, name))
        self._order.append((rendition, name))
        if len(self._order) > MOST_HELD:
            self._held.discard(self._order.popleft())

    def lose(self, rendition: str, name: str) -> None:
        """Note that it is not there any more."""
        self._held.discard((rendition, name))
