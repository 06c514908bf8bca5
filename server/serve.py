"""Running a server until someone says stop."""

from __future__ import annotations

import asyncio
import gc
import resource
import signal

from server.app import Vitrine

_YOUNG = 10_000
"""Values made, less those dropped again, before the collector looks for cycles among them."""
_MOST_FILES = 65_536
"""Each viewer has a connection or two; shells begin with room for a thousand in all."""
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


def settle() -> None:
    """Take what a start has made out of the garbage collector's sight: it stays anyway.

    A server makes and drops values all the time, and hardly any in cycles. Each look of the
    collector would go over hundreds of thousands of objects that are never garbage.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 20, 20)


def open_many_files() -> None:
    """Take the file descriptors that the system allows this process, within reason."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


async def serve_until_told(server: Vitrine) -> None:
    """Serve until SIGTERM or SIGINT, then drain. Raises OSError, ValueError as `start` does."""
    told = until_signalled()
    open_many_files()
    await server.start()
    settle()
    try:
        await told.wait()
    finally:
        await server.stop()
