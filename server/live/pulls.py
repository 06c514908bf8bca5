"""All sources of this server: started, stopped and exchanged as the store says.

asyncio. The store is read every SECONDS: a command beside the server may have changed it.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from server.clock import Clock
from server.errors import VitrineError
from server.live.coach import Notice, Severity
from server.live.pull import Phase, PulledSource, SourceGate
from server.live.state import warning_json
from server.pull_settings import PullSettings
from server.source import Source
from server.sources import Sources

SECONDS = 2.0
ADVICE = (
    "Check the source's address, its user and password, and that it is switched on; or stream"
    " with the channel's key, which goes first."
)


@dataclass(frozen=True, slots=True)
class SourceState:
    """What may be told of a channel's source."""

    url: str
    """Masked."""
    loop: bool
    enabled: bool
    state: str
    """A `Phase`, or `off`."""
    problem: str | None


@dataclass(frozen=True, slots=True)
class _Running:
    pulled: PulledSource
    task: asyncio.Task[None]


class Pulls:
    def __init__(
        self,
        sources: Sources,
        gate: SourceGate,
        settings: PullSettings,
        clock: Clock,
        changed: Callable[[str], None] = lambda channel: None,
    ) -> None:
        """`changed` is told a channel whose `warnings` came or went."""
        self._sources = sources
        self._gate = gate
        self._settings = settings
        self._clock = clock
        self._changed = changed
        self._known: dict[str, Source] = {}
        self._running: dict[str, _Running] = {}
        self._one_at_a_time = asyncio.Lock()
        self._watch: asyncio.Task[None] | None = None
        self._log = structlog.get_logger("pull")

    def start(self) -> None:
        """Begin to follow the store."""
        self._watch = asyncio.create_task(self._follow(), name="sources")

    async def close(self) -> None:
        """Stop reading; broadcasts are left to whoever ends them. Idempotent."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        async with self._one_at_a_time:
            await self._stop(list(self._running), for_good=False)

    async def refresh(self) -> None:
        """Do what the store says now. Raises Unavailable."""
        async with self._one_at_a_time:
            self._known = await self._sources.all()
            wanted = {name: source for name, source in self._known.items() if source.enabled}
            ended = [name for name in self._running if name not in wanted]
            changed = [
                name
                for name, running in self._running.items()
                if name in wanted and wanted[name] != running.pulled.source
            ]
            await self._stop(ended, for_good=True)
            await self._stop(changed, for_good=False)  # the next one goes on with the broadcast
            for name in wanted.keys() - self._running.keys():
                self._begin(name, wanted[name])

    async def switch_off(self, channel: str) -> None:
        """Keep the channel's source from going on the air again, if it is on now."""
        running = self._running.get(channel)
        if running is not None and running.pulled.phase is Phase.ON_AIR:
            await self._sources.switch_off(channel, running.pulled.source)
            await self.refresh()

    async def renew(self, channel: str) -> bool:
        """End the broadcast that a source feeds, and have it begin another; False: it feeds none.

        Raises Unavailable; then it begins a moment later.
        """
        async with self._one_at_a_time:
            running = self._running.get(channel)
            if running is None or running.pulled.phase is not Phase.ON_AIR:
                return False
            await self._stop([channel], for_good=True)
        await self.refresh()
        return True

    def count(self) -> int:
        """Count the sources that feed their channels now."""
        return sum(one.pulled.phase is Phase.ON_AIR for one in self._running.values())

    def state(self, channel: str) -> SourceState | None:
        """Tell of a channel's source; None where it has none."""
        source = self._known.get(channel)
        if source is None:
            return None
        running = self._running.get(channel)
        state = "off" if running is None else running.pulled.phase.value
        problem = (running.pulled.problem or None) if running is not None else None
        return SourceState(source.masked, source.loop, source.enabled, state, problem)

    def warnings(self, channel: str) -> tuple[Mapping[str, object], ...]:
        """Tell what keeps the channel's source off the air."""
        running = self._running.get(channel)
        if running is None or not running.pulled.problem:
            return ()
        pulled = running.pulled
        left = max(1, math.ceil(pulled.next_at - self._clock.monotonic()))
        again = f"trying again in {left} s" if pulled.phase is Phase.WAITING else "trying again"
        message = f"The source cannot be read: {pulled.problem}; {again}."
        notice = Notice("source-unreadable", Severity.ERROR, message, ADVICE, pulled.since_ms)
        return (warning_json(notice),)

    async def _follow(self) -> None:
        while True:
            try:
                await self.refresh()
            except VitrineError as error:
                self._log.warning("sources cannot be looked up", reason=str(error))
            except Exception:  # noqa: BLE001 - logged; the next look may succeed
                self._log.exception("the look at the sources failed")
            await asyncio.sleep(SECONDS)

    def _begin(self, channel: str, source: Source) -> None:
        pulled = PulledSource(
            channel,
            source,
            self._gate,
            self._settings,
            self._clock,
            changed=lambda: self._changed(channel),
        )
        task = asyncio.create_task(self._attend(channel, pulled), name=f"source-{channel}")
        self._running[channel] = _Running(pulled, task)

    async def _attend(self, channel: str, pulled: PulledSource) -> None:
        try:
            await pulled.run()
            await self._sources.switch_off(channel, pulled.source)
        except Exception:  # noqa: BLE001 - one source's trouble must not end the others
            self._log.exception("a source failed", channel=channel)
        running = self._running.get(channel)
        if running is not None and running.pulled is pulled:
            del self._running[channel]
            if pulled.problem:
                self._changed(channel)

    async def _stop(self, channels: list[str], *, for_good: bool) -> None:
        ending = [self._running.pop(channel) for channel in channels]
        for running in ending:
            running.pulled.leaves_for_good = for_good
            running.task.cancel()
        await asyncio.gather(*(running.task for running in ending), return_exceptions=True)
        for channel, running in zip(channels, ending, strict=True):
            if running.pulled.problem:
                self._changed(channel)
