"""A recording, or a stretch of it, as one MP4 to keep: nothing is encoded anew. asyncio.

The file's head is made first, and its length is known from then on; the rest is the segments as
they are stored, read one by one while they are sent.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from server.errors import NotFound, Unavailable
from server.record.errors import RecordError
from server.record.layout import MOST_FRAGMENTS, Export, Piece, fragmented_file, plain_file
from server.record.recording import Recording
from server.record.storage import Storage
from server.record.stretch import Wanted, chosen, parts_of
from transcode.errors import MediaError
from transcode.fragmented import moved

AT_ONCE = 2
"""Plain files being laid out; for each all its segments are read."""
WAIT_SECONDS = 30.0
MAKE_SECONDS = 300.0
COUNT_SECONDS = 5.0
"""A page waits for it."""
MOST_COUNTED = 1_024
MOST_HELD = 64 * 1024 * 1024
"""Bytes of layouts that are kept for the next range of the same file."""
PIECE_BYTES = 512
"""What a piece takes in memory, roughly."""
BLOCK = 256 * 1024


class Exporter:
    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._made: OrderedDict[tuple[str, str, int | None, Wanted], Export] = OrderedDict()
        self._parts: OrderedDict[tuple[str, str, int | None], int] = OrderedDict()

    async def export(self, recording: Recording, wanted: Wanted) -> Export:
        """Lay a file out, or return the layout that was made before.

        Raises NotFound (a rendition, a part, nothing in the stretch), Conflict `format-changed`,
        Unavailable.
        """
        key = (recording.channel, recording.session, recording.ended_ms, wanted)
        if key in self._made:
            self._made.move_to_end(key)
            return self._made[key]
        try:
            async with asyncio.timeout(MAKE_SECONDS):
                made = self._made[key] = await self._make(recording, wanted)
        except (RecordError, MediaError) as error:
            raise Unavailable(f"The recording cannot be read: {error}") from error
        except TimeoutError:
            raise Unavailable("The recording could not be read in time.") from None
        held = sum(map(_weight, self._made.values()))
        while held > MOST_HELD and len(self._made) > 1:
            held -= _weight(self._made.popitem(last=False)[1])
        return made

    async def parts(self, recording: Recording) -> int:
        """Tell in how many files the whole is had; 1, too, where that cannot be read just now."""
        key = (recording.channel, recording.session, recording.ended_ms)
        if key not in self._parts:
            try:
                async with asyncio.timeout(COUNT_SECONDS):
                    self._parts[key] = await parts_of(self._storage, recording)
            except (RecordError, MediaError, NotFound, TimeoutError):
                return 1
            while len(self._parts) > MOST_COUNTED:
                self._parts.popitem(last=False)
        return self._parts[key]

    async def read(self, export: Export, start: int, stop: int) -> AsyncIterator[bytes]:
        """Give the bytes [start, stop) of the file, block by block. Raises RecordError."""
        for at in range(start, min(stop, len(export.head)), BLOCK):
            yield export.head[at : min(at + BLOCK, stop, len(export.head))]
        at = len(export.head)
        for number, piece in enumerate(export.pieces):
            end = at + piece.size
            if end > start and at < stop:
                data = await self._read(export, number, piece)
                yield data[max(start - at, 0) : stop - at]
            at = end

    async def _make(self, recording: Recording, wanted: Wanted) -> Export:
        stretch = await chosen(self._storage, recording, wanted)
        if wanted.fragmented and wanted.since_ms is None:
            return await fragmented_file(self._storage, recording, stretch)
        async with self._in_turn():
            return await plain_file(self._storage, recording, stretch, wanted)

    @asynccontextmanager
    async def _in_turn(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._turn.acquire()
        except TimeoutError:
            raise Unavailable("Other recordings are being exported: try again soon.") from None
        try:
            yield
        finally:
            self._turn.release()

    async def _read(self, export: Export, number: int, piece: Piece) -> bytes:
        data = await self._storage.read(piece.key)
        if len(data) != piece.size:
            raise RecordError(f"{piece.key} has another size than before")
        if piece.by is None:
            return data
        try:
            first = number * MOST_FRAGMENTS + 1
            return await asyncio.to_thread(moved, data, export.scales, piece.by, first)
        except MediaError as error:
            raise RecordError(f"{piece.key} cannot be read: {error}") from error


def _weight(export: Export) -> int:
    return len(export.head) + PIECE_BYTES * len(export.pieces)
