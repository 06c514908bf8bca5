"""What an initialization section says of its tracks. Pure: standard library only.

ISO/IEC 14496-12 8.5.2 (sample entries), 14496-15 5.3.3 (avcC), 14496-14 5.6 (esds).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from server.lint.boxes import Box, BoxError, big, boxes, need

VISUAL_ENTRY = 78
"""Bytes of a visual sample entry before its boxes (12.1.3)."""
AUDIO_ENTRY = 28


@dataclass(frozen=True, slots=True)
class InitTrack:
    id: int
    timescale: int
    video: bool
    codec: str
    """RFC 6381, as far as it can be told: `avc1.64001f`, `mp4a.40.2`, else the four characters."""
    width: int = 0
    height: int = 0
    nal_length: int = 4
    """Bytes of a NAL unit's length in a sample."""


@dataclass(frozen=True, slots=True)
class Init:
    tracks: tuple[InitTrack, ...]
    trex: dict[int, dict[int, int]]
    """Defaults of each track, by the flag of tfhd that replaces them."""

    def track(self, number: int) -> InitTrack | None:
        return next((track for track in self.tracks if track.id == number), None)


def read_init(data: bytes) -> Init:
    """Read ftyp + moov. Raises BoxError."""
    found = {each.kind: each for each in boxes(data)}
    need("ftyp" in found and "moov" in found, "no ftyp and moov")
    moov = found["moov"]
    tracks = tuple(t for trak in moov.all("trak") if (t := _track(trak)) is not None)
    need(bool(tracks), "no track of picture or sound")
    return Init(tracks, dict(_trex(each.payload) for each in moov.all("mvex/trex")))


def _trex(payload: bytes) -> tuple[int, dict[int, int]]:
    """Read defaults in the order of 8.8.3.2."""
    description, duration, size, flags = (big(payload, at, 4) for at in (8, 12, 16, 20))
    return big(payload, 4, 4), {0x2: description, 0x8: duration, 0x10: size, 0x20: flags}


def _track(trak: Box) -> InitTrack | None:
    handler = trak.one("mdia/hdlr").payload[8:12]
    if handler not in (b"vide", b"soun"):
        return None
    tkhd, mdhd = trak.one("tkhd").payload, trak.one("mdia/mdhd").payload
    number = big(tkhd, 20 if tkhd[:1] == b"\1" else 12, 4)
    timescale = big(mdhd, 20 if mdhd[:1] == b"\1" else 12, 4)
    need(timescale > 0, "a timescale of 0")
    entries = boxes(trak.one("mdia/minf/stbl/stsd").payload[8:])
    need(bool(entries), "no sample entry")
    entry = entries[0]
    if handler == b"soun":
        return InitTrack(number, timescale, False, _audio_codec(entry))
    width, height = big(entry.payload, 24, 2), big(entry.payload, 26, 2)
    codec, length = _video_codec(entry)
    return InitTrack(number, timescale, True, codec, width, height, length)


def _video_codec(entry: Box) -> tuple[str, int]:
    inner = {each.kind: each.payload for each in boxes(entry.payload[VISUAL_ENTRY:])}
    if "avcC" in inner:
        avcc = inner["avcC"]
        return f"{entry.kind}.{avcc[1:4].hex()}", (big(avcc, 4, 1) & 3) + 1
    if "hvcC" in inner:
        return entry.kind, (big(inner["hvcC"], 21, 1) & 3) + 1
    return entry.kind, 4


def _audio_codec(entry: Box) -> str:
    if entry.kind != "mp4a":
        return entry.kind
    inner = {each.kind: each.payload for each in boxes(entry.payload[AUDIO_ENTRY:])}
    descriptors = dict(_descriptors(inner.get("esds", b"")[4:]))
    kind = descriptors.get(4, b"\0")[:1].hex()
    config = descriptors.get(5)
    return f"mp4a.{kind}.{config[0] >> 3}" if config else f"mp4a.{kind}"


def _descriptors(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Read nested descriptors (14496-1 7.2.6): the stream's, its decoder's, the decoder's own."""
    heads = {3: 3, 4: 13, 5: 0}
    while len(data) > 2 and data[0] in heads:
        tag, size, at = data[0], 0, 1
        while at < min(len(data), 5):
            size, more = size << 7 | data[at] & 0x7F, data[at] & 0x80
            at += 1
            if not more:
                break
        if size > len(data) - at:
            raise BoxError("a descriptor of esds is cut off")
        yield tag, data[at : at + size]
        data = data[at + heads[tag] : at + size]
