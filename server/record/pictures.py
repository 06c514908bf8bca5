"""Poster and thumbnails of recordings: made once after a show, kept beside it. asyncio.

One darkroom process at a time, at low priority, decodes them; the server only carries bytes. What
was not made, because the server ended meanwhile, is made when it is first asked for. The
storyboard is written last: where it is, all the others are.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum

import structlog

from server.errors import Conflict, NotFound, Unavailable, VitrineError
from server.record.axis import Axis
from server.record.darkroom import Darkroom, DarkroomLost, darkroom
from server.record.errors import Missing, RecordError
from server.record.recording import RecordedSegment, Recording
from server.record.shows import Shows, derived, showings_of
from server.record.storage import DERIVED, home
from server.record.storyboard import (
    COLUMNS,
    ROWS,
    Shot,
    largest,
    poster,
    sheet_name,
    shots,
    smallest,
    storyboard_vtt,
)
from transcode.chunks import first_fragment
from transcode.contact import Finish, Negative, Sheets
from transcode.errors import MediaError

STORYBOARD = "storyboard.vtt"
POSTER = "poster.jpg"
THUMBNAIL = 192
"""Pixels of a thumbnail's longer side."""
MOST_WAITING = 200
MOST_KNOWN = 4_096
JOB_SECONDS = 1_800.0
TRIES = 3
_PAUSES = (5.0, 60.0)
"""Seconds before the second and the third try."""
_ENDING_SECONDS = 60.0
"""A show that has just ended may be being written for so long."""
_ENDING_POLL = 1.0

Key = tuple[str, str]


class Stage(StrEnum):
    MAKING = "making"
    """Wanted; it waits for its turn or is being made."""
    READY = "ready"
    FAILED = "failed"
    """Given up after TRIES; tried anew by the server's next start."""


@dataclass(frozen=True, slots=True)
class Pauses:
    """Seconds to wait between tries, and for a show that is being written to its end."""

    tries: tuple[float, ...] = _PAUSES
    ending: float = _ENDING_SECONDS
    poll: float = _ENDING_POLL


