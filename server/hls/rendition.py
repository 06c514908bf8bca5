"""One rendition's side of the live window: its listed segments and what is on its shelf.

Pure: standard library and values only. Renditions do not know of each other;
`server.hls.window` keeps them in step.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

from ingest.unit import TICKS_PER_MS, TICKS_PER_SECOND
from server.hls.playlist import PartTag, Segment
from server.hls.shelf import Shelf
from transcode.part import Part, Track

TARGETS_KEPT = 3
"""Target durations that parts are listed, and stay on the shelf afterwards (6.2.2)."""


@dataclass(frozen=True, slots=True)
class Span:
    """Where a segment lies: the same in every rendition, to one frame."""

    pdt_ms: int
    duration: int


class Rendition:
    """Segments in order of msn, the growing one, and the bodies of both.

    `listed` is how many whole segments the playlist holds; it holds more while they are
    shorter in sum than three target durations (6.2.2).
    """

    def __init__(
        self, name: str, run: str, first_msn: int, target_duration: int, listed: int
    ) -> None:
        self.name = name
        self.track: Track | None = None
        """None: no media in the current epoch."""
        self.audio_only = False
        self.segments: deque[Segment] = deque()
        self.next_msn = first_msn
        self.version = 0
        """Grows with every change of what the playlist lists."""
        self._run = run
        self._target = target_duration * TICKS_PER_SECOND
        self._listed = listed
        self._shelf = Shelf(most_retired=listed * 40)
        self._map_uri: str | None = None
        self._discontinuity_number = 0
        self._discontinuity = False
        self._next_part = 0
        self._growing: Segment | None = None
        self._bodies: list[bytes] = []
        self._listed_ticks = 0
        self._longest_ticks = 0

    @property
    def growing(self) -> Segment | None:
        """The segment that has parts and no end yet. Its msn is `next_msn`."""
        return self._growing

    @property
    def first_msn(self) -> int:
        """The first msn listed."""
        return self.segments[0].msn if self.segments else self.next_msn

    @property
    def end_ms(self) -> int | None:
        """PDT of the end of what is listed; None when nothing is."""
        last = self._growing or (self.segments[-1] if self.segments else None)
        return None if last is None else last.pdt_ms + round(last.duration / TICKS_PER_MS)

    @property
    def discontinuity_sequence(self) -> int:
        """The discontinuity number before the first listed segment's own tag (6.2.2)."""
        first = self.segments[0] if self.segments else self._growing
        if first is not None:
            return first.discontinuity_number - first.discontinuity
        return self._discontinuity_number - self._discontinuity

    @property
    def hint(self) -> str:
        """Name of the next part, whichever segment it will belong to."""
        return f"{self._run}-p{self._next_part}.m4s"

    @property
    def growing_parts(self) -> int:
        return self._growing.part_count if self._growing else 0

    @property
    def held(self) -> int:
        """How many bodies are in memory."""
        return len(self._shelf)

    def part_count(self, msn: int) -> int:
        """Count the parts of a listed segment, whole or growing; 0 for any other."""
        if msn == self.next_msn:
            return self.growing_parts
        position = msn - self.first_msn
        return self.segments[position].part_count if 0 <= position < len(self.segments) else 0

    def body(self, name: str) -> bytes | None:
        """Return what can be downloaded under `name`."""
        return self._shelf.get(name)

    def begin(self, track: Track | None, epoch: int, discontinuity_number: int) -> None:
        """Begin an epoch. The growing segment must be closed. None: no media in it."""
        self.track = track
        unused = self._map_uri
        if unused is not None and not any(each.map_uri == unused for each in self.segments):
            self._shelf.retire(unused, 0)
        self._map_uri = None
        self._discontinuity = self._discontinuity or discontinuity_number > 0
        self._discontinuity_number = discontinuity_number
        if track is not None:
            self.audio_only = track.width == 0
            self._map_uri = f"init-{self._run}-{epoch}.mp4"
            self._shelf.put(self._map_uri, track.init)

    def add(self, part: Part, pdt_ms: int) -> None:
        """Append a part to the growing segment; `pdt_ms` is that of the part's start."""
        growing = self._growing or self._segment(Span(pdt_ms, 0), whole=False)
        tag = PartTag(self.hint, part.duration, part.independent)
        self._shelf.put(tag.uri, part.data)
        self._next_part += 1
        self._bodies.append(part.data)
        self._growing = replace(
            growing,
            duration=growing.duration + part.duration,
            size=growing.size + len(part.data),
            part_count=growing.part_count + 1,
            parts=(*growing.parts, tag),
        )
        self._unlist_parts()
        self.version += 1

    def close(self) -> Span | None:
        """Finish the growing segment, if there is one."""
        growing = self._growing
        if growing is None:
            return None
        self._shelf.put(growing.uri, b"".join(self._bodies))
        self._growing = None
        self._bodies = []
        self._append(replace(growing, whole=True))
        return Span(growing.pdt_ms, growing.duration)

    def skip(self, span: Span) -> None:
        """Append a segment that this rendition lacks (EXT-X-GAP, 4.4.4.7)."""
        self._append(replace(self._segment(span, whole=True), gap=True))

    def expire(self, now_ms: int) -> None:
        """Forget what is no longer owed."""
        self._shelf.expire(now_ms)

    def peak_bandwidth(self) -> int | None:
        """Measure the peak segment bit rate (4.4.6.2) of the listed segments.

        None before three of at least half a target duration are there.
        """
        rates = [
            -(-segment.size * 8 * TICKS_PER_SECOND // segment.duration)
            for segment in self.segments
            if not segment.gap and 2 * segment.duration >= self._target
        ]
        return max(rates) if len(rates) >= 3 else None

    def average_bandwidth(self) -> int | None:
        """Measure the mean bit rate of the listed segments; None before there is one."""
        ticks = sum(segment.duration for segment in self.segments if not segment.gap)
        size = sum(segment.size for segment in self.segments)
        return -(-size * 8 * TICKS_PER_SECOND // ticks) if ticks else None

    def _segment(self, span: Span, whole: bool) -> Segment:
        segment = Segment(
            msn=self.next_msn,
            uri=f"{self._run}-{self.next_msn}.m4s",
            pdt_ms=span.pdt_ms,
            duration=span.duration,
            map_uri=self._map_uri,
            discontinuity_number=self._discontinuity_number,
            discontinuity=self._discontinuity,
            whole=whole,
        )
        self._discontinuity = False
        return segment

    def _append(self, segment: Segment) -> None:
        self.segments.append(segment)
        self.next_msn += 1
        self._listed_ticks += segment.duration
        self._longest_ticks = max(self._longest_ticks, self._listed_ticks)
        while len(self.segments) > self._listed:
            rest = self._listed_ticks - self.segments[0].duration
            # Not even when summed from the rounded EXTINF.
            if rest <= TARGETS_KEPT * self._target:
                break
            self._drop_first()
        self._unlist_parts()
        self.version += 1

    def _drop_first(self) -> None:
        gone = self.segments.popleft()
        self._listed_ticks -= gone.duration
        linger_ms = (gone.duration + self._longest_ticks) * 1000 // TICKS_PER_SECOND + 1
        self._retire_parts(gone)
        if not gone.gap:
            self._shelf.retire(gone.uri, linger_ms)
        if gone.map_uri is not None and self.segments[0].map_uri != gone.map_uri:
            self._shelf.retire(gone.map_uri, linger_ms)

    def _unlist_parts(self) -> None:
        """Drop the part tags that lie three target durations behind the end (6.2.2)."""
        distance = self._growing.duration if self._growing else 0
        for position in range(len(self.segments) - 1, -1, -1):
            segment = self.segments[position]
            distance += segment.duration
            if distance > TARGETS_KEPT * self._target and segment.part_count:
                if not segment.parts:
                    return
                self._retire_parts(segment)
                self.segments[position] = replace(segment, parts=())

    def _retire_parts(self, segment: Segment) -> None:
        linger_ms = TARGETS_KEPT * self._target * 1000 // TICKS_PER_SECOND
        for part in segment.parts:
            self._shelf.retire(part.uri, linger_ms)
