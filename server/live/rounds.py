"""The coach's rounds: once a second over every broadcast; who listens hears what changed.

asyncio. One per server process.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import structlog

from server.bus import Bus
from server.clock import Clock
from server.live.coach import Change, Severity, Sight
from server.live.state import warnings_json
from server.live.stream import LiveStream

INTERVAL_SECONDS = 1.0
KIND = "health"
"""Of the bus's event: what warnings stand now. For those who run the channel."""


class WarningListener(Protocol):
    """Who must know when warnings come and go."""

    async def warnings_changed(
        self, channel: str, session: str, change: Change, at_ms: int
    ) -> None: ...


class Rounds:
    def __init__(
        self,
        streams: Callable[[], Iterable[LiveStream]],
        bus: Bus,
        clock: Clock,
        others: Callable[[str], Iterable[Mapping[str, object]]] = lambda channel: (),
    ) -> None:
        """`streams` gives the broadcasts of this process, `others` a channel's other warnings."""
        self._streams = streams
        self._bus = bus
        self._clock = clock
        self._others = others
        self._listeners: list[WarningListener] = []
        self._task: asyncio.Task[None] | None = None
        self._log = structlog.get_logger("coach")

    def listen(self, listener: WarningListener) -> None:
        """Tell `listener` of every change from now on."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Begin the rounds."""
        self._task = asyncio.create_task(self._go(), name="coach")

    async def close(self) -> None:
        """End the rounds. Idempotent."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def look(self, stream: LiveStream) -> Change:
        """Look at one broadcast now and tell what changed."""
        now_ms = self._clock.wall_ms()
        stream.figures.beat = stream.figures.pace.beat()
        change = stream.coach.look(sight(stream, now_ms), now_ms)
        if change:
            warnings = [*warnings_json(stream.coach.notices), *self._others(stream.channel)]
            self._bus.publish(stream.channel, KIND, {"warnings": warnings})
            self._tell(stream.channel, change)
            for listener in self._listeners:
                await listener.warnings_changed(stream.channel, stream.session, change, now_ms)
        return change

    def _tell(self, channel: str, change: Change) -> None:
        log = self._log.bind(channel=channel)
        for notice in change.raised:
            line = log.info if notice.severity is Severity.INFO else log.warning
            line("coach says", code=notice.code, message=notice.message)
        for notice in change.cleared:
            log.info("coach is content again", code=notice.code)

    async def _go(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            for stream in tuple(self._streams()):
                try:
                    await self.look(stream)
                except Exception:  # noqa: BLE001 - the next look, and the others, may do better
                    self._log.exception("a look failed", channel=stream.channel)


def sight(stream: LiveStream, now_ms: int) -> Sight:
    """Gather what the coach judges."""
    figures, supervisor = stream.figures, stream.supervisor
    return Sight(
        connected=stream.publisher is not None and not stream.ending,
        waited_ms=max(0, now_ms - stream.attached_ms) if stream.attached_ms else 0,
        started=stream.started_ms is not None,
        health=figures.health,
        beat=figures.beat,
        announced_fps=float(figures.info.frame_rate or 0),
        bitrate=figures.bitrate(now_ms),
        late_ms=figures.arrival.late_ms(now_ms),
        burst_ms=figures.arrival.burst_ms(now_ms),
        video=figures.video.codec if figures.video else None,
        audio=figures.audio,
        picture_age_ms=_age(figures.picture_ms, now_ms),
        sound_age_ms=_age(figures.sound_ms, now_ms),
        largest_rung=max(rung.short_side for rung in stream.profile.rungs),
        restarts=supervisor.restarts,
        last_words=supervisor.last_words[-1] if supervisor.last_words else "",
        unfed=supervisor.dropped,
        takeovers=stream.takeovers,
        problems=stream.problems,
    )


def _age(then_ms: int | None, now_ms: int) -> int | None:
    return None if then_ms is None else max(0, now_ms - then_ms)
