"""The journal of a recording: one JSON object a line, appended as things come. Pure.

A line counts once its newline is there, so what a crash tore off is cut and nothing else is lost.
Segments that are whole have a line in the journal. Of those that are growing a second file, the
tail, has a line for each part, which says how far their files are good; it is begun anew now and
then. Lines of unknown kinds are passed over.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from typing import Any

from server.hls.playlist import DateRange
from server.hls.targets import Targets
from server.record.errors import BadJournal
from server.record.recording import (
    Kept,
    Listed,
    RecordedEpoch,
    RecordedTrack,
    Recording,
    Slot,
    lay_out,
)

VERSION = 1
Place = tuple[str, int, int]
"""Rendition, epoch, msn."""


@dataclass(frozen=True, slots=True)
class Head:
    channel: str
    session: str
    title: str
    started_ms: int


@dataclass(frozen=True, slots=True)
class End:
    ended_ms: int
    media_end_ms: int | None
    """Where the last epoch's media ended, recorded or not."""


@dataclass(frozen=True, slots=True)
class PartNote:
    """That a growing segment is good for `size` more bytes."""

    rendition: str
    slot: Slot
    """The segment's; `duration` is the part's."""
    size: int


@dataclass(frozen=True, slots=True)
class Lapse:
    """That the live playlist of a rendition has a gap in a slot: nobody had media for it."""

    rendition: str
    slot: Slot
    """Its epoch says nothing."""


Note = Head | RecordedEpoch | Kept | PartNote | Lapse | DateRange | End


def line(note: Note) -> bytes:
    """Marshal one line."""
    fields: dict[str, object]
    match note:
        case Head():
            fields = {"kind": "recording", "version": VERSION, **asdict(note)}
        case RecordedEpoch():
            tracks = [_track_fields(track) for track in note.tracks]
            fields = {"kind": "epoch", **asdict(note), "tracks": tracks}
        case Kept():
            fields = {"kind": "segment", **_slot_fields(note)}
        case PartNote():
            fields = {"kind": "part", **_slot_fields(note)}
        case Lapse():
            fields = {"kind": "gap", **_slot_fields(note)}
        case DateRange():
            fields = {"kind": "range", **asdict(note)}
        case End():
            fields = {"kind": "end", **asdict(note)}
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


@dataclass(slots=True)
class Ledger:
    """What a journal says, line after line."""

    head: Head | None = None
    epochs: list[RecordedEpoch] = field(default_factory=list)
    kept: dict[Place, Kept] = field(default_factory=dict)
    growing: dict[Place, Kept] = field(default_factory=dict)
    """Segments without a line of their own, as far as their parts are good."""
    lapses: list[Lapse] = field(default_factory=list)
    ranges: dict[str, DateRange] = field(default_factory=dict)
    end: End | None = None
    good: int = 0
    """Bytes of whole lines that could be read."""

    def take(self, note: Note) -> None:
        match note:
            case Head():
                self.head = note
            case RecordedEpoch():
                self.epochs.append(note)
            case Kept():
                place = _place(note)
                self.kept[place] = note
                self.growing.pop(place, None)
            case PartNote():
                self._grow(note)
            case Lapse():
                self.lapses.append(note)
            case DateRange():
                self.ranges[note.id] = note
            case End():
                self.end = note

    def _grow(self, note: PartNote) -> None:
        place = (note.rendition, note.slot.epoch, note.slot.msn)
        if place in self.kept:
            return
        before = self.growing.get(place)
        if before is None:
            self.growing[place] = Kept(note.rendition, note.slot, note.size)
        else:
            longer = replace(before.slot, duration=before.slot.duration + note.slot.duration)
            self.growing[place] = Kept(note.rendition, longer, before.size + note.size)

    def settle(self, sizes: Mapping[Place, int]) -> tuple[tuple[Kept, ...], bool]:
        """Keep what the files have: `sizes` by place, of growing segments and of whole ones.

        A growing segment whose file is at least as long as its parts becomes a segment, cut
        there: these are returned. One whose file is shorter, or gone, was lost; the second
        value tells whether that befell any that the journal calls whole.
        """
        grown = {
            place: one for place, one in self.growing.items() if sizes.get(place, -1) >= one.size
        }
        there = {
            place: one for place, one in self.kept.items() if sizes.get(place, one.size) >= one.size
        }
        lost = len(there) < len(self.kept)
        self.kept = there | grown
        self.growing.clear()
        return tuple(grown.values()), lost

    def lines(self) -> Iterator[bytes]:
        """Marshal what stands, without what was passed on the way."""
        if self.head is not None:
            yield line(self.head)
        yield from map(line, self.epochs)
        yield from map(line, self.kept.values())
        yield from map(line, self.lapses)
        yield from map(line, self.ranges.values())
        if self.end is not None:
            yield line(self.end)

    def recording(self) -> Recording:
        """Make the value. Raises BadJournal for one without its beginning."""
        if self.head is None:
            raise BadJournal("The journal has no beginning.")
        epochs = tuple(self.epochs)
        numbers = {epoch.number for epoch in epochs}
        known = {place: one for place, one in self.kept.items() if place[1] in numbers}
        return Recording(
            channel=self.head.channel,
            session=self.head.session,
            title=self.head.title,
            started_ms=self.head.started_ms,
            ended_ms=self.end.ended_ms if self.end else None,
            epochs=epochs,
            renditions=lay_out(epochs, known, self.end.media_end_ms if self.end else None),
            ranges=self._ranges(),
        )

    def _ranges(self) -> tuple[DateRange, ...]:
        """Give the date ranges; when the session has ended, each with its end."""
        told = tuple(self.ranges.values())
        if self.end is None:
            return told
        end_ms = self.end.ended_ms
        return tuple(
            each if each.end_ms is not None else each.closed(end_ms)
            for each in told
            if each.start_ms < end_ms
        )


