"""A recording as a value: what was on the air, segment by segment, in every rendition alike.

Pure: standard library and values only. Durations are 90 kHz ticks, instants UTC milliseconds on
the PDT axis. What the disk did not take, or a rendition did not have, is a gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from ingest.unit import TICKS_PER_MS, TICKS_PER_SECOND
from server.hls.playlist import DateRange
from server.hls.targets import Targets
from server.record.storage import home

LEAST_HOLE = TICKS_PER_SECOND // 5
"""Ticks. Segments are measured to a frame of their rendition; less than this is no hole."""


def end_of(pdt_ms: int, duration: int) -> int:
    """Return when `duration` ticks from `pdt_ms` on are over."""
    return pdt_ms + (duration + TICKS_PER_MS // 2) // TICKS_PER_MS


@dataclass(frozen=True, slots=True)
class RecordedTrack:
    """A rendition in one epoch, as the multivariant playlist describes it."""

    name: str
    codecs: str
    """RFC 6381, comma separated."""
    bandwidth: int
    """Expected peak bit/s."""
    width: int
    """0 x 0: audio only."""
    height: int
    frame_rate: Fraction | None
    init: str
    """Name of its initialization section."""


@dataclass(frozen=True, slots=True)
class RecordedEpoch:
    """One unbroken timestamp line; the next begins with a discontinuity."""

    number: int
    """0, 1, 2 ... within the recording."""
    pdt_ms: int
    """Where its media begins, recorded or not."""
    tracks: tuple[RecordedTrack, ...]
    """Best first, audio only last."""
    media_before_ms: int | None = None
    """Where the media of the epoch before ended, recorded or not; None: not known."""
    targets: Targets | None = None
    """What the live playlists announced; None: not known, in journals of older servers."""

    def track(self, rendition: str) -> RecordedTrack | None:
        return next((track for track in self.tracks if track.name == rendition), None)


@dataclass(frozen=True, slots=True)
class Listed:
    """How a live playlist had a segment."""

    number: int
    """Discontinuity number."""
    discontinuity: bool
    """It had the tag."""
    first_msn: int = 0
    """Where the list began when the segment was whole."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a segment lies, in every rendition alike."""

    epoch: int
    msn: int
    """As on the live path; a channel's numbers only grow, but may leap."""
    name: str
    pdt_ms: int
    duration: int
    listed: Listed | None = None
    """Only to go on with the live playlist; None: not known."""

    @property
    def end_ms(self) -> int:
        return end_of(self.pdt_ms, self.duration)


@dataclass(frozen=True, slots=True)
class RecordedSegment:
    """One segment of one rendition, as a replay playlist lists it."""

    epoch: int
    msn: int
    name: str
    """Its file, and its last step in the URL, as on the live path. A gap's name has no file."""
    init: str | None
    """Name of its initialization section; None: the rendition has none in this epoch."""
    pdt_ms: int
    duration: int
    size: int
    """Bytes; 0: a gap."""
    discontinuity: bool
    """First of its epoch, but not of the recording."""

    @property
    def gap(self) -> bool:
        return self.size == 0

    @property
    def end_ms(self) -> int:
        return end_of(self.pdt_ms, self.duration)


@dataclass(frozen=True, slots=True)
class Recording:
    """One session as it is stored. Every rendition has the same number of segments."""

    channel: str
    session: str
    title: str
    """The channel's, when it was on the air."""
    started_ms: int
    """PDT of the first picture."""
    ended_ms: int | None
    """None: still on the air, or its server died and it was not yet gone on with."""
    epochs: tuple[RecordedEpoch, ...]
    renditions: Mapping[str, tuple[RecordedSegment, ...]]
    """By name, best first, audio only last."""
    ranges: tuple[DateRange, ...] = ()
    """All of the session's date ranges, closed once it has ended."""

    @property
    def target_duration(self) -> int:
        """EXT-X-TARGETDURATION of every replay playlist, seconds."""
        return _target_duration(each.duration for some in self.renditions.values() for each in some)

    @property
    def playable(self) -> bool:
        return any(not each.gap for segments in self.renditions.values() for each in segments)

    @property
    def count(self) -> int:
        """Segments of all renditions."""
        return sum(map(len, self.renditions.values()))

    @property
    def size(self) -> int:
        """Bytes of all segments."""
        return sum(each.size for segments in self.renditions.values() for each in segments)

    @property
    def duration_ms(self) -> int:
        """What a replay plays, gaps included."""
        longest = max(
            (sum(each.duration for each in some) for some in self.renditions.values()), default=0
        )
        return longest // TICKS_PER_MS

    @property
    def gaps(self) -> int:
        """Segments that no rendition has."""
        rows = zip(*self.renditions.values(), strict=True)
        return sum(all(each.gap for each in row) for row in rows)

    def track(self, rendition: str) -> RecordedTrack | None:
        """Return the rendition as it was in the epoch that has most of it."""
        lengths: dict[int, int] = {}
        for each in self.renditions.get(rendition, ()):
            if not each.gap:
                lengths[each.epoch] = lengths.get(each.epoch, 0) + each.duration
        best = max(lengths, key=lambda number: lengths[number], default=None)
        return None if best is None else self.epochs[best].track(rendition)

    def segment(self, rendition: str, name: str) -> RecordedSegment | None:
        """Find a segment that is there by its name."""
        some = self.renditions.get(rendition, ())
        return next((each for each in some if each.name == name and not each.gap), None)

    def during(self, rendition: str, since_ms: int, until_ms: int) -> tuple[RecordedSegment, ...]:
        """Return the segments that are there and overlap [since, until) on the PDT axis."""
        return tuple(
            each
            for each in self.renditions.get(rendition, ())
            if not each.gap and each.pdt_ms < until_ms and each.end_ms > since_ms
        )

    def key(self, rendition: str, name: str) -> str:
        """Return the storage key of a segment or an initialization section."""
        return f"{home(self.channel, self.session)}/{rendition}/{name}"


