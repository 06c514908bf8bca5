"""One rendition's side of the live window: its listed segments and what is on its shelf.

Pure: standard library and values only. Renditions do not know of each other;
`server.hls.window` keeps them in step.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

from ingest.unit import TICKS_PER_MS, TICKS_PER_SECOND
from server.hls.archive import Scribe
from server.hls.playlist import PartTag, Segment
from server.hls.recall import RecalledRendition
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

    All that is listed stays until `drop`; the bodies of the oldest may be the archive's
    (`send_away`). How much of either is `server.hls.depth`'s to say.
    """

    def __init__(
        self, name: str, run: str, first_msn: int, target_duration: int, listed: int, scribe: Scribe
    ) -> None:
        self.name = name
        self.track: Track | None = None
        """None: no media in the current epoch."""
        self.audio_only = False
        self.segments: deque[Segment] = deque()
        self.next_msn = first_msn
        self.version = 0
        """Grows with every change of what the playlist lists."""
        self.near_ticks = 0
        """Duration of the whole segments that memory keeps."""
        self.listed_ticks = 0
        """Duration of all whole segments listed."""
        self._run = run
        self._scribe = scribe
        self._target = target_duration * TICKS_PER_SECOND
        self._shelf = Shelf(most_retired=listed * 40)
        self._map_uri: str | None = None
        self._discontinuity_number = 0
        self._discontinuity = False
        self._next_part = 0
        self._growing: Segment | None = None
        self._bodies: list[bytes] = []
        self._near_msn = first_msn
        """The first whole segment that memory keeps."""
        self._parted_msn = first_msn
        """No segment before it lists parts."""
        self._longest_ticks = 0
        self._longest_near_ticks = 0

    def recall(self, recalled: RecalledRendition) -> None:
        """Begin with segments that the archive holds, before anything else."""
        self.audio_only = recalled.audio_only
        for uri, init in recalled.inits.items():
            self._shelf.put(uri, init)
        for segment in recalled.segments:
            self.segments.append(replace(segment, part_count=0, parts=()))
            self.listed_ticks += segment.duration
            self._discontinuity_number = segment.discontinuity_number
            if not segment.gap:
                self._shelf.put_away(segment.uri)
        self.next_msn = self._near_msn = self._parted_msn = self.first_msn + len(self.segments)
        self._longest_ticks = self.listed_ticks

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
    def near(self) -> Segment | None:
        """The oldest whole segment that memory keeps."""
        position = self._near_msn - self.first_msn
        return self.segments[position] if position < len(self.segments) else None

    @property
    def near_count(self) -> int:
        """How many whole segments memory keeps."""
        return self.next_msn - self._near_msn

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

    def lists(self, msn: int) -> bool:
        """Tell whether a whole segment is listed that is no gap."""
        position = msn - self.first_msn
        return 0 <= position < len(self.segments) and not self.segments[position].gap

    def body(self, name: str) -> bytes | None:
        """Return what memory has under `name`."""
        return self._shelf.get(name)

    def is_away(self, name: str) -> bool:
        """Tell whether `name` can be downloaded, from the archive."""
        return self._shelf.is_away(name)

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
            self._scribe.begun(self.name, self._map_uri, track)

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
        self._scribe.added(self.name, self._growing, tag, part.data)
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

    def send_away(self) -> None:
        """Let memory go of its oldest whole segment, which the archive holds, or is a gap."""
        near = self.near
        if near is not None:
            self._shelf.send_away(near.uri)
            self._near_msn += 1
            self.near_ticks -= near.duration

    def drop(self, through_msn: int) -> None:
        """Take segments off the list, up to `through_msn`; they linger on the shelf."""
        while self.segments and self.segments[0].msn <= through_msn:
            gone = self.segments.popleft()
            self.listed_ticks -= gone.duration
            if gone.msn >= self._near_msn:
                self._near_msn = gone.msn + 1
                self.near_ticks -= gone.duration
            self._retire(gone)
            self.version += 1

    def expire(self, now_ms: int) -> None:
        """Forget what is no longer owed."""
        self._shelf.expire(now_ms)

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
        self.listed_ticks += segment.duration
        self.near_ticks += segment.duration
        self._longest_ticks = max(self._longest_ticks, self.listed_ticks)
        self._longest_near_ticks = max(self._longest_near_ticks, self.near_ticks)
        self._scribe.closed(self.name, segment, self.first_msn)
        self._unlist_parts()
        self.version += 1

    def _retire(self, gone: Segment) -> None:
        """Start what a segment that left is owed: itself and the longest playlist it was in.

        What only memory has is owed no more than memory keeps, whatever the archive failed
        to take.
        """
        self._retire_parts(gone)
        away = self._shelf.is_away(gone.uri)
        longest = self._longest_ticks if away else self._longest_near_ticks
        linger_ms = (gone.duration + longest) * 1000 // TICKS_PER_SECOND + 1
        if not gone.gap:
            self._shelf.retire(gone.uri, linger_ms)
        following = self.segments[0] if self.segments else self._growing
        used = (self._map_uri, following.map_uri if following else None)
        if gone.map_uri is not None and gone.map_uri not in used:
            self._shelf.retire(gone.map_uri, linger_ms)

    def _unlist_parts(self) -> None:
        """Drop the part tags that lie three target durations behind the end (6.2.2)."""
        self._parted_msn = max(self._parted_msn, self.first_msn)
        most = TARGETS_KEPT * self._target
        behind = self._growing.duration if self._growing else 0
        behind += sum(
            self.segments[msn - self.first_msn].duration
            for msn in range(self._parted_msn, self.next_msn)
        )
        while behind > most and self._parted_msn < self.next_msn:
            position = self._parted_msn - self.first_msn
            segment = self.segments[position]
            behind -= segment.duration
            self._retire_parts(segment)
            self.segments[position] = replace(segment, parts=())
            self._parted_msn += 1

    def _retire_parts(self, segment: Segment) -> None:
        linger_ms = TARGETS_KEPT * self._target * 1000 // TICKS_PER_SECOND
        for part in segment.parts:
            self._shelf.retire(part.uri, linger_ms)