def read(data: bytes, tail: bytes = b"") -> Ledger:
    """Read a journal, and its tail, as far as they are good.

    Raises BadJournal when it is none of ours.
    """
    ledger = Ledger()
    for note, size in _notes(data):
        if note is not None:
            ledger.take(note)
        ledger.good += size
    if ledger.head is None and data[: data.rfind(b"\n") + 1].strip(b"\0\n"):
        raise BadJournal("This is no journal of a recording.")
    for note, _ in _notes(tail):
        if isinstance(note, PartNote):
            ledger.take(note)
    return ledger


def _notes(data: bytes) -> Iterator[tuple[Note | None, int]]:
    """Read line by line, up to the first that is torn or no JSON object."""
    begin = 0
    while (end := data.find(b"\n", begin)) >= 0:
        try:
            fields = json.loads(data[begin:end], parse_float=_refuse, parse_constant=_refuse)
            note = _note(fields)
        except (ValueError, KeyError, TypeError, AttributeError):
            return
        yield note, end + 1 - begin
        begin = end + 1


def _refuse(number: str) -> float:
    """Take no fraction: none is ever written. Raises ValueError."""
    raise ValueError(f"{number} is no integer")


def _note(fields: dict[str, Any]) -> Note | None:
    match fields.pop("kind"):
        case "recording":
            if fields.pop("version") > VERSION:
                raise BadJournal("The journal is of a later version of Vitrine.")
            return Head(**fields)
        case "epoch":
            fields["tracks"] = tuple(_track(each) for each in fields["tracks"])
            told = fields.pop("targets", None)
            fields["targets"] = Targets(**told) if told else None
            return RecordedEpoch(**fields)
        case "segment":
            return Kept(fields["rendition"], _slot(fields), fields["size"])
        case "part":
            return PartNote(fields["rendition"], _slot(fields), fields["size"])
        case "gap":
            return Lapse(fields["rendition"], _slot(fields))
        case "range":
            fields["attributes"] = tuple((name, value) for name, value in fields["attributes"])
            return DateRange(**fields)
        case "end":
            return End(**fields)
    return None


def _place(one: Kept) -> Place:
    return one.rendition, one.slot.epoch, one.slot.msn


def _slot_fields(note: Kept | PartNote | Lapse) -> dict[str, object]:
    fields = {"rendition": note.rendition, **asdict(note.slot)}
    if note.slot.listed is None:
        del fields["listed"]
    return fields if isinstance(note, Lapse) else {**fields, "size": note.size}


def _slot(fields: Mapping[str, Any]) -> Slot:
    listed = fields.get("listed")
    return Slot(
        epoch=fields["epoch"],
        msn=fields["msn"],
        name=fields["name"],
        pdt_ms=fields["pdt_ms"],
        duration=fields["duration"],
        listed=Listed(**listed) if listed else None,
    )


def _track_fields(track: RecordedTrack) -> dict[str, object]:
    rate = track.frame_rate
    return {**asdict(track), "frame_rate": None if rate is None else str(rate)}


def _track(fields: dict[str, Any]) -> RecordedTrack:
    rate = fields.pop("frame_rate")
    return RecordedTrack(**fields, frame_rate=None if rate is None else Fraction(rate))
