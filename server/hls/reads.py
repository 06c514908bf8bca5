"""Bodies from the archive: one read for all who ask, few at once, each with a deadline.

asyncio, no I/O of its own.
"""

from __future__ import annotations

import asyncio

import structlog

from server.hls.archive import Archive
from server.hls.request import Refusal, Refuse

AT_ONCE = 16
"""Reads that run at the same time; a body of some megabytes each."""
MOST = 256
"""Reads that run or wait for their turn."""
SECONDS = 10.0

_LOST = Refuse(Refusal.NOT_FOUND, "There is no such segment or part, or no longer.")
_LATE = Refuse(Refusal.UNAVAILABLE, "The recording cannot be read just now.")
_MANY = Refuse(Refusal.UNAVAILABLE, "Too many recorded segments are being read.")


class Reads:
    """One archive's reads. Runs on one event loop."""

    def __init__(self, archive: Archive, seconds: float = SECONDS) -> None:
        self._archive = archive
        self._seconds = seconds
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._tasks: dict[tuple[str, str], asyncio.Task[bytes | Refuse]] = {}

    async def read(self, rendition: str, name: str) -> bytes | Refuse:
        """Read a body; not found when it is lost, unavailable when it does not come in time."""
        key = rendition, name
        task = self._tasks.get(key)
        if task is None:
            if len(self._tasks) >= MOST:
                return _MANY
            task = asyncio.create_task(self._fetch(rendition, name))
            self._tasks[key] = task
            task.add_done_callback(lambda _: self._tasks.pop(key, None))
        # Who asked first may leave: the read goes on for the others, and has its deadline.
        await asyncio.wait((task,))
        return _LATE if task.cancelled() else task.result()

    def close(self) -> None:
        """Give up all reads."""
        for task in self._tasks.values():
            task.cancel()

    async def _fetch(self, rendition: str, name: str) -> bytes | Refuse:
        try:
            async with asyncio.timeout(self._seconds), self._turn:
                body = await self._archive.read(rendition, name)
        except (TimeoutError, OSError) as error:
            structlog.get_logger("hls").warning(
                "recording not read", rendition=rendition, name=name, error=str(error)
            )
            return _LATE
        return _LOST if body is None else body
