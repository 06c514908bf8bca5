"""The samples of one track of a movie: when each is, where it lies, how long it is.

Pure. Sources: ISO/IEC 14496-12 8.5 to 8.7 (the sample table), 8.6.6 (edit lists).
"""

from __future__ import annotations

import sys
from array import array
from fractions import Fraction
from itertools import chain
from struct import pack

from transcode.chunks import Chunk, TrackHead
from transcode.errors import MediaError
from transcode.movie_boxes import MOVIE_TIMESCALE, box

_ROUNDING = Fraction(1, 500)
"""Seconds by which a track may begin early where two lines of time are joined."""


class SampleTable:
    """Grows by chunks. Times in the track's timescale unless named seconds (`_s`)."""

    def __init__(self, head: TrackHead) -> None:
        self.head = head
        self._durations: list[list[int]] = []
        """Runs of [samples, duration] (8.6.1.2)."""
        self._composition: list[list[int]] = []
        """Runs of [samples, offset] (8.6.1.3)."""
        self._sizes = array("I")
        self._syncs = array("I")
        self._offsets = array("Q")
        self._counts: list[int] = []
        """Samples of each chunk."""
        self._shift = 0
        """What is taken from a chunk's own time for the movie's axis."""
        self._lead: int | None = None
        """Where the first sample is decoded on the movie's axis."""
        self._end = 0

    @property
    def count(self) -> int:
        """Samples so far."""
        return len(self._sizes)

    @property
    def length(self) -> int:
        """From the first sample's decoding to the last one's end."""
        return self._end - (self._lead or 0)

    @property
    def first_s(self) -> Fraction:
        """When the first sample is presented."""
        late = self._composition[0][1] if self._composition else 0
        return Fraction((self._lead or 0) + late, self.head.timescale)

    @property
    def end_s(self) -> Fraction:
        return Fraction(self._end, self.head.timescale)

    def place(self, time: int) -> Fraction:
        """Give the place of a chunk's own time on the movie's axis, in seconds."""
        return Fraction(time - self._shift, self.head.timescale)

    def shift_to(self, own_s: Fraction, place_s: Fraction) -> None:
        """Have what is at `own_s` by its own time lie at `place_s` from now on."""
        self._shift = round((own_s - place_s) * self.head.timescale)

    def add(self, chunk: Chunk, base: int) -> None:
        """Append samples that lie `base` bytes further on; a hole lengthens the sample before.

        Raises MediaError for a time that goes back.
        """
        if not chunk.sizes:
            return
        if self._lead is None:
            self._lead = self._end = chunk.time - self._shift
        hole = chunk.time - self._shift - self._end
        if hole < -_ROUNDING * self.head.timescale:
            raise MediaError("samples whose time goes back")
        if hole < 0:
            self._shift += hole
        elif hole > 0:
            self._lengthen(hole)
        first = len(self._sizes) + 1
        for duration in chunk.durations:
            _count(self._durations, duration)
        self._end += sum(chunk.durations)
        for late in chunk.composition or (0,) * len(chunk.sizes):
            _count(self._composition, late)
        self._sizes += chunk.sizes
        self._syncs.extend(first + n for n in chunk.syncs)
        self._offsets.append(base + chunk.offset)
        self._counts.append(len(chunk.sizes))

    def edits(self, start_s: Fraction, stop_s: Fraction) -> tuple[bytes, int]:
        """Write the edit list (8.6.6) that shows [start, stop); give it and its length.

        The length is in the movie's timescale.
        """
        lead = self._lead or 0
        begin = Fraction(lead, self.head.timescale)
        wait = round(max(begin - start_s, Fraction(0)) * MOVIE_TIMESCALE)
        shown = max(round((min(stop_s, self.end_s) - max(start_s, begin)) * MOVIE_TIMESCALE), 0)
        at = max(round(start_s * self.head.timescale) - lead, 0)
        entries = [(wait, -1)] if wait else []
        entries.append((shown, at))
        wide = at >= 1 << 31
        each = ">QqI" if wide else ">IiI"
        rows = b"".join(pack(each, length, time, 0x10000) for length, time in entries)
        return box(b"elst", pack(">II", wide << 24, len(entries)), rows), wait + shown

    def stbl(self, base: int, wide: bool) -> bytes:
        """Write the sample table; the segments' bytes begin at `base` in the file."""
        sizes = _bytes(self._sizes)
        tables = [
            box(b"stsd", pack(">II", 0, 1), self.head.entry),
            box(b"stts", pack(">II", 0, len(self._durations)), _rows(self._durations, ">II")),
        ]
        if any(late for _, late in self._composition):
            runs = self._composition
            tables.append(box(b"ctts", pack(">II", 1 << 24, len(runs)), _rows(runs, ">Ii")))
        if len(self._syncs) < len(self._sizes):
            tables.append(box(b"stss", pack(">II", 0, len(self._syncs)), _bytes(self._syncs)))
        tables.append(self._stsc())
        tables.append(box(b"stsz", pack(">III", 0, 0, len(self._sizes)), sizes))
        offsets = array("Q" if wide else "I", (base + offset for offset in self._offsets))
        kind = b"co64" if wide else b"stco"
        tables.append(box(kind, pack(">II", 0, len(offsets)), _bytes(offsets)))
        return box(b"stbl", *tables)

    def _lengthen(self, ticks: int) -> None:
        samples, duration = self._durations.pop()
        if samples > 1:
            self._durations.append([samples - 1, duration])
        _count(self._durations, duration + ticks)
        self._end += ticks

    def _stsc(self) -> bytes:
        runs: list[tuple[int, int, int]] = []
        for number, count in enumerate(self._counts, 1):
            if not runs or runs[-1][1] != count:
                runs.append((number, count, 1))
        rows = pack(f">{3 * len(runs)}I", *chain.from_iterable(runs))
        return box(b"stsc", pack(">II", 0, len(runs)), rows)


def _count(runs: list[list[int]], value: int) -> None:
    if runs and runs[-1][1] == value:
        runs[-1][0] += 1
    else:
        runs.append([1, value])


def _rows(runs: list[list[int]], each: str) -> bytes:
    return b"".join(pack(each, *run) for run in runs)


def _bytes(numbers: array[int]) -> bytes:
    if sys.byteorder == "big":
        return numbers.tobytes()
    copied = array(numbers.typecode, numbers)
    copied.byteswap()
    return copied.tobytes()
