"""When a unit is due: files and segments come faster than they are to be shown. Pure."""

from __future__ import annotations

LEAD = 0.5
"""Seconds sent ahead of the clock: what hides the wait for the next segment or pass."""
LATE = 1.0
"""So far behind the clock a source may catch up; beyond, the clock waits for the source."""
JUMP = 5.0
"""A step in time larger than this is a cut, not a wait."""


class Pacer:
    """Holds media time to the clock. Both in seconds, each from its own beginning."""

    def __init__(self, lead: float = LEAD) -> None:
        self._lead = lead
        self._offset: float | None = None
        """Clock minus media time."""
        self._last = 0.0

    def wait(self, at: float, now: float) -> float:
        """Tell how many seconds from `now` on the unit of media time `at` is due."""
        if self._offset is None or abs(at - self._last) > JUMP:
            self._offset = now - at
        self._last = at
        due = at + self._offset
        if now - due > LATE:
            self._offset += now - due - LATE
        return max(0.0, due - self._lead - now)
