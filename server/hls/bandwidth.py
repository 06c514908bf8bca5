"""Bit rates as playlists tell them (RFC 8216bis 4.4.6.2). Pure: standard library only."""

from __future__ import annotations

from collections.abc import Sequence

from ingest.unit import TICKS_PER_SECOND


def peak_bit_rate(spans: Sequence[tuple[int, int]], target: int) -> int | None:
    """Return the peak segment bit rate of segments in a row, bit/s, rounded up.

    It is the largest of any contiguous set that lasts between 0.5 and 1.5 target durations.
    `spans` are bytes and ticks of each, 0 bytes for a gap; `target` is in ticks. None when no
    set is long enough.
    """
    peak: int | None = None
    for first in range(len(spans)):
        size = ticks = 0
        for more_size, more_ticks in spans[first : first + 100]:
            size, ticks = size + more_size, ticks + more_ticks
            if 2 * ticks > 3 * target:
                break
            if 2 * ticks >= target:
                peak = max(peak or 0, _bit_rate(size, ticks))
    return peak


def mean_bit_rate(spans: Sequence[tuple[int, int]]) -> int | None:
    """Return the mean bit rate, bit/s, rounded up; None where `spans`, as above, last no time."""
    ticks = sum(ticks for _, ticks in spans)
    return _bit_rate(sum(size for size, _ in spans), ticks) if ticks else None


def _bit_rate(size: int, ticks: int) -> int:
    """Return bit/s, rounded up; `ticks` above zero."""
    return -(-size * 8 * TICKS_PER_SECOND // ticks)
