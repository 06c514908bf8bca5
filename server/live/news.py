"""What becomes of broadcasts, told to whoever must know: each in order, one after the other.

asyncio. Nobody hears of an end before the beginning.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

from server.live.tasks import Tasks


class SessionListener(Protocol):
    """Who must know. Instants are PDT milliseconds."""

    async def session_started(self, channel: str, session: str, at_ms: int) -> None: ...

    async def session_interrupted(self, channel: str, session: str, at_ms: int) -> None:
        """The publisher is lost and may come back."""
        ...

    async def session_resumed(self, channel: str, session: str, at_ms: int) -> None: ...

    async def session_ended(self, channel: str, session: str, at_ms: int) -> None: ...


Saying = Callable[[SessionListener], Awaitable[None]]


class News:
    """The listeners, and for each session what is being told."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._listeners: list[SessionListener] = []
        self._log = structlog.get_logger("live")
        self._telling: dict[str, asyncio.Task[None]] = {}

    def listen(self, listener: SessionListener) -> None:
        """Tell `listener` of every session from now on."""
        self._listeners.append(listener)

    def tell(self, session: str, say: Saying, after: Callable[[], None]) -> None:
        """Have every listener told, behind what is being told; then call `after`."""
        before = self._telling.get(session)
        self._telling[session] = self._tasks.begin(self._tell(before, say, after))

    async def tell_last(self, session: str, say: Saying) -> None:
        """Tell every listener the last of a session."""
        await self.hear_out(session)
        await self._tell_all(say)

    async def hear_out(self, session: str) -> None:
        """Let what is being told of a session be told."""
        telling = self._telling.pop(session, None)
        if telling is not None:
            await asyncio.wait([telling])

    async def _tell(
        self, before: asyncio.Task[None] | None, say: Saying, after: Callable[[], None]
    ) -> None:
        if before is not None:
            await asyncio.wait([before])
        await self._tell_all(say)
        after()

    async def _tell_all(self, say: Saying) -> None:
        for listener in self._listeners:
            try:
                await say(listener)
            except Exception:  # noqa: BLE001 - the others are to hear of it all the same
                self._log.exception("a listener failed", listener=type(listener).__name__)
