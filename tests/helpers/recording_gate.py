"""A gate and a sink that keep what they get."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from ingest.port import Entry, PublishRequest, Refusal, Refused, Sink
from ingest.unit import AudioConfig, AudioUnit, StreamInfo, Unit, VideoConfig, VideoUnit

KEY = "sk-made-up"

T = TypeVar("T", StreamInfo, VideoConfig, AudioConfig, VideoUnit, AudioUnit)


@dataclass
class RecordingSink:
    units: list[Unit] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    goodbyes: list[bool] = field(default_factory=list)
    """Whether each close was the publisher's own."""
    name: str = "tea"

    def accept(self, units: Sequence[Unit]) -> None:
        self.units += units

    def close(self, reason: str, *, finished: bool = False) -> None:
        self.closed.append(reason)
        self.goodbyes.append(finished)

    def of(self, kind: type[T]) -> list[T]:
        return [unit for unit in self.units if isinstance(unit, kind)]


@dataclass
class RecordingGate:
    """Admits KEY; while `hold` is set and not fired there is no verdict, `door`: no way in."""

    hold: asyncio.Event | None = None
    door: asyncio.Event | None = None
    requests: list[PublishRequest] = field(default_factory=list)
    sinks: list[RecordingSink] = field(default_factory=list)

    async def judge(self, request: PublishRequest) -> Entry | Refused:
        self.requests.append(request)
        if self.hold is not None:
            await self.hold.wait()
        if request.key != KEY:
            return Refused(Refusal.BAD_KEY, "This stream key is not known.")
        return self._let_in

    async def _let_in(self) -> Sink:
        if self.door is not None:
            await self.door.wait()
        sink = RecordingSink()
        self.sinks.append(sink)
        return sink


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Poll until `condition` holds; TimeoutError after `seconds`."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is watched has no event to wait for
            await asyncio.sleep(0.01)
