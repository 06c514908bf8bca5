"""The puller process as the server runs it, and what it says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ingest.unit import Unit
from transcode import plain, wire
from transcode.process import WorkerProcess, bare_environment
from transcode.pull.order import HEAD, Order

DEADLINE = 40.0
Kind = TypeVar("Kind", bound=Unit)


@dataclass
class Heard:
    process: WorkerProcess
    units: list[Unit] = field(default_factory=list)
    closed: str | None = None
    """The reason of its last message; empty: the source's own end."""
    _decoder: wire.Decoder = field(default_factory=wire.Decoder)

    def of(self, kind: type[Kind]) -> list[Kind]:
        return [unit for unit in self.units if isinstance(unit, kind)]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Listen until `condition`, or the end."""
        async with asyncio.timeout(DEADLINE):
            while not condition() and (data := await self.process.receive()):
                for message in self._decoder.feed(data):
                    if isinstance(message, wire.Feed):
                        self.units.append(message.unit)
                    elif isinstance(message, wire.Closed):
                        self.closed = message.reason

    async def to_the_end(self) -> str:
        await self.until(lambda: False)
        assert self.closed is not None
        return self.closed


@asynccontextmanager
async def pulling(url: str, **order: Any) -> AsyncIterator[Heard]:
    """Have a source read until the block ends; from this machine, if nothing is said of it."""
    body = plain.dump(Order(url, **{"allow_private": True, **order}))
    process = await WorkerProcess.spawn("transcode.puller", bare_environment())
    try:
        process.write(HEAD.pack(len(body)) + body)
        yield Heard(process)
    finally:
        await process.end()
