"""Reads MP4 boxes, straight from ISO/IEC 14496-12; shares no code with the writer.

Pure: standard library only. Only what fragmented MP4 for HLS may hold: offsets from the moof.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

CONTAINERS = {"moov", "trak", "mdia", "minf", "dinf", "stbl", "mvex", "moof", "traf"}


DEEPEST = 12
MOST_SAMPLES = 65_536
"""Of one trun."""


class BoxError(ValueError):
    """The bytes are no such boxes."""


def need(good: bool, what: str) -> None:
    """Raise BoxError unless `good`."""
    if not good:
        raise BoxError(what)


@dataclass(frozen=True)
class Box:
    kind: str
    offset: int
    """Of the box in the file."""
    payload: bytes
    children: tuple[Box, ...] = ()

    def all(self, path: str) -> list[Box]:
        """Give the boxes at a path such as `traf/trun`."""
        first, _, rest = path.partition("/")
        found = [child for child in self.children if child.kind == first]
        return [deep for child in found for deep in child.all(rest)] if rest else found

    def one(self, path: str) -> Box:
        """Give the only box at a path. Raises BoxError."""
        found = self.all(path)
        need(len(found) == 1, f"{len(found)} of {path} in {self.kind}")
        return found[0]


@dataclass(frozen=True)
class ReadSample:
    data: bytes
    duration: int
    sync: bool
    cts: int


@dataclass(frozen=True)
class ReadRun:
    track: int
    decode_time: int
    samples: list[ReadSample] = field(default_factory=list)

    @property
    def duration(self) -> int:
        return sum(sample.duration for sample in self.samples)


def boxes(data: bytes, offset: int = 0, depth: int = 0) -> list[Box]:
    """Read the boxes that fill `data`. Raises BoxError when one runs past the end."""
    need(depth <= DEEPEST, "boxes within boxes without end")
    found = []
    position = 0
    while position < len(data):
        size, head = big(data, position, 4), 8
        kind = data[position + 4 : position + 8].decode("latin-1")
        if size == 1:
            size, head = big(data, position + 8, 8), 16
        need(head <= size <= len(data) - position, f"the box {kind!r} of {size} bytes")
        payload = data[position + head : position + size]
        at = offset + position + head
        inner = boxes(payload, at, depth + 1) if kind in CONTAINERS else []
        found.append(Box(kind, offset + position, payload, tuple(inner)))
        position += size
    return found


def runs(fragment: bytes, trex: dict[int, dict[int, int]] | None = None) -> list[ReadRun]:
    """Read one moof + mdat into the samples of each track, data by the offsets told.

    `trex` are the defaults of each track as in the moov, by the flag of tfhd that would
    replace them. Raises BoxError.
    """
    found = boxes(fragment)
    kinds = " ".join(each.kind for each in found)
    need(kinds == "moof mdat", f"not one moof and one mdat, but: {kinds}")
    moof, mdat = found
    read = [_run(traf, fragment, moof.offset, trex or {}) for traf in moof.all("traf")]
    stored = b"".join(sample.data for run in read for sample in run.samples)
    need(stored == mdat.payload, "mdat holds something else than the samples")
    return read


def _run(traf: Box, fragment: bytes, base: int, trex: dict[int, dict[int, int]]) -> ReadRun:
    tfhd = traf.one("tfhd").payload
    flags, track = big(tfhd, 0, 4) & 0xFFFFFF, big(tfhd, 4, 4)
    need(bool(flags & 0x020000), "offsets are not from the moof (default-base-is-moof)")
    need(not flags & 0x000001, "a base-data-offset in tfhd")
    fields = trex.get(track, {}) | _fields(tfhd, 8, flags, (0x2, 0x8, 0x10, 0x20))
    tfdt = traf.one("tfdt").payload
    decode_time = big(tfdt, 4, 8 if tfdt[:1] == b"\1" else 4)
    truns = traf.all("trun")
    samples = [each for t in truns for each in _samples(t.payload, fields, fragment, base)]
    return ReadRun(track, decode_time, samples)


def _fields(payload: bytes, position: int, flags: int, known: tuple[int, ...]) -> dict[int, int]:
    found = {}
    for bit in known:
        if flags & bit:
            found[bit] = big(payload, position, 4)
            position += 4
    need(position == len(payload), "tfhd has bytes that no flag tells of")
    return found


def _samples(
    trun: bytes, defaults: dict[int, int], fragment: bytes, base: int
) -> Iterator[ReadSample]:
    version, flags = big(trun, 0, 1), big(trun, 0, 4) & 0xFFFFFF
    count = big(trun, 4, 4)
    need(bool(flags & 0x1), "trun without its data offset")
    need(count <= MOST_SAMPLES, "trun tells of too many samples")
    at = base + big(trun, 8, 4)
    position = 12
    first_flags = None
    if flags & 0x4:
        first_flags = big(trun, position, 4)
        position += 4
    for index in range(count):
        told = {}
        for bit in (0x100, 0x200, 0x400, 0x800):
            if flags & bit:
                told[bit] = big(trun, position, 4)
                position += 4
        size = told.get(0x200, defaults.get(0x10, 0))
        sample_flags = told.get(0x400, defaults.get(0x20, 0))
        if index == 0 and first_flags is not None:
            sample_flags = first_flags
        cts = told.get(0x800, 0)
        if version == 1 and cts >= 1 << 31:
            cts -= 1 << 32
        data = fragment[at : at + size]
        need(len(data) == size, "a sample lies beyond the end")
        at += size
        sync = not sample_flags & 0x10000
        yield ReadSample(data, told.get(0x100, defaults.get(0x8, 0)), sync, cts)
    need(position == len(trun), "trun has bytes that no flag tells of")


def big(data: bytes, position: int, size: int) -> int:
    """Read a big-endian number. Raises BoxError when it is not all there."""
    piece = data[position : position + size]
    need(len(piece) == size, "cut off")
    return int.from_bytes(piece, "big")
