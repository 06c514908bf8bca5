"""The date ranges of one window: told once, ended once, never changed under an id.

Pure: standard library and values only.
"""

from __future__ import annotations

from server.hls.errors import WindowError
from server.hls.playlist import DateRange

MOST_RANGES = 2_000
"""A playlist repeats them all; a pin a second through a window of half an hour."""


class DateRanges:
    """Date ranges by id, in the order told."""

    def __init__(self) -> None:
        self._ranges: dict[str, DateRange] = {}
        self._all: tuple[DateRange, ...] = ()

    @property
    def all(self) -> tuple[DateRange, ...]:
        """The same object as long as nothing changes."""
        return self._all

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
        return self._keep(told)

    def forget(self, earliest_ms: int | None) -> None:
        """Drop ranges that no listed segment can map to (6.2.1)."""
        self._keep({each.id: each for each in self._all if not _over(each, earliest_ms)})

    def close(self, end_ms: int) -> None:
        """End every open range at `end_ms`; drop those that would begin later."""
        self._keep(
            {
                each.id: each if each.end_ms is not None else each.closed(end_ms)
                for each in self._all
                if each.start_ms < end_ms
            }
        )

    def _keep(self, ranges: dict[str, DateRange]) -> bool:
        """Take `ranges`; tell whether they are others than before."""
        if ranges == self._ranges:
            return False
        self._ranges, self._all = ranges, tuple(ranges.values())
        return True


def _over(date_range: DateRange, earliest_ms: int | None) -> bool:
    end_ms = date_range.end_ms
    return end_ms is not None and earliest_ms is not None and end_ms < earliest_ms
