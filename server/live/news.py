"""What becomes of broadcasts, told to whoever must know: each in order, one after the other.

asyncio. Nobody hears of an end before the beginning.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

from server.bus import Bus
from server.instant import rfc3339
from server.live.state import LiveState
from server.live.tasks import Tasks


class SessionListener(Protocol):
    """Who must know. Instants are PDT milliseconds."""

    async def session_started(self, channel: str, session: str, at_ms: int) -> None: ...

    async def session_interrupted(self, channel: str, session: str, at_ms: int) -> None:
        """The publisher is lost and may come back."""
        ...

    async def session_resumed(self, channel: str, session: str, at_ms: int) -> None: ...

    async def session_ended(self, channel: str, session: str, at_ms: int) -> None: ...


_Saying = Callable[[SessionListener], Awaitable[None]]


class News:
    """The listeners, the bus, and for each session what is being told."""

    def __init__(self, tasks: Tasks, bus: Bus, state: Callable[[str], LiveState]) -> None:
        """`state` gives a channel's, which the bus is told of behind the listeners."""
        self._tasks = tasks
        self._bus = bus
        self._state = state
        self._listeners: list[SessionListener] = []
        self._log = structlog.get_logger("live")
        self._telling: dict[str, asyncio.Task[None]] = {}

    def listen(self, listener: SessionListener) -> None:
        """Tell `listener` of every session from now on."""
        self._listeners.append(listener)

    def started(self, channel: str, session: str, at_ms: int) -> None:
        """Have all told, behind what is being told of the session; as the next two."""
        self._tell(channel, session, lambda who: who.session_started(channel, session, at_ms))

    def interrupted(self, channel: str, session: str, at_ms: int) -> None:
        self._tell(channel, session, lambda who: who.session_interrupted(channel, session, at_ms))

    def resumed(self, channel: str, session: str, at_ms: int) -> None:
        self._tell(channel, session, lambda who: who.session_resumed(channel, session, at_ms))

    async def ended(self, channel: str, session: str, at_ms: int) -> None:
        """Tell every listener the last of a session; the bus is `announce`'s to tell."""
        await self.hear_out(session)
        await self._tell_all(lambda who: who.session_ended(channel, session, at_ms))

    async def hear_out(self, session: str) -> None:
        """Let what is being told of a session be told."""
        telling = self._telling.pop(session, None)
        if telling is not None:
            await asyncio.wait([telling])

    def announce(self, channel: str) -> None:
        """Tell the bus the channel's state as it is now."""
        state = self._state(channel)
        self._bus.publish(
            channel,
            "state",
            {
                "state": state.state,
                "session": state.session,
                "started_at": None if state.started_at is None else rfc3339(state.started_at),
            },
        )

    def _tell(self, channel: str, session: str, say: _Saying) -> None:
        before = self._telling.get(session)
        self._telling[session] = self._tasks.begin(self._tell_behind(before, channel, say))

    async def _tell_behind(
        self, before: asyncio.Task[None] | None, channel: str, say: _Saying
    ) -> None:
        if before is not None:
            await asyncio.wait([before])
        await self._tell_all(say)
        self.announce(channel)

    async def _tell_all(self, say: _Saying) -> None:
        for listener in self._listeners:
            try:
                await say(listener)
            except Exception:  # noqa: BLE001 - the others are to hear of it all the same
                self._log.exception("a listener failed", listener=type(listener).__name__)
