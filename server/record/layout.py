"""How a stretch of a recording lies in one MP4: its head, and the segments behind it. asyncio.

A fragmented file is laid out from what the journal knows, and the first and the last segment of
each run; a plain one, which can be cut to the frame, from the tables of all its segments.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from ingest.unit import TICKS_PER_MS, TICKS_PER_SECOND
from server.hls.answer import etag_of
from server.record.recording import RecordedSegment, Recording
from server.record.storage import Storage
from server.record.stretch import Stretch, Wanted
from transcode import fragmented
from transcode.chunks import read_chunks
from transcode.movie import Movie

READ_AHEAD = 8
"""Segments read at a time for a plain file's head."""
MOST_FRAGMENTS = 4_096
"""Of a segment, far beyond any: their numbers only grow."""
_HOLE_MS = 500
"""Without media so long, what follows is joined at once, as behind another epoch."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A segment in the file."""

    key: str
    size: int
    by: Fraction | None = None
    """Seconds that it is moved by; None: it is sent as it is."""


@dataclass(frozen=True, slots=True)
class Export:
    """A file that can be sent, whole or any range of it."""

    head: bytes
    pieces: tuple[Piece, ...]
    scales: dict[int, int]
    """The timescale of each track."""

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return len(self.head) + sum(piece.size for piece in self.pieces)

    @property
    def etag(self) -> str:
        return etag_of(self.head)


async def fragmented_file(storage: Storage, recording: Recording, stretch: Stretch) -> Export:
    """Lay out a fragmented file. Raises RecordError, MediaError."""
    pieces: list[Piece] = []
    ticks: list[int] = []
    place = Fraction(0)
    for run in _runs(stretch.segments):
        keys = [recording.key(stretch.rendition, segment.name) for segment in run]
        first = fragmented.reach(await storage.read(keys[0]), stretch.heads)
        last = fragmented.reach(await storage.read(keys[-1]), stretch.heads)
        by, length = place - first.begin, last.end - first.begin
        sizes = (segment.size for segment in run)
        pieces += (Piece(key, size, by) for key, size in zip(keys, sizes, strict=True))
        ticks += _ticks(run, round(length * TICKS_PER_SECOND))
        place += length
    told = [(piece.size, each) for piece, each in zip(pieces, ticks, strict=True)]
    return Export(fragmented.head(stretch.init, told), tuple(pieces), _scales(stretch))


async def plain_file(
    storage: Storage, recording: Recording, stretch: Stretch, wanted: Wanted
) -> Export:
    """Lay out a plain file, cut as wanted. Raises RecordError, MediaError."""
    movie = Movie(stretch.heads, recording.started_ms // 1000)
    begins: list[Fraction] = []
    sizes: list[int] = []
    epochs = [segment.epoch for segment in stretch.segments]
    anew = [True, *(a != b for a, b in pairwise(epochs))]
    keys = [recording.key(stretch.rendition, segment.name) for segment in stretch.segments]
    for first in range(0, len(keys), READ_AHEAD):
        batch = keys[first : first + READ_AHEAD]
        read = await asyncio.gather(*(storage.read(key) for key in batch))
        begins += await asyncio.to_thread(_add, movie, read, anew[first : first + READ_AHEAD])
        sizes += map(len, read)
    start, stop = _window(stretch.segments, begins, movie.end, wanted)
    head = await asyncio.to_thread(movie.head, start, stop)
    return Export(head, tuple(map(Piece, keys, sizes)), _scales(stretch))


def _add(movie: Movie, segments: Sequence[bytes], anew: Sequence[bool]) -> list[Fraction]:
    """Add segments; give where each begins. A thread's work: some milliseconds for each."""
    return [
        movie.add(read_chunks(data), len(data), anew=begins)
        for data, begins in zip(segments, anew, strict=True)
    ]


def _scales(stretch: Stretch) -> dict[int, int]:
    return {head.id: head.timescale for head in stretch.heads}


def _runs(segments: Sequence[RecordedSegment]) -> Iterator[list[RecordedSegment]]:
    """Cut where times do not simply go on."""
    run: list[RecordedSegment] = []
    for segment in segments:
        before = run[-1] if run else segment
        if segment.epoch != before.epoch or segment.pdt_ms - before.end_ms > _HOLE_MS:
            yield run
            run = []
        run.append(segment)
    yield run


def _ticks(run: Sequence[RecordedSegment], length: int) -> Iterator[int]:
    """Share a run's length out among its segments, as they are dated."""
    begins = [(segment.pdt_ms - run[0].pdt_ms) * TICKS_PER_MS for segment in run]
    return (max(b - a, 0) for a, b in pairwise((*begins, max(length, begins[-1]))))


def _window(
    segments: Sequence[RecordedSegment], begins: Sequence[Fraction], end: Fraction, wanted: Wanted
) -> tuple[Fraction | None, Fraction | None]:
    """Give where on the movie's axis what is wanted begins and ends; None: where the movie does."""
    if wanted.since_ms is None or wanted.until_ms is None:
        return None, None
    late = max(wanted.since_ms - segments[0].pdt_ms, 0)
    over = min(wanted.until_ms, segments[-1].end_ms) - segments[-1].pdt_ms
    return begins[0] + Fraction(late, 1000), min(begins[-1] + Fraction(over, 1000), end)
