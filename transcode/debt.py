"""Whether a worker owes a sign of life. Pure; times are arguments.

A worker reports its health once in a second of units, whatever they are. It owes nothing while
none come: a publisher pauses, or is away, with or without a slate in its place.
"""

from __future__ import annotations

DUE_MS = 3_000
"""An answer is due after so much of units."""


class Debt:
    """Counts from the first unit that was not answered."""

    def __init__(self) -> None:
        self._first_ms: int | None = None
        self._since: float | None = None

    def fed(self, arrived_ms: int, now: float) -> None:
        """Note a unit that arrived at `arrived_ms`; `now` is in seconds, on any clock."""
        if self._first_ms is None:
            self._first_ms = arrived_ms
        if self._since is None and arrived_ms - self._first_ms > DUE_MS:
            self._since = now

    def settle(self) -> None:
        """Note an answer, or that none is due for what was fed so far."""
        self._first_ms = self._since = None

    def waited(self, now: float) -> float:
        """Give for how many seconds an answer has been owed; 0 while none is."""
        return 0.0 if self._since is None else now - self._since
