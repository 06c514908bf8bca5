"""Which channels are on the air. Judges keys for the ingest, is the shop's stage.

asyncio. One registry per server process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Protocol

import structlog
from ulid import ULID

from ingest.port import Publisher, PublishRequest, Refusal, Refused, Sink
from overlay.scene import Scene
from server.bus import Bus
from server.channel import Channel
from server.channels import Channels
from server.clock import Clock
from server.errors import NotFound, RateLimited, Unavailable
from server.hls.edge import Edge
from server.hls.playlist import DateRange
from server.instant import rfc3339
from server.live.state import LiveState, describe
from server.live.stream import Hooks, LiveStream
from server.shop.port import LiveSession, ShownAt
from server.store.port import Store
from transcode.profile import Profile

EXPIRE_SECONDS = 5.0
PULL = "pull"
"""The protocol of sources that the server reads itself."""


class SessionListener(Protocol):
    """Who must know when a broadcast begins and ends."""

    async def session_started(self, channel: str, session: str, at_ms: int) -> None: ...

    async def session_ended(self, channel: str, session: str, at_ms: int) -> None: ...


@dataclass(frozen=True, slots=True)
class LiveSettings:
    profiles: dict[str, Profile]
    segments: int = 15
    """Whole segments that a live playlist lists."""


class Registry:
    """The live streams of this process, by channel."""

    def __init__(
        self, store: Store, channels: Channels, bus: Bus, clock: Clock, settings: LiveSettings
    ) -> None:
        self._store = store
        self._channels = channels
        self._bus = bus
        self._clock = clock
        self._settings = settings
        self._streams: dict[str, LiveStream] = {}
        self._past: dict[str, tuple[LiveStream, float]] = {}
        """Ended streams that players may still read, and when they may be forgotten."""
        self._started: dict[str, asyncio.Task[None]] = {}
        """Sessions begun, and the telling of it: nobody hears of an end first."""
        self._locks: dict[str, asyncio.Lock] = {}
        self._listeners: list[SessionListener] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._hooks = Hooks(self._began, self._advanced, self._left)
        self._closing = False
        self._log = structlog.get_logger("live")

    def listen(self, listener: SessionListener) -> None:
        """Tell `listener` of every session from now on."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Begin forgetting what players can no longer want."""
        self._spawn(self._expire())

    # Gate

    async def admit(self, request: PublishRequest) -> Sink | Refused:
        """Judge a stream key; the channel's earlier publisher is replaced. See `ingest.port`."""
        peer = request.publisher.peer
        try:
            channel = await self._channels.by_stream_key(request.key, peer)
        except RateLimited as error:
            return Refused(Refusal.RATE_LIMITED, str(error))
        except Unavailable as error:
            return Refused(Refusal.UNAVAILABLE, str(error))
        if channel is None:
            return Refused(Refusal.BAD_KEY, "This stream key is not known; copy it again.")
        return await self._let_in(channel, request.publisher, request.protocol)

    async def admit_source(self, channel: str, publisher: Publisher) -> Sink | Refused:
        """Let a pulled source feed its channel, unless an encoder does."""
        try:
            found = await self._channels.get(channel)
        except (NotFound, Unavailable) as error:
            return Refused(Refusal.UNAVAILABLE, str(error))
        return await self._let_in(found, publisher, PULL)

    def is_taken(self, channel: str) -> bool:
        """Tell whether an encoder feeds the channel, or is waited for."""
        stream = self._streams.get(channel)
        return stream is not None and stream.protocol != PULL

    async def _let_in(
        self, channel: Channel, publisher: Publisher, protocol: str
    ) -> Sink | Refused:
        async with self._lock(channel.id):
            if self._closing:
                return Refused(Refusal.UNAVAILABLE, "The server is shutting down.")
            if protocol == PULL and self.is_taken(channel.id):
                return Refused(Refusal.BUSY, "an encoder is on the air")
            stream = self._streams.get(channel.id)
            if stream is None:
                profile = self._settings.profiles.get(channel.profile)
                if profile is None:
                    reason = f"The channel's profile {channel.profile!r} is not configured."
                    return Refused(Refusal.UNAVAILABLE, reason)
                stream = await self._open(channel, profile)
            return stream.attach(publisher, protocol)

    # Stage

    def session(self, channel: str) -> LiveSession | None:
        stream = self._streams.get(channel)
        if stream is None or stream.started_ms is None or stream.ending:
            return None
        return LiveSession(stream.session, stream.started_ms)

    def media_now(self, channel: str) -> int | None:
        stream = self._streams.get(channel)
        return stream.media_now if stream else None

    async def show(self, channel: str, scene: Scene, at_ms: int) -> ShownAt | None:
        stream = self._streams.get(channel)
        return await stream.show(scene, at_ms) if stream else None

    def annotate(self, channel: str, ranges: tuple[DateRange, ...]) -> None:
        stream = self._streams.get(channel)
        if stream is not None:
            stream.annotate(ranges)

    # For the edge

    def edge(self, channel: str) -> Edge | None:
        """Give what serves the channel's media: the broadcast's, or the one that just ended."""
        stream = self._streams.get(channel)
        # From the moment that it is told to be live: a page that hears it must not read the last.
        if stream is not None and (stream.started_ms is not None or channel not in self._past):
            return stream.edge
        past = self._past.get(channel)
        return past[0].edge if past else None

    def state(self, channel: str) -> LiveState:
        """Describe a channel, on the air or not."""
        return describe(self._streams.get(channel), self._clock.wall_ms())

    async def stop(self, channel: str, reason: str = "ended by request") -> bool:
        """End the channel's broadcast; False when there is none."""
        async with self._lock(channel):
            stream = self._streams.get(channel)
            if stream is None:
                return False
            await self._end(stream, reason)
            return True

    async def close(self) -> None:
        """End every broadcast properly."""
        self._closing = True
        stops = [self.stop(channel, "shutdown") for channel in list(self._streams)]
        for result in await asyncio.gather(*stops, return_exceptions=True):
            if isinstance(result, Exception):
                self._log.error("a broadcast did not end well", exc_info=result)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for stream, _ in self._past.values():
            stream.edge.close()

    async def _open(self, channel: Channel, profile: Profile) -> LiveStream:
        stream = LiveStream(
            channel.id,
            str(ULID()),
            profile,
            await self._store.sequences(channel.id),
            self._settings.segments,
            self._clock,
            self._hooks,
        )
        await self._store.save_sequences(channel.id, stream.sequences)
        await stream.start()
        self._streams[channel.id] = stream
        return stream

    async def _end(self, stream: LiveStream, reason: str) -> None:
        """Finish, tell the shop, close the playlists. The channel's lock is held."""
        if self._streams.get(stream.channel) is not stream:
            return
        try:
            await stream.finish()
        finally:
            try:
                await self._tell_ended(stream)
            finally:
                self._put_away(stream)
                self._log.info("off the air", channel=stream.channel, reason=reason)
                self._announce(stream.channel)

    def _put_away(self, stream: LiveStream) -> None:
        stream.end()
        del self._streams[stream.channel]
        if stream.window.playable:
            until = self._clock.monotonic() + stream.window.linger_ms / 1000
            self._past[stream.channel] = (stream, until)
        else:
            stream.edge.close()

    async def _tell_ended(self, stream: LiveStream) -> None:
        started = self._started.pop(stream.session, None)
        if started is None:
            return
        await asyncio.wait([started])
        ended_ms = stream.window.latest_pdt_ms or stream.started_ms or 0
        for listener in self._listeners:
            await listener.session_ended(stream.channel, stream.session, ended_ms)
        await self._store.save_sequences(stream.channel, stream.sequences)

    def _began(self, stream: LiveStream) -> None:
        self._started[stream.session] = self._task(self._tell_started(stream))

    async def _tell_started(self, stream: LiveStream) -> None:
        for listener in self._listeners:
            await listener.session_started(
                stream.channel, stream.session, stream.started_ms or self._clock.wall_ms()
            )
        self._announce(stream.channel)

    def _advanced(self, stream: LiveStream) -> None:
        self._spawn(self._store.save_sequences(stream.channel, stream.sequences))

    def _left(self, stream: LiveStream, reason: str) -> None:
        self._spawn(self._end_locked(stream, reason))

    async def _end_locked(self, stream: LiveStream, reason: str) -> None:
        async with self._lock(stream.channel):
            if stream.publisher is None:  # nobody took over meanwhile
                await self._end(stream, reason)

    def _announce(self, channel: str) -> None:
        state = self.state(channel)
        self._bus.publish(
            channel,
            "state",
            {
                "state": state.state,
                "session": state.session,
                "started_at": None if state.started_at is None else rfc3339(state.started_at),
            },
        )

    def _lock(self, channel: str) -> asyncio.Lock:
        return self._locks.setdefault(channel, asyncio.Lock())

    async def _expire(self) -> None:
        while True:
            await asyncio.sleep(EXPIRE_SECONDS)
            now = self._clock.monotonic()
            for stream in self._streams.values():
                stream.window.expire(int(now * 1000))
            for channel, (stream, until) in list(self._past.items()):
                stream.window.expire(int(now * 1000))
                if now >= until:
                    del self._past[channel]
                    stream.edge.close()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        _ = self._task(work)

    def _task(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._settled)
        return task

    def _settled(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._log.error("a live task failed", exc_info=task.exception())