class Pictures:
    """Makes the pictures of recordings, one after the other, and reads those that are made."""

    def __init__(self, shows: Shows, pauses: Pauses | None = None) -> None:
        self._shows = shows
        self._pauses = pauses or Pauses()
        self._queue: asyncio.Queue[Key] = asyncio.Queue(MOST_WAITING)
        self._stages: OrderedDict[Key, Stage] = OrderedDict()
        self._task: asyncio.Task[None] | None = None
        self._log = structlog.get_logger("record")

    def start(self) -> None:
        """Begin to make what is asked for."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """End the process that is at work; what it was at is made another time."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def ask(self, channel: str, session: str) -> Stage:
        """Have a recording's pictures made, unless they are, or were tried often enough."""
        key = (channel, session)
        stage = self._stages.get(key)
        if stage is not None:
            return stage
        try:
            self._queue.put_nowait(key)
        except asyncio.QueueFull:
            return Stage.MAKING  # whoever looks again asks again
        self._note(key, Stage.MAKING)
        return Stage.MAKING

    async def read(self, channel: str, session: str, name: str) -> bytes | Stage:
        """Return a picture or the storyboard, or why it is not there yet.

        Raises NotFound, Conflict `on-air`, Unavailable.
        """
        recording = await self._shows.recording(channel, session)
        try:
            data = await self._shows.storage.read(derived(recording, name))
        except Missing:
            stage = self.ask(channel, session)
            if stage is Stage.READY:
                raise NotFound("picture", name[:64]) from None
            return stage
        except RecordError as error:
            raise Unavailable(str(error)) from error
        if name == STORYBOARD:
            self._note((channel, session), Stage.READY)
        return data

    # server.live.news.SessionListener

    async def session_started(self, channel: str, session: str, at_ms: int) -> None:
        """Nothing to make yet."""

    async def session_interrupted(self, channel: str, session: str, at_ms: int) -> None:
        """Nothing to make yet."""

    async def session_resumed(self, channel: str, session: str, at_ms: int) -> None:
        """Nothing to make yet."""

    async def session_ended(self, channel: str, session: str, at_ms: int) -> None:
        self.ask(channel, session)

    def _note(self, key: Key, stage: Stage) -> None:
        self._stages[key] = stage
        self._stages.move_to_end(key)
        while len(self._stages) > MOST_KNOWN:
            self._stages.popitem(last=False)

    async def _run(self) -> None:
        while True:
            key = await self._queue.get()
            try:
                self._note(key, await self._made(*key))
            except (NotFound, Conflict) as error:
                self._stages.pop(key, None)  # whoever asks later may find it
                self._log.info("no pictures", channel=key[0], session=key[1], reason=str(error))
            except Exception:  # noqa: BLE001 - logged; one recording must not end all the others
                self._note(key, Stage.FAILED)
                self._log.exception("making pictures failed", channel=key[0], session=key[1])

    async def _made(self, channel: str, session: str) -> Stage:
        """Make a recording's pictures; leave none of one that was removed meanwhile.

        Raises NotFound; Conflict: it is not written to its end.
        """
        try:
            return await self._tried(channel, session)
        except NotFound:
            await self._shows.storage.remove(f"{home(channel, session)}/{DERIVED}")
            raise

    async def _tried(self, channel: str, session: str) -> Stage:
        log = self._log.bind(channel=channel, session=session)
        for number in range(TRIES):
            if number:
                await asyncio.sleep(self._pauses.tries[min(number, len(self._pauses.tries)) - 1])
            try:
                async with asyncio.timeout(JOB_SECONDS):
                    recording = await self._ended(channel, session)
                    await self._make(recording)
                    await self._shows.recording(channel, session)  # it is there still
                log.info("pictures are made")
                return Stage.READY
            except (DarkroomLost, TimeoutError, OSError, MediaError, RecordError) as error:
                log.warning("pictures were not made", tried=number + 1, error=str(error))
            except (NotFound, Conflict):
                raise
            except VitrineError as error:
                log.warning("pictures were not made", tried=number + 1, error=str(error))
        with contextlib.suppress(Unavailable):
            await self._shows.recording(channel, session)
        return Stage.FAILED

    async def _ended(self, channel: str, session: str) -> Recording:
        """Return the recording, as soon as it is written to its end."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._pauses.ending
        while True:
            try:
                return await self._shows.recording(channel, session)
            except Conflict:
                if loop.time() > until:
                    raise
            await asyncio.sleep(self._pauses.poll)

    async def _make(self, recording: Recording) -> None:
        made: tuple[Shot, ...] = ()
        width = height = 0
        small, large = smallest(recording), largest(recording)
        if small is not None and large is not None:
            async with darkroom() as room:
                await self._make_poster(room, recording, large)
                made, width, height = await self._make_sheets(room, recording, small)
        text = storyboard_vtt(made, width, height)
        await self._shows.storage.write(derived(recording, STORYBOARD), text.encode())

    async def _make_poster(self, room: Darkroom, recording: Recording, rendition: str) -> None:
        segment = poster(recording, rendition, await showings_of(self._shows, recording))
        negative = await self._negative(recording, rendition, segment) if segment else None
        if negative is not None:
            made = await room.ask(Negative(*negative, poster=True))
            if made.data:
                await self._shows.storage.write(derived(recording, POSTER), made.data)

    async def _make_sheets(
        self, room: Darkroom, recording: Recording, rendition: str
    ) -> tuple[tuple[Shot, ...], int, int]:
        """Make and store the sheets; give what is on them and how large each picture is."""
        await room.ask(Sheets(COLUMNS, ROWS, THUMBNAIL))
        made: list[Shot] = []
        for shot in shots(recording, rendition, Axis.of(recording)):
            negative = await self._negative(recording, rendition, shot.segment)
            if negative is None:
                continue
            made.append(shot)
            answer = await room.ask(Negative(*negative))
            if answer.data:
                await self._store_sheet(recording, len(made) - 1, answer.data)
        last = await room.ask(Finish())
        if last.data:
            await self._store_sheet(recording, len(made) - 1, last.data)
        return tuple(made) if last.width else (), last.width, last.height

    async def _store_sheet(self, recording: Recording, last: int, data: bytes) -> None:
        name = sheet_name(last // (COLUMNS * ROWS))
        await self._shows.storage.write(derived(recording, name), data)

    async def _negative(
        self, recording: Recording, rendition: str, segment: RecordedSegment
    ) -> tuple[bytes, bytes] | None:
        """Read what a picture is made from; None where it is lost. Raises StorageDown."""
        storage = self._shows.storage
        try:
            init = await storage.read(recording.key(rendition, segment.init or ""))
            media = await storage.read(recording.key(rendition, segment.name))
            return init, first_fragment(media)
        except (Missing, MediaError):
            return None
