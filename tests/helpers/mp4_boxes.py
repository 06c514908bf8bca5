"""Reads MP4 boxes for tests, straight from ISO/IEC 14496-12; shares no code with the writer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

CONTAINERS = {"moov", "trak", "mdia", "minf", "dinf", "stbl", "mvex", "moof", "traf"}


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
        found = self.all(path)
        assert len(found) == 1, f"{len(found)} of {path} in {self.kind}"
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


def boxes(data: bytes, offset: int = 0) -> list[Box]:
    """Read the boxes that fill `data`. Fails when one runs past the end."""
    found = []
    position = 0
    while position < len(data):
        size = _int(data, position, 4)
        kind = data[position + 4 : position + 8].decode("latin-1")
        assert 8 <= size <= len(data) - position, f"{kind} of {size} bytes"
        payload = data[position + 8 : position + size]
        inner = boxes(payload, offset + position + 8) if kind in CONTAINERS else []
        found.append(Box(kind, offset + position, payload, tuple(inner)))
        position += size
    return found


def runs(fragment: bytes) -> list[ReadRun]:
    """Read one moof + mdat into the samples of each track, data by the offsets told."""
    moof, mdat = boxes(fragment)
    assert (moof.kind, mdat.kind) == ("moof", "mdat")
    found = [_run(traf, fragment, moof.offset) for traf in moof.all("traf")]
    stored = b"".join(sample.data for run in found for sample in run.samples)
    assert stored == mdat.payload, "mdat holds something else than the samples"
    return found


def _run(traf: Box, fragment: bytes, base: int) -> ReadRun:
    tfhd = traf.one("tfhd").payload
    flags = _int(tfhd, 0, 4) & 0xFFFFFF
    assert flags & 0x020000, "default-base-is-moof"
    assert not flags & 0x000001, "no base-data-offset in CMAF"
    fields = _fields(tfhd, 8, flags, (0x2, 0x8, 0x10, 0x20))
    tfdt = traf.one("tfdt").payload
    assert tfdt[0] == 1, "tfdt version"
    samples = list(_samples(traf.one("trun").payload, fields, fragment, base))
    return ReadRun(_int(tfhd, 4, 4), _int(tfdt, 4, 8), samples)


def _fields(payload: bytes, position: int, flags: int, known: tuple[int, ...]) -> dict[int, int]:
    found = {}
    for bit in known:
        if flags & bit:
            found[bit] = _int(payload, position, 4)
            position += 4
    assert position == len(payload), "tfhd has bytes that no flag tells of"
    return found


def _samples(
    trun: bytes, defaults: dict[int, int], fragment: bytes, base: int
) -> Iterator[ReadSample]:
    version, flags = trun[0], _int(trun, 0, 4) & 0xFFFFFF
    count = _int(trun, 4, 4)
    assert flags & 0x1, "data offset"
    at = base + _int(trun, 8, 4)
    position = 12
    first_flags = None
    if flags & 0x4:
        first_flags = _int(trun, position, 4)
        position += 4
    for index in range(count):
        told = {}
        for bit in (0x100, 0x200, 0x400, 0x800):
            if flags & bit:
                told[bit] = _int(trun, position, 4)
                position += 4
        size = told.get(0x200, defaults.get(0x10, 0))
        sample_flags = told.get(0x400, defaults.get(0x20, 0))
        if index == 0 and first_flags is not None:
            sample_flags = first_flags
        cts = told.get(0x800, 0)
        if version == 1 and cts >= 1 << 31:
            cts -= 1 << 32
        data = fragment[at : at + size]
        assert len(data) == size
        at += size
        sync = not sample_flags & 0x10000
        yield ReadSample(data, told.get(0x100, defaults.get(0x8, 0)), sync, cts)
    assert position == len(trun), "trun has bytes that no flag tells of"


def _int(data: bytes, position: int, size: int) -> int:
    return int.from_bytes(data[position : position + size], "big")
