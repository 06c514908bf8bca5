"""RTP times of several tracks on one line of 90 kHz ticks. Pure.

A track begins where its first packet arrived. Sender reports (RFC 3550 6.4.1) then tell how
the tracks' clocks really lie to each other: the sound is moved to fit the picture, which never
jumps. The picture's own clock runs on as it began.

Some senders note the wall clock when a packet leaves, not when it was sampled: their reports
are late by what encoding took, never early. The earliest of the last few counts.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from ingest.rtp.packet import Unwrapper
from ingest.unit import TICKS_PER_MS, TICKS_PER_SECOND

MOST_APART: Final = 5 * TICKS_PER_SECOND
"""Reports that move a track further tell of two clocks, or none: arrival is the better guess."""
STEP: Final = TICKS_PER_SECOND // 2
"""The sender's wall clock was set by more than this: earlier reports are of another time."""
LEAST_MOVE: Final = 4 * TICKS_PER_MS
"""Nobody hears less, and a track that is not moved has no seam."""
REPORTS: Final = 6
"""Remembered of each track: 6 s of most senders, in which clocks drift by a fraction of a ms."""


class _Track:
    def __init__(self, rate: int, first: int, arrival: float) -> None:
        self.rate = rate
        self.times = Unwrapper(32)
        self.offset = round(arrival * TICKS_PER_SECOND) - self.scaled(self.times.unwrap(first))
        self.reports: deque[int] = deque(maxlen=REPORTS)
        """The sender's wall clock, in ticks, at RTP time 0, as each report has it."""

    def scaled(self, time: int) -> int:
        return time * TICKS_PER_SECOND // self.rate


class MediaClock:
    """Maps the RTP times of one session's tracks. The track named first in `order` leads."""

    def __init__(self, *order: str) -> None:
        self._order = order
        self._tracks: dict[str, _Track] = {}

    def begin(self, track: str, rate: int, timestamp: int, arrival: float) -> None:
        """Begin a track, or begin it anew: its first packet has `timestamp`, came at `arrival`.

        `rate`: of its RTP clock, in Hz. `arrival`: in seconds.
        """
        self._tracks[track] = _Track(rate, timestamp, arrival)

    def ticks(self, track: str, timestamp: int) -> int:
        """Map a packet's RTP time, 32 bits, to ticks. Raises KeyError before `begin`."""
        known = self._tracks[track]
        return known.scaled(known.times.unwrap(timestamp)) + known.offset

    def report(self, track: str, ntp: int, timestamp: int) -> None:
        """Take a sender report: 64-bit NTP time, 32-bit RTP time."""
        known = self._tracks.get(track)
        if known is None or ntp == 0:
            return
        told = (ntp * TICKS_PER_SECOND >> 32) - known.scaled(known.times.near(timestamp))
        if known.reports and abs(told - known.reports[-1]) > STEP:
            for each in self._tracks.values():
                each.reports.clear()
        known.reports.append(told)
        self._align()

    def _align(self) -> None:
        lead, *others = (self._tracks[name] for name in self._order if name in self._tracks)
        if not lead.reports:
            return
        wall = lead.offset - min(lead.reports)
        for other in others:
            if not other.reports:
                continue
            offset = min(other.reports) + wall
            if LEAST_MOVE <= abs(offset - other.offset) <= MOST_APART:
                other.offset = offset
