"""Running a server until someone says stop."""

from __future__ import annotations

import asyncio
import signal

from server.app import Vitrine

_TWICE_SECONDS = 1.0
"""Some senders (coreutils' timeout) signal a process and then its whole group: one wish."""


def until_signalled() -> asyncio.Event:
    """Give an event that SIGTERM or SIGINT sets; a second one, later, acts as usual again."""
    loop = asyncio.get_running_loop()
    told = asyncio.Event()

    def tell() -> None:
        if not told.is_set():
            told.set()
            loop.call_later(_TWICE_SECONDS, give_back)

    def give_back() -> None:
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
