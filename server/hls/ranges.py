"""The date ranges of one window: told once, ended once, never changed under an id.

Pure: standard library and values only.
"""

from __future__ import annotations

from server.hls.errors import WindowError
from server.hls.playlist import DateRange

MOST_RANGES = 500
"""A playlist repeats them all; a pin a second through a window of eight minutes."""


class DateRanges:
    """Date ranges by id, in the order told."""

    def __init__(self) -> None:
        self._ranges: dict[str, DateRange] = {}

    @property
    def all(self) -> tuple[DateRange, ...]:
        return tuple(self._ranges.values())

    def tell(self, ranges: tuple[DateRange, ...], earliest_ms: int | None) -> bool:
        """Add ranges or their ends and tell whether that changed anything.

        What ended before `earliest_ms`, the first instant listed, is left out. Raises
        WindowError, and changes nothing, if a value would change under an id.
        """
        told = dict(self._ranges)
        for each in ranges:
            known = told.get(each.id)
            if known is not None and not known.agrees_with(each):
                raise WindowError(f"date range {each.id!r} would change under its id")
            if not _over(each, earliest_ms):
                told[each.id] = each
        if len(told) > MOST_RANGES:
            raise WindowError(f"more than {MOST_RANGES} date ranges in one window")
        changed = told != self._ranges
        self._ranges = told
        return changed

    def forget(self, earliest_ms: int | None) -> None:
        """Drop ranges that no listed segment can map to (6.2.1)."""
        for each in self.all:
            if _over(each, earliest_ms):
                del self._ranges[each.id]

    def close(self, end_ms: int) -> None:
        """End every open range at `end_ms`; drop those that would begin later."""
        self._ranges = {
            each.id: each if each.end_ms is not None else each.closed(end_ms)
            for each in self.all
            if each.start_ms < end_ms
        }


def _over(date_range: DateRange, earliest_ms: int | None) -> bool:
    end_ms = date_range.end_ms
    return end_ms is not None and earliest_ms is not None and end_ms < earliest_ms
