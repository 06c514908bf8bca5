"""A recording's two axes: dates (PDT) and where a player is in the replay. Pure.

A replay playlist lists every segment, gaps too, one behind the other; so its own time, which is
what players call the current time, is the sum of what came before. Both in milliseconds here.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate

from ingest.unit import TICKS_PER_MS
from server.record.recording import RecordedSegment, Recording


@dataclass(frozen=True, slots=True)
class Axis:
    """Where segments begin: on the PDT axis, and in the replay."""

    pdts_ms: tuple[int, ...]
    begins_ms: tuple[int, ...]
    end_ms: int
    """Of the replay."""

    @classmethod
    def of(cls, recording: Recording) -> Axis:
        """Lay out a recording by its best rendition; the others differ by less than a frame."""
        segments: tuple[RecordedSegment, ...] = next(iter(recording.renditions.values()), ())
        ends = tuple(accumulate(segment.duration for segment in segments))
        begins = tuple(end // TICKS_PER_MS for end in (0, *ends[:-1]))[: len(segments)]
        end_ms = ends[-1] // TICKS_PER_MS if ends else 0
        return cls(tuple(segment.pdt_ms for segment in segments), begins, end_ms)

    def replay_ms(self, pdt_ms: int) -> int:
        """Give where in the replay a date is shown, from 0 to `end_ms`.

        A date at which there was nothing is where the show goes on.
        """
        position = bisect_right(self.pdts_ms, pdt_ms) - 1
        if position < 0:
            return 0
        following = position + 1
        most = self.begins_ms[following] if following < len(self.begins_ms) else self.end_ms
        return min(self.begins_ms[position] + pdt_ms - self.pdts_ms[position], most)
