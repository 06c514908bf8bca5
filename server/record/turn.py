"""Work in the writer's thread, in its turn, for those on the event loop who wait. asyncio."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from server.record.errors import RecordError
from server.record.writer import Writer

_T = TypeVar("_T")


async def in_turn(writer: Writer, work: Callable[[], _T], seconds: float) -> _T:
    """Have `work` done behind all that waits to be written, and return what it does.

    Raises what it raises of OSError and RecordError, and TimeoutError after `seconds` or when too
    much waits already; it may be done later all the same.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_T] = loop.create_future()

    def act() -> None:
        try:
            tell(partial(_settle, done, work()))
        except (OSError, RecordError) as error:
            tell(partial(_fail, done, error))

    def tell(call: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(call)

    if not writer.offer(0, act):
        raise TimeoutError("too much waits to be written")
    async with asyncio.timeout(seconds):
        return await done


def _settle(done: asyncio.Future[_T], found: _T) -> None:
    if not done.done():
        done.set_result(found)


def _fail(done: asyncio.Future[_T], error: Exception) -> None:
    if not done.done():
        done.set_exception(error)
