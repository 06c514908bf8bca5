"""Running a server until someone says stop."""

from __future__ import annotations

import asyncio
import signal

from server.app import Vitrine


def until_signalled() -> asyncio.Event:
    """Give an event that SIGTERM or SIGINT sets; the second such signal acts as usual again."""
    loop = asyncio.get_running_loop()
    told = asyncio.Event()

    def tell() -> None:
        told.set()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(each)

    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, tell)
    return told


async def serve_until_told(server: Vitrine) -> None:
    """Serve until SIGTERM or SIGINT, then drain. Raises OSError, ValueError as `start` does."""
    told = until_signalled()
    await server.start()
    try:
        await told.wait()
    finally:
        await server.stop()
