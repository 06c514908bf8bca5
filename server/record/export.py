"""A recording, or a stretch of it, as one MP4 to keep: nothing is encoded anew. asyncio.

The file's head is made from the segments' own tables and its length is known from then on; the
rest is the segments as they are stored, read one by one while they are sent.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from server.errors import Conflict, NotFound, Unavailable
from server.record.errors import RecordError
from server.record.recording import RecordedSegment, Recording
from server.record.storage import Storage
from server.record.storyboard import largest
from transcode.chunks import TrackHead, read_chunks, read_init
from transcode.errors import MediaError
from transcode.movie import Movie

AT_ONCE = 2
"""Heads being made; each reads its segments once."""
WAIT_SECONDS = 30.0
MAKE_SECONDS = 300.0
READ_AHEAD = 8
"""Segments read at a time for a head."""
MOST_HELD = 64 * 1024 * 1024
"""Bytes of heads that are kept for the next range of the same file."""
BLOCK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be in the file."""

    rendition: str = ""
    """Empty: the largest."""
    part: int | None = None
    """1, 2, 3 ...: of a show whose format changed, the stretch of one format."""
    since_ms: int | None = None
    """On the PDT axis; both or none."""
    until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """A segment in the file."""

    key: str
    size: int


@dataclass(frozen=True, slots=True)
class Export:
    """A file that can be sent, whole or any range of it."""

    head: bytes
    pieces: tuple[Piece, ...]
    etag: str

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return len(self.head) + sum(piece.size for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Segments of one format, and its tracks."""

    heads: tuple[TrackHead, ...]
    segments: list[RecordedSegment]


class Exporter:
    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._made: OrderedDict[tuple[str, str, Wanted], Export] = OrderedDict()

    async def export(self, recording: Recording, wanted: Wanted) -> Export:
        """Make a file's head, or return the one that was made before.

        Raises NotFound (a rendition, a part, nothing in the stretch), Conflict `format-changed`,
        Unavailable.
        """
        key = (recording.channel, recording.session, wanted)
        if key in self._made:
            self._made.move_to_end(key)
            return self._made[key]
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._turn.acquire()
        except TimeoutError:
            raise Unavailable("Other recordings are being exported: try again soon.") from None
        try:
            async with asyncio.timeout(MAKE_SECONDS):
                made = await self._make(recording, wanted)
        except (RecordError, MediaError) as error:
            raise Unavailable(f"The recording cannot be read: {error}") from error
        except TimeoutError:
            raise Unavailable("The recording could not be read in time.") from None
        finally:
            self._turn.release()
        self._keep(key, made)
        return made

    async def read(self, export: Export, start: int, stop: int) -> AsyncIterator[bytes]:
        """Give the bytes [start, stop) of the file, block by block. Raises RecordError."""
        for at in range(start, min(stop, len(export.head)), BLOCK):
            yield export.head[at : min(at + BLOCK, stop, len(export.head))]
        at = len(export.head)
        for piece in export.pieces:
            end = at + piece.size
            if end > start and at < stop:
                data = await self._storage.read(piece.key)
                if len(data) != piece.size:
                    raise RecordError(f"{piece.key} has another size than before")
                yield data[max(start - at, 0) : stop - at]
            at = end

    async def _make(self, recording: Recording, wanted: Wanted) -> Export:
        rendition = wanted.rendition or largest(recording) or next(iter(recording.renditions), "")
        stretch = self._chosen(await self._stretches(recording, rendition, wanted), wanted.part)
        movie = Movie(stretch.heads, recording.started_ms // 1000)
        begins: list[Fraction] = []
        pieces: list[Piece] = []
        epochs = [segment.epoch for segment in stretch.segments]
        anew = [True, *(a != b for a, b in pairwise(epochs))]
        keys = [recording.key(rendition, segment.name) for segment in stretch.segments]
        for first in range(0, len(keys), READ_AHEAD):
            batch = keys[first : first + READ_AHEAD]
            read = await asyncio.gather(*(self._storage.read(key) for key in batch))
            for number, data in enumerate(read, first):
                begins.append(movie.add(read_chunks(data), len(data), anew=anew[number]))
                pieces.append(Piece(keys[number], len(data)))
        start, stop = _window(stretch.segments, begins, movie.end, wanted)
        head = await asyncio.to_thread(movie.head, start, stop)
        return Export(head, tuple(pieces), f'"{hashlib.sha256(head).hexdigest()[:24]}"')

    async def _stretches(
        self, recording: Recording, rendition: str, wanted: Wanted
    ) -> Sequence[_Stretch]:
        """Cut what is wanted where the format changes: an MP4 has one (other players than ours)."""
        if rendition not in recording.renditions:
            raise NotFound("rendition", rendition[:64])
        since, until = wanted.since_ms, wanted.until_ms
        if since is None or until is None:
            since, until = recording.started_ms - (1 << 40), recording.started_ms + (1 << 40)
        found: list[_Stretch] = []
        inits: dict[str, tuple[TrackHead, ...]] = {}
        for segment in recording.during(rendition, since, until):
            name = segment.init
            if name is None:
                continue
            if name not in inits:
                inits[name] = read_init(await self._storage.read(recording.key(rendition, name)))
            if found and found[-1].heads == inits[name]:
                found[-1].segments.append(segment)
            else:
                found.append(_Stretch(inits[name], [segment]))
        if not found:
            raise NotFound("recorded media in", f"{rendition} of that stretch")
        return found

    def _chosen(self, stretches: Sequence[_Stretch], part: int | None) -> _Stretch:
        count = len(stretches)
        if part is None and count > 1:
            said = (
                f"The picture's format changed during the show, and one file holds one format:"
                f" ask for its {count} parts, part=1 to part={count}."
            )
            raise Conflict("format-changed", said)
        if part is not None and not 1 <= part <= count:
            raise NotFound("part", str(part))
        return stretches[(part or 1) - 1]

    def _keep(self, key: tuple[str, str, Wanted], made: Export) -> None:
        self._made[key] = made
        held = sum(len(one.head) for one in self._made.values())
        while held > MOST_HELD and len(self._made) > 1:
            held -= len(self._made.popitem(last=False)[1].head)


def _window(
    segments: Sequence[RecordedSegment], begins: Sequence[Fraction], end: Fraction, wanted: Wanted
) -> tuple[Fraction | None, Fraction | None]:
    """Give where on the movie's axis what is wanted begins and ends; None: where the movie does."""
    if wanted.since_ms is None or wanted.until_ms is None:
        return None, None
    late = max(wanted.since_ms - segments[0].pdt_ms, 0)
    over = min(wanted.until_ms, segments[-1].end_ms) - segments[-1].pdt_ms
    return begins[0] + Fraction(late, 1000), min(begins[-1] + Fraction(over, 1000), end)
