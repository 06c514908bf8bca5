"""Reads back what fmp4 wrote: the tracks of an initialization section, the samples of a segment.

Pure. Sources: ISO/IEC 14496-12 (boxes, cited by clause). Only what the writer uses is read: one
trun a traf, offsets from the moof, no encryption. Anything else is MediaError, never a guess.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct, error
from typing import NamedTuple

from transcode.errors import MediaError

_HEAD = Struct(">I4s")
_U32 = Struct(">I")
_U64 = Struct(">Q")
_NON_SYNC = 0x1_0000
"""sample_is_non_sync_sample (8.8.3.1)."""
_FIELDS = (0x100, 0x200, 0x400, 0x800)
"""Per-sample fields of trun in their order: duration, size, flags, composition offset."""


@dataclass(frozen=True, slots=True)
class TrackHead:
    """A track as its initialization section describes it."""

    id: int
    handler: bytes
    """`vide` or `soun` (8.4.3)."""
    timescale: int
    width: int
    """Of the picture in pixels; 0 for sound."""
    height: int
    entry: bytes
    """Its sample entry (8.5.2), the whole box: what a decoder needs to know."""


class Chunk(NamedTuple):
    """Samples of one track that lie in a row (one trun). A tuple: one is made for every part."""

    track: int
    time: int
    """Decoding time of the first sample, in the track's timescale, from the start of the epoch."""
    offset: int
    """Of the first sample's bytes in the segment."""
    sizes: array[int]
    durations: array[int]
    syncs: tuple[int, ...]
    """Which samples are sync samples, counted from 0."""
    composition: array[int] | None
    """Presentation minus decoding time of each; None: all 0."""


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Give the kind, the first byte of the content and the end of each box (4.2).

    Raises MediaError for a box that runs past the end.
    """
    end = len(data) if end is None else end
    while start < end:
        if end - start < _HEAD.size:
            raise MediaError("a box is cut off")
        size, kind = _HEAD.unpack_from(data, start)
        if size < _HEAD.size or start + size > end:
            raise MediaError(f"box {kind!r} of {size} bytes does not fit")
        yield kind, start + _HEAD.size, start + size
        start += size


def first_fragment(segment: bytes) -> bytes:
    """Cut a segment after its first moof and mdat: its first part. Raises MediaError."""
    for kind, _, end in boxes(segment):
        if kind == b"mdat":
            return segment[:end]
    raise MediaError("a segment without media")


def read_init(init: bytes) -> tuple[TrackHead, ...]:
    """Read the tracks of an initialization section. Raises MediaError."""
    try:
        inner = _inside(init, b"moov")
        heads = tuple(_track(init, begin, end) for kind, begin, end in inner if kind == b"trak")
    except error as damage:
        raise MediaError("an initialization section that is cut off") from damage
    if not heads:
        raise MediaError("an initialization section without tracks")
    return heads


def read_chunks(segment: bytes) -> Iterator[Chunk]:
    """Give the samples of every moof in a segment, part by part. Raises MediaError."""
    for kind, start, end in boxes(segment):
        if kind != b"moof":
            continue
        for inner, begin, stop in boxes(segment, start, end):
            if inner == b"traf":
                try:
                    yield _chunk(segment, start - _HEAD.size, begin, stop)
                except error as damage:
                    raise MediaError("a fragment that is cut off") from damage


def first_sample(segment: bytes, track: int) -> bytes:
    """Give the first sample of a track in a segment. Raises MediaError."""
    for chunk in read_chunks(segment):
        if chunk.track == track and chunk.sizes:
            return segment[chunk.offset : chunk.offset + chunk.sizes[0]]
    raise MediaError(f"a segment without samples of track {track}")


def _inside(
    data: bytes, *path: bytes, start: int = 0, end: int | None = None
) -> list[tuple[bytes, int, int]]:
    """Give the boxes within the first box at `path`, as `boxes` does."""
    found = list(boxes(data, start, end))
    for step in path:
        inner = next(((begin, stop) for kind, begin, stop in found if kind == step), None)
        if inner is None:
            raise MediaError(f"no box {step!r}")
        found = list(boxes(data, *inner))
    return found


def _track(data: bytes, start: int, end: int) -> TrackHead:
    trak = {kind: (begin, stop) for kind, begin, stop in boxes(data, start, end)}
    mdia = {kind: begin for kind, begin, _ in _inside(data, b"mdia", start=start, end=end)}
    path = (b"mdia", b"minf", b"stbl")
    inner = _inside(data, *path, start=start, end=end)
    stbl = {kind: (begin, stop) for kind, begin, stop in inner}
    if b"tkhd" not in trak or not {b"mdhd", b"hdlr"} <= mdia.keys() or b"stsd" not in stbl:
        raise MediaError("a track without its headers")
    begin, stop = trak[b"tkhd"]
    entries = stbl[b"stsd"]
    _, entry, entry_end = next(boxes(data, entries[0] + 8, entries[1]), (b"", 0, 0))
    if not entry:
        raise MediaError("a track without a sample entry")
    at = begin + (20 if data[begin] else 12)
    return TrackHead(
        id=_U32.unpack_from(data, at)[0],
        handler=data[mdia[b"hdlr"] + 8 : mdia[b"hdlr"] + 12],
        timescale=_U32.unpack_from(data, mdia[b"mdhd"] + (20 if data[mdia[b"mdhd"]] else 12))[0],
        # 16.16, the last fields of the box (8.3.2).
        width=_U32.unpack_from(data, stop - 8)[0] >> 16,
        height=_U32.unpack_from(data, stop - 4)[0] >> 16,
        entry=data[entry - _HEAD.size : entry_end],
    )


def _chunk(data: bytes, moof: int, start: int, end: int) -> Chunk:
    traf = {kind: begin for kind, begin, _ in boxes(data, start, end)}
    if not {b"tfhd", b"tfdt", b"trun"} <= traf.keys():
        raise MediaError("a fragment without its headers")
    track, duration, size, flags = _defaults(data, traf[b"tfhd"])
    tfdt, at = traf[b"tfdt"], traf[b"trun"]
    time = (_U64 if data[tfdt] else _U32).unpack_from(data, tfdt + 4)[0]
    told = _U32.unpack_from(data, at)[0] & 0xFF_FFFF
    count, offset = _U32.unpack_from(data, at + 4)[0], _U32.unpack_from(data, at + 8)[0]
    at += 12
    if count > len(data):
        raise MediaError("a fragment with more samples than bytes")
    if not told & 1:
        raise MediaError("a fragment without the place of its data")
    leads = _U32.unpack_from(data, at)[0] if told & 4 else None
    columns = _columns(data, at + (4 if told & 4 else 0), count, told)
    sizes = columns.get(0x200) or array("I", [size]) * count
    each = columns.get(0x400)
    marks = list(each) if each is not None else [flags] * count
    if leads is not None and marks:
        marks[0] = leads
    if moof + offset + sum(sizes) > len(data):
        raise MediaError("samples that run past the end of their segment")
    late = columns.get(0x800)
    return Chunk(
        track=track,
        time=time,
        offset=moof + offset,
        sizes=sizes,
        durations=columns.get(0x100) or array("I", [duration]) * count,
        syncs=tuple(n for n, mark in enumerate(marks) if not mark & _NON_SYNC),
        composition=None if late is None else array("i", late.tobytes()),
    )


def _defaults(data: bytes, at: int) -> tuple[int, int, int, int]:
    """Read tfhd (8.8.7): track, and what samples have that tell nothing else."""
    told = _U32.unpack_from(data, at)[0] & 0xFF_FFFF
    track = _U32.unpack_from(data, at + 4)[0]
    found = {0x08: 0, 0x10: 0, 0x20: 0}
    at += 8 + (8 if told & 0x1 else 0) + (4 if told & 0x2 else 0)
    for flag in found:
        if told & flag:
            found[flag] = _U32.unpack_from(data, at)[0]
            at += 4
    return track, found[0x08], found[0x10], found[0x20]


def _columns(data: bytes, at: int, count: int, told: int) -> dict[int, array[int]]:
    """Read the per-sample fields of a trun (8.8.8.2), each as a column."""
    fields = [flag for flag in _FIELDS if told & flag]
    size = 4 * count * len(fields)
    if at + size > len(data):
        raise MediaError("a fragment that is cut off")
    table = array("I", data[at : at + size])
    if sys.byteorder == "little":
        table.byteswap()
    return {flag: table[n :: len(fields)] for n, flag in enumerate(fields)}
