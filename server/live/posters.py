"""The picture that stands for a show while it is on: the newest, made when asked for. asyncio.

It comes from what viewers are sent, out of memory: nothing needs to be recorded for it. One
darkroom process for all channels decodes it, at low priority; it is there only while anybody looks.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from server.clock import Clock
from server.errors import NotFound
from server.hls.edge import Edge
from server.hls.newest import Newest, newest
from server.record.darkroom import Darkroom, DarkroomLost, darkroom
from server.shop.port import LiveSession
from transcode.chunks import first_fragment
from transcode.contact import Negative, Sheets
from transcode.errors import MediaError

LONGER_SIDE = 640
"""Pixels: a card in the lobby, and the least that other sites show large."""
FRESH_SECONDS = 10.0
"""How long a picture is given before there is another; nor is one tried for more often."""
WAIT_SECONDS = 5.0
"""How long a request waits for a picture; the darkroom stands back behind the encoders."""
IDLE_SECONDS = 60.0
"""The darkroom ends when nobody has asked for so long."""
MOST_WAITING = 64
MOST_KEPT = 256
"""Pictures in memory, of some 50 kB each."""


@dataclass(frozen=True, slots=True)
class Poster:
    session: str
    name: str
    """Unique for ever."""
    data: bytes
    """A JPEG."""


@dataclass(slots=True)
class _Kept:
    session: str
    tried_at: float
    """On the monotonic clock."""
    poster: Poster | None


class Posters:
    """Makes pictures of broadcasts, one after the other, and keeps the newest of each."""

    def __init__(
        self,
        session: Callable[[str], LiveSession | None],
        edge: Callable[[str], Edge | None],
        clock: Clock,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        """`session` gives a channel's broadcast that can be seen, `edge` where its media is."""
        self._live = session
        self._edge = edge
        self._clock = clock
        self._idle_seconds = idle_seconds
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._wanted: dict[str, asyncio.Event] = {}
        """By channel: set when its turn is over."""
        self._queue: asyncio.Queue[str] = asyncio.Queue(MOST_WAITING)
        self._task: asyncio.Task[None] | None = None
        self._log = structlog.get_logger("live")

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="posters")

    async def close(self) -> None:
        """End the process that is at work."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def poster(self, channel: str) -> Poster | None:
        """Return a picture some seconds old at most, where one can be made; None: none yet.

        Waits for it, if not long; then one that is older is given. Raises NotFound for a channel
        that is not on the air, or has sound alone.
        """
        session = self._session(channel)
        kept = self._known(channel, session)
        if kept is not None and self._clock.monotonic() - kept.tried_at < FRESH_SECONDS:
            return kept.poster
        edge = self._edge(channel)
        if edge is not None and edge.window.tracks and not any(t.width for t in edge.window.tracks):
            raise NotFound("picture of a broadcast", channel[:64])
        if edge is None or newest(edge.window, LONGER_SIDE) is None:
            return None if kept is None else kept.poster
        made = self._ask(channel)
        if made is not None:
            try:
                async with asyncio.timeout(WAIT_SECONDS):
                    await made.wait()
            except TimeoutError:
                self._log.info("a picture takes long", channel=channel)
        kept = self._known(channel, session)
        return kept.poster if kept is not None else None

    def _session(self, channel: str) -> str:
        session = self._live(channel)
        if session is None:
            self._kept.pop(channel, None)
            raise NotFound("broadcast", channel[:64])
        return session.id

    def _known(self, channel: str, session: str) -> _Kept | None:
        kept = self._kept.get(channel)
        return kept if kept is not None and kept.session == session else None

    def _ask(self, channel: str) -> asyncio.Event | None:
        """Have a picture made; None: too many wait for one."""
        made = self._wanted.get(channel)
        if made is None and not self._queue.full():
            made = self._wanted[channel] = asyncio.Event()
            self._queue.put_nowait(channel)
        return made

    async def _run(self) -> None:
        while True:
            channel = await self._queue.get()
            try:
                await self._work(channel)
            except (DarkroomLost, OSError) as error:
                self._log.warning("no picture of a show", reason=str(error))
            except Exception:  # noqa: BLE001 - logged; one show must not cost the others theirs
                self._log.exception("making a show's picture failed")

    async def _work(self, channel: str | None) -> None:
        """Make pictures for as long as any are wanted. Raises OSError, DarkroomLost."""
        try:
            async with darkroom() as room:
                while channel is not None:
                    await self._make(channel, room)
                    channel = await self._next()
        finally:
            if channel is not None:
                self._done(channel)

    async def _next(self) -> str | None:
        try:
            async with asyncio.timeout(self._idle_seconds):
                return await self._queue.get()
        except TimeoutError:
            return None

    async def _make(self, channel: str, room: Darkroom) -> None:
        """Make the newest picture of a channel, unless it is made. Raises DarkroomLost."""
        session, edge = self._live(channel), self._edge(channel)
        poster: Poster | None = None
        if session is not None and edge is not None:
            found = newest(edge.window, LONGER_SIDE)
            kept = self._known(channel, session.id)
            before = kept.poster if kept is not None else None
            if found is not None and (before is None or before.name != found.name):
                data = await _developed(room, found)
                poster = Poster(session.id, found.name, data) if data else None
        self._done(channel, poster)

    def _done(self, channel: str, poster: Poster | None = None) -> None:
        """Let go of those who wait, whatever came of it; the next try is not at once."""
        session = self._live(channel)
        if session is not None:
            kept = self._known(channel, session.id)
            if poster is None or poster.session != session.id:
                poster = kept.poster if kept is not None else None
            self._kept[channel] = _Kept(session.id, self._clock.monotonic(), poster)
            self._kept.move_to_end(channel)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        made = self._wanted.pop(channel, None)
        if made is not None:
            made.set()


async def _developed(room: Darkroom, found: Newest) -> bytes:
    """Decode, scale and write a picture; empty where that cannot be done. Raises DarkroomLost."""
    try:
        fragment = first_fragment(found.media)
    except MediaError:
        return b""
    # A sheet of one: scaled to our size, whatever the picture's own.
    await room.ask(Sheets(1, 1, LONGER_SIDE))
    return (await room.ask(Negative(found.init, fragment))).data
