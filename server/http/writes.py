"""Writes under way: each is finished, whether its client waits for the answer or not."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from server.http.reply import Reply


class Writes:
    """A client that hangs up cancels its request; half a change must not be what stays."""

    def __init__(self) -> None:
        self._begun: set[asyncio.Task[Reply]] = set()

    async def finish(self, work: Coroutine[Any, Any, Reply]) -> Reply:
        """Do `work` to its end, even when this is cancelled. Raises what it raises."""
        task = asyncio.create_task(work)
        self._begun.add(task)
        task.add_done_callback(self._begun.discard)
        return await asyncio.shield(task)
