"""Tasks that belong to one owner: none is lost, none fails unheard, all end with it. asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

import structlog


class Tasks:
    """What was begun and is not over."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._log = structlog.get_logger("live")

    def begin(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Run `work` beside the caller; its failure is logged."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._settled)
        return task

    async def close(self) -> None:
        """Cancel what is not over and wait for it."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _settled(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._log.error("a live task failed", exc_info=task.exception())
