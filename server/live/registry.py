"""Which channels are on the air. Judges keys for the ingest, is the shop's stage.

asyncio. One registry per server process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from functools import partial

import structlog
from ulid import ULID

from ingest.port import Entry, Publisher, PublishRequest, Refusal, Refused, Sink
from overlay.scene import Scene
from server.admission import Admission, Admitted
from server.bus import Bus
from server.channel import Channel, Session
from server.clock import Clock
from server.errors import Unavailable
from server.hls.edge import Edge
from server.hls.playlist import DateRange
from server.instant import rfc3339
from server.live.echo import Echo
from server.live.news import News, Saying, SessionListener
from server.live.past import Past
from server.live.state import LiveState, describe
from server.live.stream import Broadcast, Hooks, LiveStream
from server.live.tally import Tally
from server.live.tasks import Tasks
from server.record.recorder import Recorder
from server.shop.port import LiveSession, ShownAt
from server.store.port import Store
from transcode.profile import Profile

EXPIRE_SECONDS = 5.0
TICK_SECONDS = 0.2
PULL = "pull"
"""The protocol of sources that the server reads itself."""


@dataclass(frozen=True, slots=True)
class LiveSettings:
    profiles: dict[str, Profile]
    segments: int = 15
    """Whole segments that memory keeps for a live playlist."""
    dvr_seconds: int = 0
    """How long a live playlist may be, with older segments from the recording."""
    grace: float = 60.0
    """Seconds that a lost publisher has to come back in; 0: none."""
    slate: bool = False
    """A still picture stands in for a lost publisher, not gaps."""
    id3: bool = False
    """Date ranges are in the media as well."""


class Registry:
    """The live streams of this process, by channel."""

    def __init__(
        self,
        store: Store,
        admission: Admission,
        bus: Bus,
        clock: Clock,
        settings: LiveSettings,
        recorder: Recorder | None = None,
    ) -> None:
        """`recorder` None: nothing is recorded, and playlists are as long as memory keeps."""
        self._store = store
        self._admission = admission
        self._bus = bus
        self._clock = clock
        self._settings = settings
        self._recorder = recorder
        self._streams: dict[str, LiveStream] = {}
        self._past = Past(clock)
        self._locks: dict[str, asyncio.Lock] = {}
        self._tasks = Tasks()
        self._news = News(self._tasks)
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
        now_ms = self._clock.wall_ms()
        for channel_id, session in await self._store.unfinished_sessions():
            channel = await self._store.channel(channel_id)
            carry = await self._store.sequences(channel_id)
            profile = self._settings.profiles.get(channel.profile) if channel else None
            late = abs(now_ms - carry.pdt_ms) > self._settings.grace * 1000
            if channel is not None and profile is not None and not late:
                await self._make(channel, profile, session)
                self._log.info("waiting for the encoder", channel=channel_id, session=session.id)
        return frozenset(stream.session for stream in self._streams.values())

    def start(self) -> None:
        """Begin to look after streams: those recovered, and those that players no longer want."""
        self._begin(self._expire())
        for stream in self._streams.values():
            self._begin(self._bridge(stream))

    # Gate

    async def admit(self, request: PublishRequest) -> Sink | Refused:
        """Judge a stream key; the channel's earlier publisher is replaced. See `ingest.port`."""
        judged = await self.judge(request)
        return judged if isinstance(judged, Refused) else await judged()

    async def judge(self, request: PublishRequest) -> Entry | Refused:
        """Judge a stream key; give the way in. See `ingest.port.EarlyGate`."""
        judged = await self._admission.judge(request, lambda channel: self.keys().get(channel, ""))
        if isinstance(judged, Refused):
            self.refused(judged.refusal)
            return judged
        return partial(self._let_in, judged, request.publisher, request.protocol)

    def refused(self, cause: Refusal) -> None:
        """Count a publish that was refused, here or on its way here."""
        self.tally.refused[cause] += 1

    async def admit_source(self, channel: str, publisher: Publisher) -> Sink | Refused:
        """Let a pulled source feed its channel, unless an encoder does."""
        try:
            found = await self._store.channel(channel)
        except Unavailable as error:
            return Refused(Refusal.UNAVAILABLE, str(error))
        if found is None:
            return Refused(Refusal.UNAVAILABLE, "the channel was removed")
        refused = await self._admission.ask(found, PublishRequest(PULL, "", "", publisher))
        return refused or await self._let_in(Admitted(found, ""), publisher, PULL)

    def is_taken(self, channel: str) -> bool:
        """Tell whether an encoder feeds the channel, or is waited for."""
        stream = self._streams.get(channel)
        # What fed the broadcast of a server before this one is not known.
        return stream is not None and stream.protocol not in ("", PULL)

    def is_fed(self, channel: str) -> bool:
        """Tell whether a publisher is there."""
        stream = self._streams.get(channel)
        return stream is not None and stream.publisher is not None

    async def _let_in(
        self, admitted: Admitted, publisher: Publisher, protocol: str
    ) -> Sink | Refused:
        let_in = await self._attach(admitted, publisher, protocol)
        if isinstance(let_in, Refused) and protocol != PULL:
            self.refused(let_in.refusal)
        return let_in

    async def _attach(
        self, admitted: Admitted, publisher: Publisher, protocol: str
    ) -> Sink | Refused:
        channel = admitted.channel
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
                stream = await self._make(channel, profile)
            if not stream.supervisor.started:
                await stream.start()
            stream.key = admitted.key
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
            if self._recorder is not None:
                self._recorder.annotate(stream.session, ranges)

    # For the edge

    def edge(self, channel: str) -> Edge | None:
        """Give what serves the channel's media: the broadcast's, or the one that just ended."""
        stream = self._streams.get(channel)
        # From the moment that it is told to be live: a page that hears it must not read the last.
        if stream is not None and (stream.started_ms is not None or channel not in self._past):
            return stream.edge
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
        return describe(self._streams.get(channel), self._clock.wall_ms())

    def streams(self) -> tuple[LiveStream, ...]:
        """Give every stream, on the air or about to be."""
        return tuple(self._streams.values())

    async def stop(self, channel: str, reason: str = "ended by request") -> bool:
        """End the channel's broadcast; False when there is none."""
        async with self._lock(channel):
            stream = self._streams.get(channel)
            if stream is None:
                return False
            await self._end(stream, reason)
            return True

    def admit_no_more(self) -> None:
        """Refuse publishers from now on; those who leave now were sent away by us."""
        self._closing = True

    async def close(self) -> None:
        """End every playlist properly.

        Sessions stay open in the store, to be gone on with when the server is back within
        their grace; without a grace they end.
        """
        self.admit_no_more()
        ends = [self._end_for_now(stream) for stream in list(self._streams.values())]
        for result in await asyncio.gather(*ends, return_exceptions=True):
            if isinstance(result, Exception):
                self._log.error("a broadcast did not end well", exc_info=result)
        await self._tasks.close()
        self._past.close()

    async def _make(
        self, channel: Channel, profile: Profile, session: Session | None = None
    ) -> LiveStream:
        """Make a stream, its worker not started: of a new session, or of one to go on with."""
        session_id = session.id if session else str(ULID())
        carry = await self._store.sequences(channel.id)
        tape = recalled = None
        if self._recorder is not None:
            tape = self._recorder.tape(channel.id, channel.title, session_id)
            dvr_seconds = self._settings.dvr_seconds
            if session is not None and dvr_seconds:
                recalled = await self._recorder.recall(tape, carry, dvr_seconds)
        broadcast = Broadcast(
            channel=channel.id,
            title=channel.title,
            session=session_id,
            profile=profile,
            carry=carry,
            segments=self._settings.segments,
            dvr_seconds=self._settings.dvr_seconds,
            id3=self._settings.id3,
            archive=tape,
            scribe=tape,
            recalled=recalled,
            before=self._past.edge(channel.id),
            grace=self._settings.grace,
            slate=self._settings.slate,
            started_ms=session.started_ms if session else None,
        )
        stream = LiveStream(broadcast, self._clock, self._hooks)
        await self._store.save_sequences(channel.id, stream.sequences)
        self._streams[channel.id] = stream
        return stream

    async def _end_for_now(self, stream: LiveStream) -> None:
        async with self._lock(stream.channel):
            if self._streams.get(stream.channel) is not stream:
                return
            if stream.started_ms is None or not self._settings.grace:
                await self._end(stream, "shutdown")
                return
            await stream.finish()
            await self._news.hear_out(stream.session)
            self._put_away(stream)
            await self._store.save_sequences(stream.channel, stream.sequences)
            self._log.info(
                "put away until the server is back",
                channel=stream.channel,
                session=stream.session,
                grace=self._settings.grace,
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
                self._put_away(stream)
                was_on = stream.started_ms is not None
                said = "off the air" if was_on else "nothing came of it"
                self._log.info(said, channel=stream.channel, reason=reason)
                self._announce(stream.channel)

    def _put_away(self, stream: LiveStream) -> None:
        stream.end()
        if self._recorder is not None and stream.started_ms is None:
            self._recorder.discard(stream.session)
        del self._streams[stream.channel]
        self._past.take(stream)

    async def _tell_ended(self, stream: LiveStream) -> None:
        if stream.started_ms is None:
            return
        channel, session = stream.channel, stream.session
        # Without its list one that nobody came back to ends where the server before left it.
        at_ms = stream.window.latest_pdt_ms or max(stream.started_ms, stream.sequences.pdt_ms)
        await self._news.tell_last(session, lambda who: who.session_ended(channel, session, at_ms))
        await self._store.save_sequences(channel, stream.sequences)

    def _began(self, stream: LiveStream) -> None:
        at_ms = stream.started_ms or self._clock.wall_ms()
        self._tell(stream, lambda who: who.session_started(stream.channel, stream.session, at_ms))

    def _interrupted(self, stream: LiveStream, reason: str) -> None:
        if not self._closing:
            grace = self._settings.grace
            self._log.warning("interrupted", channel=stream.channel, reason=reason, grace=grace)
        at_ms = stream.sequences.pdt_ms
        self._tell(
            stream, lambda who: who.session_interrupted(stream.channel, stream.session, at_ms)
        )
        self._begin(self._bridge(stream))

    def _resumed(self, stream: LiveStream) -> None:
        self.tally.resumes += 1
        at_ms = stream.epoch.pdt_ms if stream.epoch else self._clock.wall_ms()
        self._tell(stream, lambda who: who.session_resumed(stream.channel, stream.session, at_ms))

    def _tell(self, stream: LiveStream, say: Saying) -> None:
        self._news.tell(stream.session, say, lambda: self._announce(stream.channel))

    async def _bridge(self, stream: LiveStream) -> None:
        """See an interrupted stream through until it is resumed, or over."""
        while stream.interrupted and not stream.ending:
            if stream.overdue:
                reason = f"the encoder did not come back in {self._settings.grace:.0f} s"
                await self._end_locked(stream, reason)
            else:
                stream.tick()
                await asyncio.sleep(TICK_SECONDS)

    def _advanced(self, stream: LiveStream) -> None:
        self._begin(self._store.save_sequences(stream.channel, stream.sequences))

    def _left(self, stream: LiveStream, reason: str) -> None:
        self._begin(self._end_locked(stream, reason))

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
            self._past.expire()

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        _ = self._tasks.begin(work)
