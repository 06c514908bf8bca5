"""One rendition's playlists, one after another: what may not change, and what is new. Pure."""

from __future__ import annotations

from fractions import Fraction

from server.lint.ensemble import Ensemble
from server.lint.notes import Notes
from server.lint.reader import ReadPlaylist, ReadSegment
from server.lint.rules_list import judge_list

LEAST_SHARE = Fraction(85, 100)
"""Of PART-TARGET (4.4.4.9)."""
LEAST_LISTED = 6
ROUNDING = Fraction(1, 1000)
MOST_DATE_ERROR_MS = 50
"""One frame."""


class Course:
    """Follows one rendition; what it finds it tells `notes`, and `ensemble` for comparison."""

    def __init__(self, name: str, notes: Notes, ensemble: Ensemble) -> None:
        self.name = name
        self.playlist: ReadPlaylist | None = None
        """The newest."""
        self.removed = 0
        """Segments that left the list while it was watched."""
        self._notes = notes
        self._ensemble = ensemble
        self._known: dict[int, tuple[object, ...]] = {}
        self._parts: dict[int, int] = {}

    def take(self, playlist: ReadPlaylist) -> None:
        """Judge the next playlist; a delta update is merged already."""
        judge_list(self._notes, self.name, playlist)
        before = self.playlist
        if before is not None:
            self._compare(before, playlist)
        self._ensemble.playlist(self.name, playlist)
        self._segments(playlist, begun=before is None)
        self._listed(playlist)
        for known in (self._known, self._parts):
            for msn in [msn for msn in known if msn < playlist.media_sequence]:
                del known[msn]
        self.playlist = playlist

    def _compare(self, before: ReadPlaylist, now: ReadPlaylist) -> None:
        notes, name = self._notes, self.name
        notes.check(
            1,
            "reloads",
            now.target_duration == before.target_duration,
            "EXT-X-TARGETDURATION has changed",
            name,
        )
        if now.has_part_target and before.has_part_target:
            same = now.part_target == before.part_target
            notes.check(1, "part targets", same, "PART-TARGET has changed", name)
        grown = now.media_sequence >= before.media_sequence
        notes.check(8, "reloads", grown, "EXT-X-MEDIA-SEQUENCE went back", name)
        grown = now.discontinuity_sequence >= before.discontinuity_sequence
        notes.check(8, "reloads", grown, "EXT-X-DISCONTINUITY-SEQUENCE went back", name)
        notes.check(8, "reloads", now.newest >= before.newest, "the playlist's end went back", name)
        self.removed += max(0, now.media_sequence - before.media_sequence)

    def _listed(self, playlist: ReadPlaylist) -> None:
        """Once segments leave, six or more must be listed, of three target durations."""
        if not self.removed or playlist.ended:
            return
        count = len(playlist.segments)
        lasts = sum((each.duration or Fraction(0)) for each in playlist.segments)
        self._notes.check(
            9, "playlists", count >= LEAST_LISTED, f"only {count} segments are listed", self.name
        )
        enough = lasts > 3 * playlist.target_duration - ROUNDING
        what = "the playlist is shorter than three target durations"
        self._notes.check(9, "playlists", enough, what, self.name)

    def _segments(self, playlist: ReadPlaylist, *, begun: bool) -> None:
        last: ReadSegment | None = None
        for segment in playlist.all_segments:
            where = f"{self.name}, segment {segment.msn}"
            if segment.parts or segment.msn in self._parts:
                self._judge_parts(playlist, segment, where)
            if segment.duration is not None:
                self._judge_whole(playlist, segment, last, where)
            elif begun or segment.msn not in self._known:
                self._ensemble.segment(self.name, segment)
            last = segment

    def _judge_whole(
        self, playlist: ReadPlaylist, segment: ReadSegment, last: ReadSegment | None, where: str
    ) -> None:
        said = (
            segment.uri,
            segment.pdt_ms,
            segment.duration,
            segment.gap,
            segment.discontinuity_number,
            segment.map_uri,
        )
        known = self._known.get(segment.msn)
        if known is not None:
            if known != said:
                self._notes.broke(8, "a segment that was listed has changed", where)
            return
        self._known[segment.msn] = said
        self._ensemble.segment(self.name, segment)
        duration = segment.duration or Fraction(0)
        self._notes.check(
            1,
            "segments",
            int(duration + Fraction(1, 2)) <= playlist.target_duration,
            f"EXTINF of {float(duration):.3f} s is over the target duration",
            where,
        )
        dated = segment.pdt_ms is not None
        self._notes.check(12, "segments", dated, "a segment without its date", where)
        if last is not None:
            self._judge_step(last, segment, where)
        sizes = [part.duration for part in segment.parts]
        if sizes and len(sizes) == self._parts.get(segment.msn):
            good = abs(sum(sizes) - duration) <= ROUNDING * len(sizes)
            self._notes.check(
                13, "segments against their parts", good, "EXTINF is not its parts' sum", where
            )

    def _judge_step(self, last: ReadSegment, segment: ReadSegment, where: str) -> None:
        """Judge what lies between two segments in a row."""
        if segment.map_uri != last.map_uri and None not in (segment.map_uri, last.map_uri):
            what = "another EXT-X-MAP without EXT-X-DISCONTINUITY"
            self._notes.check(10, "maps", segment.discontinuity, what, where)
        if segment.discontinuity:
            changed = segment.map_uri != last.map_uri or segment.map_uri is None
            what = "EXT-X-DISCONTINUITY without an EXT-X-MAP of its own"
            self._notes.check(10, "discontinuities", changed, what, where)
        if None in (segment.pdt_ms, last.pdt_ms) or last.duration is None:
            return
        step = (segment.pdt_ms or 0) - (last.pdt_ms or 0)
        self._notes.check(12, "steps", step > 0, "dates do not grow", where)
        if not segment.discontinuity:
            error = abs(step - float(last.duration) * 1000)
            what = f"the date is {error:.0f} ms away from where the segment before ends"
            self._notes.check(12, "steps", error <= MOST_DATE_ERROR_MS, what, where)

    def _judge_parts(self, playlist: ReadPlaylist, segment: ReadSegment, where: str) -> None:
        parts = segment.parts
        first = self._parts.get(segment.msn, 0)
        if len(parts) > first:
            self._parts[segment.msn] = len(parts)
        if not playlist.has_part_target:
            what = "parts without EXT-X-PART-INF"
            self._notes.check(2, "playlists", not parts, what, where)
            return
        target = playlist.part_target
        for index in range(first, len(parts)):
            part = parts[index]
            what = f"a part of {float(part.duration):.3f} s is over PART-TARGET"
            self._notes.check(2, "parts", part.duration <= target, what, f"{where}.{index}")
            before = parts[index - 1] if index else None
            if before is not None and not (before.independent or before.gap or part.gap):
                good = before.duration >= LEAST_SHARE * target
                what = f"a part of {float(before.duration):.3f} s is under 85 % of PART-TARGET"
                self._notes.check(2, "part lengths", good, what, f"{where}.{index - 1}")
