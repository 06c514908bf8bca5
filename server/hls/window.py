"""The live window: what the origin can be asked for, every rendition in step.

Pure: standard library and values only; time is an argument. One window is one run of
one channel's session: its names are unique for ever, its sequences never go back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ingest.unit import TICKS_PER_MS
from server.hls.archive import Archive, Scribe, Unwritten
from server.hls.depth import Depth
from server.hls.errors import WindowError
from server.hls.id3 import InBand
from server.hls.judging import judge_epoch, judge_part, judge_start
from server.hls.lockstep import Lockstep
from server.hls.playlist import DateRange
from server.hls.ranges import DateRanges
from server.hls.recall import Recalled
from server.hls.rendition import Rendition, Span
from server.hls.targets import Targets
from transcode.part import Epoch, Part, Track

LEAST_LISTED = 6
MOST_LACKING = 64
"""Segments that one part may leap over; more is a broken worker."""


class Window:
    """Renditions, epochs and date ranges of one run.

    `run` is part of every name: unique per window for ever, `[A-Za-z0-9]`.
    `first_msn` and `first_discontinuity` carry on from the channel's window before
    (`next_msn`, `discontinuity_sequence`); a channel's first window begins at 0 or 1.
    Memory keeps `segments` whole ones; older ones are listed while the `archive` holds them,
    `dvr_seconds` in all. The `scribe` is told of all that is published.
    """

    def __init__(
        self,
        run: str,
        first_msn: int = 0,
        first_discontinuity: int = 0,
        segments: int = 15,
        dvr_seconds: int = 0,
        archive: Archive | None = None,
        scribe: Scribe | None = None,
    ) -> None:
        if not (run.isascii() and run.isalnum()):
            raise ValueError("run: ASCII letters and digits only, it is part of every name")
        if segments < LEAST_LISTED:
            raise ValueError(f"segments: at least {LEAST_LISTED}")
        self.run = run
        self.ended = False
        self._targets: Targets | None = None
        self._first_msn = first_msn
        # A run that follows another is discontinuous with it, even if its number was lost.
        self._discontinuity = max(first_discontinuity, 1 if first_msn > 1 else 0)
        self._number = self._discontinuity
        """Discontinuity number of the current epoch; one without media hands it on."""
        self._listed = segments
        self._epoch: Epoch | None = None
        self._tracks_before: tuple[Track, ...] = ()
        self._epochs = 0
        self._base_msn = first_msn
        self.archive = archive
        self.in_band: InBand | None = None
        """Puts date ranges into the media as well."""
        self._scribe = scribe or Unwritten()
        self._step = Lockstep(Depth(segments, dvr_seconds, archive))
        self._renditions = self._step.renditions
        self._ranges = DateRanges()
        self._shared_version = 0
        self._latest_pdt_ms: int | None = None
        self._lapsed = False
        """The newest that is listed are gaps of `lapse`."""

    def recall(self, recalled: Recalled) -> None:
        """Go on with the list of a window that a stopped server left. Before the first epoch.

        What lies between it and the first epoch becomes gaps, at least as many as there are
        numbers between the last recalled and `first_msn`. Raises WindowError.
        """
        lasts = [each.segments[-1].msn for each in recalled.renditions.values()]
        if self._epochs or self._renditions or max(lasts) >= self._first_msn:
            raise WindowError("only a window that has not begun can go on with another's list")
        self._targets = recalled.targets
        self._tracks_before = recalled.tracks
        self._step.target_duration = recalled.targets.duration
        for name, each in recalled.renditions.items():
            rendition = self._rendition(name, each.segments[0].msn)
            rendition.recall(each)
            rendition.drop(recalled.first_msn - 1)
            self._step.recall(rendition)
        self._step.level()
        self._latest_pdt_ms = max(each.end_ms or 0 for each in self._renditions.values())
        self._lapsed = True
        self._shared_version += 1

    def _rendition(self, name: str, msn: int) -> Rendition:
        made = Rendition(name, self.run, msn, self.target_duration, self._listed, self._scribe)
        self._renditions[name] = made
        return made

    @property
    def tracks(self) -> tuple[Track, ...]:
        """Tracks of the current epoch, best first; before the first, of the list recalled."""
        return self._epoch.tracks if self._epoch else self._tracks_before

    @property
    def renditions(self) -> Mapping[str, Rendition]:
        """Every rendition the run has had, by name."""
        return self._renditions

    @property
    def target_duration(self) -> int:
        """EXT-X-TARGETDURATION, seconds; 0 before the first epoch."""
        return self._targets.duration if self._targets else 0

    @property
    def part_target_ms(self) -> int:
        """PART-TARGET; 0 before the first epoch."""
        return self._targets.part_ms if self._targets else 0

    @property
    def next_msn(self) -> int:
        """The msn that no rendition has used: where the next window goes on."""
        used = [r.next_msn + (r.growing is not None) for r in self._renditions.values()]
        return max([self._first_msn, *used])

    @property
    def discontinuity_sequence(self) -> int:
        """The discontinuity number of the next epoch, in this window or the next."""
        return self._discontinuity

    @property
    def latest_pdt_ms(self) -> int | None:
        """End of the newest part in any rendition; None before the first."""
        return self._latest_pdt_ms

    @property
    def playable(self) -> bool:
        """There is media, or there was."""
        return self._latest_pdt_ms is not None

    @property
    def linger_ms(self) -> int:
        """How long an ended window is still owed to those who play it (6.2.1)."""
        listed = max((r.listed_ticks for r in self._renditions.values()), default=0)
        least_ms = 1000 * self.target_duration * (self._listed + 1)
        return max(least_ms, listed // TICKS_PER_MS + 1000 * self.target_duration)

    @property
    def date_ranges(self) -> tuple[DateRange, ...]:
        return self._ranges.all

    def version(self, rendition: str | None) -> int:
        """Number that grows whenever the playlist (None: the multivariant) may change."""
        if rendition is None:
            return self._shared_version + sum(r.next_msn for r in self._renditions.values())
        return self._shared_version + self._renditions[rendition].version

    def open_epoch(self, epoch: Epoch, most_hole_ms: int | None = None) -> None:
        """Close what is open and begin an epoch at the same msn in every rendition.

        A rendition without a track in it goes on as gaps. So does the hole behind gaps, of which
        at most `most_hole_ms` are listed: a longer one is a clock that was set, and its
        discontinuity says so. Raises WindowError.
        """
        self._judge(epoch)
        if self._targets is None:
            self._targets = Targets.of(epoch.part_target, epoch.segment_target)
            self._step.target_duration = self._targets.duration
        self._scribe.announced(self._targets)
        self._step.level()
        if self._lapsed:
            hole_ms = epoch.pdt_ms - (self._latest_pdt_ms or epoch.pdt_ms)
            if most_hole_ms is not None:
                hole_ms = min(hole_ms, max(most_hole_ms, self._lacking))
            self._skip(hole_ms)
            self._lapsed = False
        if self._epoch is None or self.next_msn > self._base_msn:
            self._number = self._discontinuity
            self._discontinuity += 1
        self._base_msn = self.next_msn
        self._epoch = epoch
        tracks = {track.name: track for track in epoch.tracks}
        for name in tracks:
            if name not in self._renditions:
                self._rendition(name, self._base_msn)
        for name, rendition in self._renditions.items():
            rendition.begin(tracks.get(name), self._epochs, self._number)
        self._epochs += 1
        self._step.begin()
        self._shared_version += 1

    def add(self, part: Part) -> None:
        """Publish a part. One of a segment already given up as a gap is dropped.

        Raises WindowError for a part that does not follow its rendition's last.
        """
        epoch, rendition = self._expect(part)
        msn = self._base_msn + part.segment
        if msn < rendition.next_msn:
            return
        if msn > rendition.next_msn + MOST_LACKING:
            raise WindowError(f"{part.rendition}: part leaps to msn {msn}")
        if part.index != (rendition.growing_parts if msn == rendition.next_msn else 0):
            raise WindowError(f"{part.rendition}: part {part.index} of msn {msn} out of order")
        pdt_ms = epoch.pdt_ms + _ms(part.start)
        if msn > rendition.next_msn:
            most_ms = 1000 * self.target_duration
            self._step.fill(rendition, msn, self._hole(epoch, rendition, pdt_ms), most_ms)
        if self.in_band is not None and (boxes := self.in_band.boxes(epoch, part)):
            part = replace(part, data=boxes + part.data)
        rendition.add(part, pdt_ms)
        end_ms = epoch.pdt_ms + _ms(part.start + part.duration)
        self._latest_pdt_ms = max(end_ms, self._latest_pdt_ms or end_ms)
        if part.last:
            self._step.finish(rendition)
            self._step.keep(msn)
            self._ranges.forget(self._earliest_ms())

    def lapse(self, now_ms: int) -> bool:
        """Fill the time in which no media came with gaps of a target duration each.

        A segment may be late by half a target duration (RFC 8216bis 6.2.1); then it is given up
        (EXT-X-GAP, 4.4.4.7), and one that has begun and gets no more parts is closed as it is.
        `now_ms` is on the axis of what is listed, by a clock that nobody sets. True when the
        playlists changed.
        """
        if self.ended or self._latest_pdt_ms is None:
            return False
        target = self.target_duration
        overdue_ms = now_ms - 1500 * target
        if self._latest_pdt_ms > overdue_ms:
            if now_ms - self._latest_pdt_ms < 1000 * target or not self._begun_by(overdue_ms):
                return False
            self._step.level()
            return True
        self._step.level()
        whole = (overdue_ms - self._latest_pdt_ms) // (1000 * target) + 1
        self._skip(whole * 1000 * target)
        self._lapsed = True
        self._ranges.forget(self._earliest_ms())
        return True

    def annotate(self, ranges: tuple[DateRange, ...]) -> None:
        """Add date ranges, or tell the end of those that had none.

        Ranges that ended before the window are left out; an ended window stays as it is.
        Raises WindowError when a value would change under an id.
        """
        before = self._ranges.all
        if not self.ended and self._ranges.tell(ranges, self._earliest_ms()):
            self._shared_version += 1
            if self.in_band is not None:
                self.in_band.tell(before, self._ranges.all, list(self._renditions))

    def close_segment(self) -> None:
        """Close what has begun as it is, in every rendition; the list stays open."""
        self._step.level()

    def end(self) -> None:
        """End every playlist at the same msn, every date range closed. Idempotent."""
        if self.ended:
            return
        self._step.level()
        self.ended = True
        self._ranges.close(self._latest_pdt_ms or 0)
        self._shared_version += 1

    def lose(self, name: str) -> None:
        """Take a segment off every list that the archive has lost, and all before it."""
        for msn in [s.msn for r in self._renditions.values() for s in r.segments if s.uri == name]:
            for rendition in self._renditions.values():
                rendition.drop(msn)
        self._ranges.forget(self._earliest_ms())

    def expire(self, now_ms: int) -> None:
        """Forget bodies no longer owed. Any clock that never goes back."""
        if self.ended:
            self._step.release()
        for rendition in self._renditions.values():
            rendition.expire(now_ms)

    def _skip(self, ms: int) -> None:
        """Append gaps of `ms` in sum, none longer than a target duration.

        After a recall they take all numbers before `first_msn`.
        """
        while ms > 0 and self._latest_pdt_ms is not None:
            lacking = self._lacking
            gap = min(ms, 1000 * self.target_duration, ms // lacking if lacking > 1 else ms)
            self._step.lapse(Span(self._latest_pdt_ms, gap * TICKS_PER_MS))
            self._latest_pdt_ms += gap
            ms -= gap

    @property
    def _lacking(self) -> int:
        """How many numbers lie between the list recalled and `first_msn`; below 1: none."""
        return self._first_msn - max(r.next_msn for r in self._renditions.values())

    def _begun_by(self, instant_ms: int) -> bool:
        """Tell whether a segment that still grows began so early."""
        growing = [each.growing for each in self._renditions.values() if each.growing is not None]
        return any(segment.pdt_ms <= instant_ms for segment in growing)

    def _judge(self, epoch: Epoch) -> None:
        if self.ended:
            raise WindowError("the window has ended")
        judge_epoch(epoch, self._targets)
        if self._latest_pdt_ms is None:
            return
        judge_start(epoch, self._latest_pdt_ms, self._renditions.values())
        if self._lapsed and epoch.pdt_ms - self._latest_pdt_ms < self._lacking:
            raise WindowError("there is no time for the numbers between the list and the epoch")

    def _expect(self, part: Part) -> tuple[Epoch, Rendition]:
        epoch = self._epoch
        if self.ended or epoch is None or part.epoch != epoch.number:
            raise WindowError(f"part of epoch {part.epoch}, which is not open")
        rendition = self._renditions.get(part.rendition)
        if rendition is None or rendition.track is None:
            raise WindowError(f"part of an unknown rendition {part.rendition!r}")
        judge_part(part)
        return epoch, rendition

    def _hole(self, epoch: Epoch, rendition: Rendition, until_ms: int) -> Span:
        """Span from the rendition's end, in this epoch, to a part that leaps ahead."""
        begin_ms = max(epoch.pdt_ms, rendition.end_ms or 0)
        return Span(begin_ms, max(until_ms - begin_ms, 0) * TICKS_PER_MS)

    def _earliest_ms(self) -> int | None:
        firsts = [r.segments[0].pdt_ms for r in self._renditions.values() if r.segments]
        return min(firsts, default=None)


def _ms(ticks: int) -> int:
    return (ticks + TICKS_PER_MS // 2) // TICKS_PER_MS
