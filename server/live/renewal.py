"""A source that is pulled day and night has a session, and so a recording, each day. asyncio.

A broadcast without an end would be one recording without an end: its time would never be over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

import structlog

from server.clock import Clock
from server.errors import VitrineError

LOOK_SECONDS = 30.0
HOUR_MS = 3_600_000


class OnAir(Protocol):
    """A broadcast."""

    @property
    def channel(self) -> str: ...

    @property
    def session(self) -> str: ...

    @property
    def started_ms(self) -> int | None:
        """UTC ms; None before its first picture."""
        ...


class Renewable(Protocol):
    """The sources that are pulled."""

    async def renew(self, channel: str) -> bool:
        """Begin another broadcast; False: no source feeds the channel. Raises Unavailable."""
        ...


class Renewal:
    """Has sources begin a new session when theirs has been on for `hours`.

    Encoders are left alone: whoever holds one ends a show, and not all of them would come back.
    """

    def __init__(
        self,
        streams: Callable[[], Iterable[OnAir]],
        pulls: Renewable,
        clock: Clock,
        hours: float,
    ) -> None:
        self._streams = streams
        self._pulls = pulls
        self._clock = clock
        self._most_ms = round(hours * HOUR_MS)
        self._task: asyncio.Task[None] | None = None
        self._log = structlog.get_logger("record")

    def start(self) -> None:
        self._task = asyncio.create_task(self._watch(), name="renewal")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def look(self) -> None:
        """Look once. Raises Unavailable."""
        now = self._clock.wall_ms()
        for stream in list(self._streams()):
            if stream.started_ms is None or now - stream.started_ms < self._most_ms:
                continue
            if await self._pulls.renew(stream.channel):
                self._log.info(
                    "a pulled channel goes on in a new recording",
                    channel=stream.channel, session=stream.session,
                )  # fmt: skip

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except VitrineError as error:
                self._log.warning("a source cannot begin anew", reason=str(error))
            except Exception:  # noqa: BLE001 - logged; the next look may succeed
                self._log.exception("the look for sources that are due failed")
