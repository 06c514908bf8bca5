"""A broadcast of `bench.encoders`, started and ended.

asyncio.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

from bench import encoders
from bench.report import BenchError
from bench.serving import end

CONNECT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Broadcast:
    """When it began, in UTC milliseconds."""

    connecting_ms: int
    first_due_ms: int
    """When its first picture was due: it is sent then, not encoded."""


@contextlib.asynccontextmanager
async def broadcasting(url: str, seconds: float) -> AsyncIterator[Broadcast]:
    """Broadcast to `url` until the block ends, at most `seconds`. Raises BenchError."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.encoders", str(seconds), url, stdout=asyncio.subprocess.PIPE
    )
    try:
        if process.stdout is None:
            raise BenchError("the encoder has no output")
        line = await asyncio.wait_for(process.stdout.readline(), CONNECT_SECONDS)
        word, *times = line.decode().split()
        if word != encoders.SENDING:
            raise BenchError("the encoder did not start")
        yield Broadcast(*map(int, times))
    finally:
        await end(process)