@dataclass(frozen=True, slots=True)
class Kept:
    """A segment that is on disk, or the parts of one that a crash broke off."""

    rendition: str
    slot: Slot
    size: int


def lay_out(
    epochs: tuple[RecordedEpoch, ...], kept: Mapping[tuple[str, int, int], Kept], end_ms: int | None
) -> dict[str, tuple[RecordedSegment, ...]]:
    """Lay what is kept, by (rendition, epoch, msn), on one grid; what lacks is a gap.

    `end_ms`: where the last epoch's media ended; None: where what is kept of it does.
    """
    by_epoch: dict[int, dict[int, Slot]] = {epoch.number: {} for epoch in epochs}
    for one in kept.values():
        by_epoch[one.slot.epoch].setdefault(one.slot.msn, one.slot)
    most = _target_duration(one.slot.duration for one in kept.values()) * TICKS_PER_SECOND
    laid: dict[str, list[RecordedSegment]] = {name: [] for name in _names(epochs)}
    ends = [*(epoch.media_before_ms for epoch in epochs[1:]), end_ms]
    for epoch, until_ms in zip(epochs, ends, strict=False):
        slots = tuple(_filled(epoch, by_epoch[epoch.number], until_ms, most))
        for name, segments in laid.items():
            track = epoch.track(name)
            for position, slot in enumerate(slots):
                found = kept.get((name, slot.epoch, slot.msn))
                first = position == 0 and bool(segments)
                segments.append(_segment(slot, found, track.init if track else None, first))
    return {name: tuple(segments) for name, segments in laid.items()}


def _names(epochs: tuple[RecordedEpoch, ...]) -> list[str]:
    """Name the renditions, best first, audio only last."""
    tracks = {track.name: track for epoch in epochs for track in epoch.tracks}
    return sorted(
        tracks,
        key=lambda name: (-tracks[name].width * tracks[name].height, -tracks[name].bandwidth),
    )


def _target_duration(durations: Iterable[int]) -> int:
    """Return the least target duration, in seconds, that segments so long round to."""
    longest = max(durations, default=0)
    return max(1, (2 * longest + TICKS_PER_SECOND) // (2 * TICKS_PER_SECOND))


def _segment(
    slot: Slot, one: Kept | None, init: str | None, discontinuity: bool
) -> RecordedSegment:
    where = one.slot if one is not None else slot
    return RecordedSegment(
        epoch=slot.epoch,
        msn=slot.msn,
        name=where.name,
        init=init,
        pdt_ms=where.pdt_ms,
        duration=where.duration,
        size=one.size if one is not None else 0,
        discontinuity=discontinuity,
    )


def _filled(
    epoch: RecordedEpoch, slots: Mapping[int, Slot], until_ms: int | None, most: int
) -> Iterator[Slot]:
    """Give an epoch's slots with the time between them filled; nothing where it has none."""
    reached_ms, after = epoch.pdt_ms, 0
    for msn in sorted(slots):
        slot = slots[msn]
        yield from _hole(epoch.number, (reached_ms, slot.pdt_ms), after, most)
        yield slot
        reached_ms, after = slot.end_ms, msn
    if until_ms is not None and slots:
        yield from _hole(epoch.number, (reached_ms, until_ms), after, most)


def _hole(epoch: int, span: tuple[int, int], after: int, most: int) -> Iterator[Slot]:
    """Share a hole out among slots of at most `most` ticks; a frame or two is none."""
    since_ms, until_ms = span
    missing = (until_ms - since_ms) * TICKS_PER_MS
    if missing < LEAST_HOLE:
        return
    count = -(-missing // most)
    for position in range(count):
        begin = position * missing // count
        length = (position + 1) * missing // count - begin
        name = f"gap-{epoch}-{after}-{position}.m4s"
        yield Slot(epoch, -1 - position, name, since_ms + begin // TICKS_PER_MS, length)
