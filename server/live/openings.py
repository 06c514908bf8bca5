"""How broadcasts begin: anew, or where a stopped server left them. asyncio."""

from __future__ import annotations

from dataclasses import dataclass

from ulid import ULID

from server.channel import Channel, Session
from server.clock import Clock
from server.hls.edge import Edge
from server.live.broadcast import Broadcast
from server.live.stream import Hooks, LiveStream
from server.record.recorder import Recorder
from server.store.port import Store
from transcode.profile import Profile


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


class Openings:
    """Makes streams, their workers not started."""

    def __init__(
        self, store: Store, clock: Clock, settings: LiveSettings, recorder: Recorder | None
    ) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._recorder = recorder

    def can(self, channel: Channel) -> bool:
        """Tell whether the channel's profile is configured."""
        return channel.profile in self._settings.profiles

    async def left(self) -> list[tuple[Channel, Session]]:
        """Give the sessions that a stopped server left open a moment ago: within their grace."""
        now_ms = self._clock.wall_ms()
        found = []
        for channel_id, session in await self._store.unfinished_sessions():
            channel = await self._store.channel(channel_id)
            carry = await self._store.sequences(channel_id)
            late = abs(now_ms - carry.pdt_ms) > self._settings.grace * 1000
            if channel is not None and self.can(channel) and not late:
                found.append((channel, session))
        return found

    async def open(
        self, channel: Channel, hooks: Hooks, before: Edge | None, session: Session | None = None
    ) -> LiveStream:
        """Make a stream of a new session, or of one to go on with.

        `before` serves the channel's broadcast that ended last, whose media is still owed.
        """
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
            profile=self._settings.profiles[channel.profile],
            carry=carry,
            segments=self._settings.segments,
            dvr_seconds=self._settings.dvr_seconds,
            id3=self._settings.id3,
            archive=tape,
            scribe=tape,
            recalled=recalled,
            before=before,
            grace=self._settings.grace,
            slate=self._settings.slate,
            started_ms=session.started_ms if session else None,
        )
        stream = LiveStream(broadcast, self._clock, hooks)
        await self._store.save_sequences(channel.id, stream.runs.sequences)
        return stream
