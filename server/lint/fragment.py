"""What one fetched part or segment holds, boiled down. Pure: standard library only."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from fractions import Fraction

from server.lint.boxes import Box, BoxError, ReadRun, big, boxes, runs
from server.lint.init import Init, InitTrack

ID3_SCHEME = "https://aomedia.org/emsg/ID3"
_BESIDE = frozenset(("styp", "sidx", "prft", "emsg", "free", "skip"))
"""Boxes that may stand before a moof (CMAF 7.3.2)."""
_IDR = 5
_HEVC_RANDOM_ACCESS = range(16, 22)


@dataclass(frozen=True, slots=True)
class Event:
    """An emsg box."""

    version: int
    scheme: str
    time: Fraction | None
    """Presentation time, seconds; None in version 0, which tells a difference."""
    size: int
    """Bytes of its message."""


@dataclass(frozen=True, slots=True)
class TrackRun:
    """The samples of one track in a part or segment."""

    track: InitTrack
    begin: Fraction
    """Decoding time of the first sample, seconds."""
    duration: Fraction
    count: int
    opens: bool
    """The first sample is one to begin with: an IDR where the codec is known, else a sync one."""
    opens_later: bool
    """A sample behind the first is a sync one."""
    digest: bytes
    """Of the samples' bytes."""

    @property
    def end(self) -> Fraction:
        return self.begin + self.duration


@dataclass(frozen=True, slots=True)
class Chunk:
    size: int
    digest: bytes
    runs: tuple[TrackRun, ...]
    fragments: int
    """Pairs of moof and mdat."""
    events: tuple[Event, ...]

    @property
    def main(self) -> TrackRun | None:
        """The picture's run, the sound's where there is none."""
        return next((run for run in self.runs if run.track.video), next(iter(self.runs), None))


def read_chunk(data: bytes, init: Init) -> Chunk:
    """Read a part or a segment: moof and mdat in a row. Raises BoxError."""
    pieces: list[bytes] = []
    events: list[Event] = []
    opened: int | None = None
    for each in boxes(data):
        begin, end = each.offset, _end(data, each)
        if each.kind == "moof":
            opened = begin
        elif each.kind == "mdat" and opened is not None:
            pieces.append(data[opened:end])
            opened = None
        elif each.kind == "emsg" and opened is None:
            events.append(_event(each.payload))
        elif each.kind not in _BESIDE or opened is not None:
            raise BoxError(f"a {each.kind!r} box where moof and mdat should be")
    if opened is not None or not pieces:
        raise BoxError("no whole pair of moof and mdat")
    read = [run for piece in pieces for run in runs(piece, init.trex)]
    merged = tuple(_merge(track, read) for track in init.tracks if _has(track, read))
    return Chunk(len(data), hashlib.sha256(data).digest(), merged, len(pieces), tuple(events))


def _end(data: bytes, box: Box) -> int:
    size = big(data, box.offset, 4)
    return box.offset + (big(data, box.offset + 8, 8) if size == 1 else size)


def _has(track: InitTrack, read: list[ReadRun]) -> bool:
    return any(run.track == track.id and run.samples for run in read)


def _merge(track: InitTrack, read: list[ReadRun]) -> TrackRun:
    own = [run for run in read if run.track == track.id and run.samples]
    samples = [sample for run in own for sample in run.samples]
    digest = hashlib.sha256()
    for sample in samples:
        digest.update(sample.data)
    first = samples[0]
    return TrackRun(
        track=track,
        begin=Fraction(own[0].decode_time, track.timescale),
        duration=Fraction(sum(sample.duration for sample in samples), track.timescale),
        count=len(samples),
        opens=first.sync and _is_random_access(track, first.data),
        opens_later=track.video and any(sample.sync for sample in samples[1:]),
        digest=digest.digest(),
    )


def _is_random_access(track: InitTrack, sample: bytes) -> bool:
    """Tell whether an H.264 or H.265 sample is an IDR; of other codecs nothing is known."""
    if not track.video or not track.codec.startswith(("avc", "hvc", "hev")):
        return True
    position, length = 0, track.nal_length
    while position + length < len(sample):
        size = int.from_bytes(sample[position : position + length], "big")
        head = sample[position + length]
        position += length + size
        if track.codec.startswith("avc"):
            if head & 0x1F == _IDR:
                return True
        elif (head >> 1) & 0x3F in _HEVC_RANDOM_ACCESS:
            return True
    return False


def _event(payload: bytes) -> Event:
    """Read an emsg (ISO/IEC 23009-1 5.10.3.3)."""
    version = big(payload, 0, 1)
    if version != 1:
        scheme = payload[4:].partition(b"\0")[0]
        return Event(version, scheme.decode("latin-1"), None, len(payload))
    timescale, at = big(payload, 4, 4), big(payload, 8, 8)
    scheme, _, rest = payload[24:].partition(b"\0")
    message = rest.partition(b"\0")[2]
    time = Fraction(at, timescale) if timescale else None
    return Event(1, scheme.decode("latin-1"), time, len(message))
