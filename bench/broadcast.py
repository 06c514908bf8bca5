"""Broadcasts of `bench.sender`, started and ended.

asyncio.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator

from bench import sender
from bench.report import BenchError
from bench.serving import end

CONNECT_SECONDS = 60.0


@contextlib.asynccontextmanager
async def broadcasting(url: str, seconds: float) -> AsyncIterator[int]:
    """Broadcast to `url` until the block ends, at most `seconds`.

    Gives when the sender began to connect, in UTC milliseconds. Raises BenchError.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.sender", url, str(seconds), stdout=asyncio.subprocess.PIPE
    )
    try:
        if process.stdout is None:
            raise BenchError("the sender has no output")
        line = await asyncio.wait_for(process.stdout.readline(), CONNECT_SECONDS)
        word, _, at = line.decode().strip().partition(" ")
        if word != sender.CONNECTING:
            raise BenchError("the sender did not start")
        yield int(at)
    finally:
        await end(process)
