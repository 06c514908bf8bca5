"""Which channels are on the air: who takes over, who is waited for, what can be played.

asyncio. One registry per server process; who may come on the air is the gate's to say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

import structlog

from ingest.port import Publisher, Refusal, Refused, Sink
from server.bus import Bus
from server.channel import Channel, Session
from server.clock import Clock
from server.errors import VitrineError
from server.hls.edge import Edge
from server.live.echo import Echo
from server.live.news import News, SessionListener
from server.live.openings import LiveSettings, Openings
from server.live.past import Past
from server.live.stage import Stage
from server.live.state import LiveState, describe
from server.live.stops import Stops
from server.live.stream import Hooks, LiveStream
from server.live.tally import Tally
from server.live.tasks import Tasks
from server.record.recorder import Recorder
from server.store.port import Store

EXPIRE_SECONDS = 5.0
TICK_SECONDS = 0.2
TITLE_SECONDS = 0.5
"""How long an interruption waits for the store to tell the title: viewers wait for a slate."""
PULL = "pull"
"""The protocol of sources that the server reads itself."""


class Registry:
    """The live streams of this process, by channel."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        clock: Clock,
        settings: LiveSettings,
        recorder: Recorder | None = None,
    ) -> None:
        """`recorder` None: nothing is recorded, and playlists are as long as memory keeps."""
        self._store = store
        self._clock = clock
        self._grace = settings.grace
        self._slate = settings.slate
        self._recorder = recorder
        self._openings = Openings(store, clock, settings, recorder)
        self._streams: dict[str, LiveStream] = {}
        self.stage = Stage(self._streams, recorder)
        """What the shop puts its scenes on."""
        self._past = Past(clock)
        self._locks: dict[str, asyncio.Lock] = {}
        self._tasks = Tasks()
        self._news = News(self._tasks, bus, self.state)
        self.stops = Stops(clock, self._tasks, self._announce_stopped)
        """Whom a stop keeps off; the gate asks."""
        self._hooks = Hooks(
            began=self._began,
            advanced=self._advanced,
            interrupted=self._interrupted,
            resumed=self._resumed,
            left=self._left,
        )
        self.tally = Tally()
        self._closing = False
        self._log = structlog.get_logger("live")

    def listen(self, listener: SessionListener) -> None:
        """Tell `listener` of every session from now on."""
        self._news.listen(listener)

    async def recover(self) -> frozenset[str]:
        """Take up sessions that a stopped server left open a moment ago; give their ids.

        Each waits for its publisher as after a loss. Before `start`.
        """
        for channel, session in await self._openings.left():
            await self._open(channel, session)
            self._log.info("waiting for the encoder", channel=channel.id, session=session.id)
        return frozenset(stream.session for stream in self._streams.values())

    def start(self) -> None:
        """Begin to look after streams: those recovered, and those that players no longer want."""
        self._begin(self._expire())
        for stream in self._streams.values():
            self._begin(self._bridge(stream))

    def is_taken(self, channel: str) -> bool:
        """Tell whether an encoder feeds the channel, or is waited for."""
        stream = self._streams.get(channel)
        # What fed the broadcast of a server before this one is not known.
        return stream is not None and stream.protocol not in ("", PULL)

    def is_fed(self, channel: str) -> bool:
        """Tell whether a publisher is there."""
        stream = self._streams.get(channel)
        return stream is not None and stream.publisher is not None

    async def attach(
        self, channel: Channel, key: str, publisher: Publisher, protocol: str
    ) -> Sink | Refused:
        """Put a publisher on the air; the channel's earlier one is replaced.

        `key` is the digest of the stream key it came with. An encoder is not replaced by a source.
        """
        async with self._lock(channel.id):
            if self._closing:
                return Refused(Refusal.UNAVAILABLE, "The server is shutting down.")
            if protocol == PULL and self.is_taken(channel.id):
                return Refused(Refusal.BUSY, "an encoder is on the air")
            stream = self._streams.get(channel.id)
            refused = None if protocol == PULL else self.stops.since(channel.id, key)
            if refused is not None:
                return refused
            if stream is None:
                if not self._openings.can(channel):
                    reason = f"The channel's profile {channel.profile!r} is not configured."
                    return Refused(Refusal.UNAVAILABLE, reason)
                stream = await self._open(channel)
            if not stream.supervisor.started:
                await stream.start()
            stream.key = key
            self.tally.takeovers += stream.publisher is not None
            return stream.attach(publisher, protocol)

    # For the warden

    def keys(self) -> dict[str, str]:
        """Give each channel's digest of the key its newest publisher came with, "" for none."""
        return {name: one.key for name, one in self._streams.items() if not one.ending}

    def turn_out(self, channel: str, reason: str) -> bool:
        """Drop the channel's publisher; False when there is none."""
        stream = self._streams.get(channel)
        if stream is None or stream.publisher is None:
            return False
        stream.turned_out = reason
        stream.publisher.drop(reason)
        return True

    # For the edge

    def edge(self, channel: str) -> Edge | None:
        """Give what serves the channel's media: the broadcast's, or the one that just ended."""
        stream = self._streams.get(channel)
        # From the moment that it is told to be live: a page that hears it must not read the last.
        if stream is not None and (stream.started_ms is not None or channel not in self._past):
            return stream.runs.edge
        return self._past.edge(channel)

    def echo(self, channel: str) -> Echo | None:
        """Give what the channel's publisher sends, as it is; None where there is none."""
        stream = self._streams.get(channel)
        return stream.echo if stream is not None and stream.publisher is not None else None

    def session_on(self, channel: str) -> str | None:
        """Name the session that `edge` serves; None where there is none."""
        stream = self._streams.get(channel)
        if stream is not None and (stream.started_ms is not None or channel not in self._past):
            return stream.session
        return self._past.session(channel)

    def state(self, channel: str) -> LiveState:
        """Describe a channel, on the air or not."""
        stream = self._streams.get(channel)
        return describe(
            stream,
            self._clock.wall_ms(),
            None if stream else self.stops.kept_off(channel),
        )

    def streams(self) -> tuple[LiveStream, ...]:
        """Give every stream, on the air or about to be."""
        return tuple(self._streams.values())

    async def stop(self, channel: str, reason: str = "ended by request") -> bool:
        """End the channel's broadcast; False when there is none.

        The key that it ran by, any where that is not known, begins none until its encoder has
        been quiet for a while.
        """
        async with self._lock(channel):
            stream = self._streams.get(channel)
            if stream is None:
                return False
            self._note_stop(stream)
            try:
                await self._end(stream, reason)
            finally:
                self._note_stop(stream)  # what came meanwhile waits as long as what comes now
            return True

    def _note_stop(self, stream: LiveStream) -> None:
        if stream.protocol != PULL:
            self.stops.note(stream.channel, stream.key)

    def _announce_stopped(self, channel: str) -> None:
        if channel not in self._streams:  # while it is on there are other warnings
            self._news.announce(channel)

    def admit_no_more(self) -> None:
        """Refuse publishers from now on; those who leave now were sent away by us."""
        self._closing = True
        self.stops.close()

    async def close(self) -> None:
        """Let go of every broadcast.

        Sessions stay open in the store and their playlists without an end, to be gone on with
        when the server is back within their grace; without a grace they end.
        """
        self.admit_no_more()
        ends = [self._end_for_now(stream) for stream in list(self._streams.values())]
        for result in await asyncio.gather(*ends, return_exceptions=True):
            if isinstance(result, Exception):
                self._log.error("a broadcast did not end well", exc_info=result)
        await self._tasks.close()
        self._past.close()

    async def _open(self, channel: Channel, session: Session | None = None) -> LiveStream:
        before = self._past.edge(channel.id)
        stream = await self._openings.open(channel, self._hooks, before, session)
        self._streams[channel.id] = stream
        return stream

    async def _end_for_now(self, stream: LiveStream) -> None:
        async with self._lock(stream.channel):
            if self._streams.get(stream.channel) is not stream:
                return
            if stream.started_ms is None or not self._grace:
                await self._end(stream, "shutdown")
                return
            await stream.finish()
            await self._news.hear_out(stream.session)
            stream.runs.put_down()
            self._put_away(stream)
            await self._store.save_sequences(stream.channel, stream.runs.sequences)
            self._log.info(
                "put away until the server is back",
                channel=stream.channel,
                session=stream.session,
                grace=self._grace,
            )

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
                stream.runs.end()
                self._put_away(stream)
                was_on = stream.started_ms is not None
                said = "off the air" if was_on else "nothing came of it"
                self._log.info(said, channel=stream.channel, reason=reason)
                self._news.announce(stream.channel)

    def _put_away(self, stream: LiveStream) -> None:
        if self._recorder is not None and stream.started_ms is None:
            self._recorder.discard(stream.session)
        del self._streams[stream.channel]
        self._past.take(stream)

    async def _tell_ended(self, stream: LiveStream) -> None:
        if stream.started_ms is None:
            return
        # Without its list one that nobody came back to ends where the server before left it.
        at_ms = stream.runs.window.latest_pdt_ms or max(
            stream.started_ms, stream.runs.sequences.pdt_ms
        )
        await self._news.ended(stream.channel, stream.session, at_ms)
        await self._store.save_sequences(stream.channel, stream.runs.sequences)

    def _began(self, stream: LiveStream) -> None:
        at_ms = stream.started_ms or self._clock.wall_ms()
        self._news.started(stream.channel, stream.session, at_ms)

    def _interrupted(self, stream: LiveStream, reason: str) -> None:
        if not self._closing:
            self._log.warning(
                "interrupted", channel=stream.channel, reason=reason, grace=self._grace
            )
        self._news.interrupted(stream.channel, stream.session, stream.runs.sequences.pdt_ms)
        self._begin(self._bridge(stream))

    def _resumed(self, stream: LiveStream) -> None:
        self.tally.resumes += 1
        at_ms = stream.epoch.pdt_ms if stream.epoch else self._clock.wall_ms()
        self._news.resumed(stream.channel, stream.session, at_ms)

    async def _bridge(self, stream: LiveStream) -> None:
        """See an interrupted stream through until it is resumed, or over."""
        if self._slate:
            await self._follow_title(stream)
        while stream.interrupted and not stream.ending:
            if stream.overdue:
                reason = f"the encoder did not come back in {self._grace:.0f} s"
                await self._end_locked(stream, reason)
            else:
                stream.tick()
                await asyncio.sleep(TICK_SECONDS)

    async def _follow_title(self, stream: LiveStream) -> None:
        """Have the slate say the channel's title as it is now, whoever changed it and where."""
        try:
            async with asyncio.timeout(TITLE_SECONDS):
                channel = await self._store.channel(stream.channel)
        except (TimeoutError, VitrineError) as error:
            self._log.warning("the slate has the title of before", reason=str(error) or "too slow")
            return
        if channel is not None:
            stream.rename(channel.title)

    def _advanced(self, stream: LiveStream) -> None:
        self._begin(self._store.save_sequences(stream.channel, stream.runs.sequences))

    def _left(self, stream: LiveStream, reason: str) -> None:
        self._begin(self._end_locked(stream, reason))

    async def _end_locked(self, stream: LiveStream, reason: str) -> None:
        async with self._lock(stream.channel):
            if stream.publisher is None:  # nobody took over meanwhile
                await self._end(stream, reason)

    def _lock(self, channel: str) -> asyncio.Lock:
        return self._locks.setdefault(channel, asyncio.Lock())

    async def _expire(self) -> None:
        while True:
            await asyncio.sleep(EXPIRE_SECONDS)
            now = self._clock.monotonic()
            for stream in self._streams.values():
                stream.runs.window.expire(int(now * 1000))
            self._past.expire()

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        _ = self._tasks.begin(work)
