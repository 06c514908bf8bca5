"""One channel's source on the air: a puller process as one more publisher.

asyncio. The process demuxes; what it sends goes the way of every encoder's units. It is
started again, with growing pauses, for as long as the channel has the source.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import StrEnum
from random import random as chance
from typing import Protocol

import structlog

from ingest.port import Publisher, Refused, Sink
from server.clock import Clock
from server.pull_settings import PullSettings
from server.source import Source
from transcode import plain, wire
from transcode.errors import WireError
from transcode.process import WorkerProcess, bare_environment
from transcode.pull.order import HEAD, Order

MODULE = "transcode.puller"
STAND_BY_SECONDS = 0.5
"""How often a source that waits for an encoder to leave looks whether it has."""
STARTING_SECONDS = 10.0
"""For a process to start, on a busy machine."""
JITTER = 0.2


class SourceGate(Protocol):
    """Who lets a source feed its channel."""

    def is_taken(self, channel: str) -> bool:
        """Tell whether an encoder feeds the channel, or is waited for: it goes first."""
        ...

    async def admit_source(self, channel: str, publisher: Publisher) -> Sink | Refused: ...


class Phase(StrEnum):
    CONNECTING = "connecting"
    ON_AIR = "on-air"
    WAITING = "waiting"
    """It cannot be read, and is tried again after a pause."""
    STANDBY = "standby"
    """An encoder is on the air with the channel's key."""


class PulledSource:
    """A `ingest.port.Publisher`. `run` it once; cancel that to end it."""

    def __init__(
        self,
        channel: str,
        source: Source,
        gate: SourceGate,
        settings: PullSettings,
        clock: Clock,
        random: Callable[[], float] = chance,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """`random` gives numbers from 0 to 1, for the jitter of pauses.

        `changed` is called when a problem comes, and when it goes.
        """
        self.source = source
        self.phase = Phase.CONNECTING
        self.problem = ""
        """Why it could not be read, or go on, the last time; empty while it is on the air."""
        self.since_ms = 0
        """Since when there is a problem, UTC ms."""
        self.next_at = 0.0
        """When it is tried again, on the monotonic clock."""
        self.leaves_for_good = False
        """Whether its end, when it is cancelled, is the broadcast's."""
        self._channel = channel
        self._masked = source.masked
        self._gate = gate
        self._settings = settings
        self._clock = clock
        self._random = random
        self._changed = changed
        self._process: WorkerProcess | None = None
        self._sink: Sink | None = None
        self._on_air_at: float | None = None
        """Since when it has fed its channel, this time; None before."""
        self._dropped = ""
        """Why the registry wants it to leave; empty while it does not."""
        self._log = structlog.get_logger("pull").bind(channel=channel, source=self._masked)

    @property
    def peer(self) -> str:
        """The source's address, as people may read it."""
        return self._masked

    def drop(self, reason: str) -> None:
        """Leave the channel soon: an encoder takes over, or the broadcast is ended."""
        self._dropped = reason
        if self._process is not None:
            self._process.kill()

    async def run(self) -> None:
        """Read the source again and again; return when a file has come to its end."""
        delay = self._settings.backoff_first
        while True:
            await self._stand_by()
            problem = await self._broadcast()
            if problem is None:
                self._log.info("source has ended")
                return
            if self._dropped and self._gate.is_taken(self._channel):
                continue
            if self._seconds_on_air > self._settings.steady:
                delay = self._settings.backoff_first
            await self._wait(problem, delay * (1 + JITTER * (2 * self._random() - 1)))
            delay = min(delay * 2, self._settings.backoff_most)

    @property
    def _seconds_on_air(self) -> float:
        return 0.0 if self._on_air_at is None else self._clock.monotonic() - self._on_air_at

    async def _stand_by(self) -> None:
        while self._gate.is_taken(self._channel):
            self.phase = Phase.STANDBY
            self._note("")
            await asyncio.sleep(STAND_BY_SECONDS)
        self.phase = Phase.CONNECTING

    async def _wait(self, problem: str, seconds: float) -> None:
        self.phase = Phase.WAITING
        self.next_at = self._clock.monotonic() + seconds
        self._note(problem)
        self._log.warning("source cannot be read", reason=problem, again_in=round(seconds, 1))
        await asyncio.sleep(seconds)

    def _note(self, problem: str) -> None:
        """Note what is the matter now, empty for nothing."""
        before, self.problem = self.problem, problem
        if problem and not before:
            self.since_ms = self._clock.wall_ms()
        if bool(problem) != bool(before):
            self._changed()

    async def _broadcast(self) -> str | None:
        """Read the source once; give why that ended, None after its own end."""
        self._dropped, self._on_air_at = "", None
        try:
            process = await WorkerProcess.spawn(MODULE, bare_environment())
        except OSError as error:
            return f"the server cannot start its reader ({error.strerror})"
        self._process = process
        listening = asyncio.create_task(process.listen(self._hear))
        problem: str | None = "the server lets go of it"
        finished = False
        try:
            process.write(self._order())
            problem = await self._read(process)
            finished = problem is None
        finally:
            self._process = None
            self._leave(self._dropped or problem or "the source has ended", finished)
            process.kill()
            await process.end()
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
        return self._dropped or problem

    def _order(self) -> bytes:
        order = Order(
            url=self.source.url,
            loop=self.source.loop,
            allow_private=self._settings.allow_private,
            open_seconds=self._settings.open_seconds,
            silence_seconds=self._settings.silence_seconds,
        )
        body = plain.dump(order)
        return HEAD.pack(len(body)) + body

    async def _read(self, process: WorkerProcess) -> str | None:
        """Hand on what the process sends; give why it stopped."""
        decoder = wire.Decoder()
        # Each of connecting and looking inside has its own deadline over there.
        patience = STARTING_SECONDS + 3 * self._settings.open_seconds
        try:
            while True:
                async with asyncio.timeout(patience):
                    data = await process.receive()
                if not data:
                    return "its reader died"
                for message in decoder.feed(data):
                    if isinstance(message, wire.Closed):
                        return message.reason or None
                    if isinstance(message, wire.Feed):
                        refused = await self._take(message)
                        if refused is not None:
                            return refused
                patience = STARTING_SECONDS + self._settings.silence_seconds
        except TimeoutError:
            return "it went silent"
        except WireError:
            return "its reader failed"

    async def _take(self, feed: wire.Feed) -> str | None:
        """Hand a unit on; the first asks for the channel. Give why it may not have it."""
        if self._sink is None:
            verdict = await self._gate.admit_source(self._channel, self)
            if isinstance(verdict, Refused):
                return verdict.reason
            self._sink, self._on_air_at = verdict, self._clock.monotonic()
            self.phase = Phase.ON_AIR
            self._note("")
            self._log.info("source is read")
        self._sink.accept((feed.unit,))
        return None

    def _leave(self, reason: str, finished: bool) -> None:
        sink, self._sink = self._sink, None
        if sink is not None:
            sink.close(reason, finished=finished or self.leaves_for_good)

    def _hear(self, line: str) -> None:
        self._log.info("reader says", line=line)
