"""Which show runs on which channel: sessions begin, end, and are cleared up after a crash."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import structlog

from server.channel import Channel, Session
from server.errors import NotFound, Unavailable
from server.shop import letters
from server.shop.show import Backstage, Show, closing
from server.shop.timeline import Event, EventKind, Timeline

_log = structlog.get_logger(__name__)


class Shows:
    def __init__(self, backstage: Backstage, turn_deadline: float) -> None:
        self._with = backstage
        self._deadline = turn_deadline
        self._shows: dict[str, Show] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    @asynccontextmanager
    async def turn(self, channel_id: str) -> AsyncIterator[None]:
        """Hold the channel for one command. Raises Unavailable when others hold it too long."""
        lock = self._locks.setdefault(channel_id, asyncio.Lock())
        try:
            async with asyncio.timeout(self._deadline):
                await lock.acquire()
        except TimeoutError as error:
            raise Unavailable("The channel is busy with other commands; try again.") from error
        try:
            yield
        finally:
            lock.release()

    async def current(self, channel: Channel) -> Show | None:
        """Return the show of the running session, None when offline. Call it in a turn."""
        live = self._with.stage.session(channel.id)
        if live is None:
            return None
        return await self._begun(channel, Session(live.id, live.started_ms))

    async def started(self, channel_id: str, session_id: str, at_ms: int) -> None:
        """Begin a session's show; one still open on the channel is ended first."""
        channel = await self._with.store.channel(channel_id)
        if channel is None:
            raise NotFound("channel", channel_id)
        async with self.turn(channel_id):
            await self._begun(channel, Session(session_id, at_ms))

    async def ended(self, channel_id: str, session_id: str, at_ms: int) -> None:
        """End a session's show and its open pins at `at_ms`. Unknown sessions are ignored."""
        async with self.turn(channel_id):
            show = self._shows.get(channel_id)
            if show is not None and show.timeline.session == session_id:
                await show.end(at_ms)
                del self._shows[channel_id]

    async def recover(self, going_on: Collection[str]) -> tuple[Show, ...]:
        """End the sessions that a stopped server left open, but for those `going_on`: give these.

        Only for the server, before it goes live.
        """
        store = self._with.store
        shows: list[Show] = []
        for channel_id, session in await store.unfinished_sessions():
            channel = await store.channel(channel_id)
            if session.id in going_on and channel is not None:
                shows.append(await self._begun(channel, session))
                continue
            events = await store.events(channel_id, session.id)
            reports = (EventKind.SHOWN, EventKind.HIDDEN)
            drawn = [event.t_media for event in events if event.kind in reports]
            reached = (await store.sequences(channel_id)).pdt_ms
            ended = max(session.started_ms, reached, *drawn)
            last = closing(Timeline(session.id).after(events), ended, self._with.clock)
            outbox = letters.ended(self._with.write, channel_id, session.id, ended, last)
            await store.close_session(channel_id, session.id, ended, last, outbox)
            _log.warning(
                "a show that was on when the server stopped is ended: nobody goes on with it",
                channel=channel_id,
                session=session.id,
            )
        return tuple(shows)

    async def timeline(self, channel_id: str) -> tuple[Session | None, Timeline, tuple[Event, ...]]:
        """Return the running session, else the last one, with its timeline and events."""
        session = await self._with.store.last_session(channel_id)
        if session is None:
            return None, Timeline(""), ()
        show = self._shows.get(channel_id)
        if show is not None and show.timeline.session == session.id:
            return session, show.timeline, tuple(show.events)
        events = await self._with.store.events(channel_id, session.id)
        return session, Timeline(session.id).after(events), events

    async def forget(self, channel_id: str) -> None:
        """Let go of a removed channel."""
        show = self._shows.pop(channel_id, None)
        self._locks.pop(channel_id, None)
        if show is not None:
            await show.stop()

    async def close(self) -> None:
        """Wait for no more reports. Sessions still open are for `recover` next time."""
        for show in self._shows.values():
            await show.stop()
        self._shows.clear()

    async def _begun(self, channel: Channel, session: Session) -> Show:
        show = self._shows.get(channel.id)
        if show is not None and show.timeline.session == session.id:
            return show
        if show is not None:
            await show.end(session.started_ms)
            del self._shows[channel.id]
        outbox = letters.started(self._with.write, channel.id, session)
        await self._with.store.open_session(channel.id, session, outbox)
        events = await self._with.store.events(channel.id, session.id)
        show = Show(channel, Timeline(session.id).after(events), events, self._with)
        self._shows[channel.id] = show
        return show
