"""When the picture's clock has leapt the sound's is to follow, a few packets later. Pure."""

from __future__ import annotations

from ingest.unit import TICKS_PER_SECOND

STAYS = 3 * TICKS_PER_SECOND // 10
"""Sound so near to the sound before is on the same clock still."""
PATIENCE = TICKS_PER_SECOND
"""After so much of it the sound's clock did not leap and is right as it is."""


class Leap:
    """Tells which sound still has the stamps of before, and so no place yet."""

    def __init__(self) -> None:
        self._end: int | None = None
        self._left = 0

    def picture(self, before: int, after: int) -> None:
        """Note that pictures leapt from `before` to `after`, ticks."""
        end = self._end
        behind = end is not None and abs(end - before) < abs(end - after)
        self._left = PATIENCE if behind else 0

    def sound(self, pts: int, ticks: int) -> bool:
        """Take the next sound, `ticks` long; True when it is to be kept aside."""
        stays = self._end is not None and abs(pts - self._end) < STAYS
        self._end = pts + ticks
        self._left = max(0, self._left - ticks) if stays else 0
        return self._left > 0
