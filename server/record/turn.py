"""Work in the disk's threads, in its turn, for those on the event loop who wait. asyncio."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from server.record.disk_threads import DiskThreads
from server.record.errors import RecordError

_T = TypeVar("_T")


async def in_turn(threads: DiskThreads, work: Callable[[], _T], seconds: float) -> _T:
    """Have `work` done behind all that waits there already, and return what it does.

    Raises what it raises of OSError and RecordError, and TimeoutError after `seconds` or when too
    much waits already. What was begun by then is done all the same.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_T] = loop.create_future()

    def act() -> None:
        if done.cancelled():
            return
        try:
            tell(partial(_settle, done, work()))
        except (OSError, RecordError) as error:
            tell(partial(_fail, done, error))

    def tell(call: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(call)

    if not threads.offer(0, act):
        raise TimeoutError("too much waits for the disk")
    async with asyncio.timeout(seconds):
        return await done


def _settle(done: asyncio.Future[_T], found: _T) -> None:
    if not done.done():
        done.set_result(found)


def _fail(done: asyncio.Future[_T], error: Exception) -> None:
    if not done.done():
        done.set_exception(error)
