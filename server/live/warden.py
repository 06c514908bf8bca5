"""Ends what a replaced key or a removed channel left on the air, whoever did it and where.

asyncio. The store is asked again and again: a command beside the server changes it too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import structlog

from server.errors import VitrineError
from server.store.port import Store

LOOK_SECONDS = 2.0
REPLACED = "This stream key was replaced; ask for the new one."


class OnAir(Protocol):
    """The broadcasts that run, interrupted ones too."""

    def keys(self) -> Mapping[str, str]:
        """Give each channel's digest of the key its newest publisher came with, "" for none."""
        ...

    def turn_out(self, channel: str, reason: str) -> bool:
        """Drop the channel's publisher; the broadcast may be resumed. False: there is none."""
        ...

    async def stop(self, channel: str, reason: str) -> bool:
        """End the channel's broadcast; False when there is none."""
        ...


class Warden:
    """Looks every `seconds`. One question to the store for all channels on the air."""

    def __init__(
        self,
        store: Store,
        on_air: OnAir,
        gone: Callable[[str], Awaitable[None]],
        seconds: float = LOOK_SECONDS,
    ) -> None:
        """`gone` is told of each removed channel whose broadcast was ended."""
        self._store = store
        self._on_air = on_air
        self._gone = gone
        self._seconds = seconds
        self._task: asyncio.Task[None] | None = None
        self._log = structlog.get_logger("warden")

    def start(self) -> None:
        self._task = asyncio.create_task(self._watch())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def look(self) -> None:
        """Look once. Raises Unavailable; then nobody is turned out."""
        asked = dict(self._on_air.keys())
        if not asked:
            return
        standing = await self._store.standing_keys(asked)
        removed = []
        # The store's answer is a moment old: somebody may have taken over with another key.
        for channel, key in dict(self._on_air.keys()).items():
            if asked.get(channel) != key:
                continue
            if channel not in standing:
                removed.append(channel)
            elif key and key not in standing[channel] and self._on_air.turn_out(channel, REPLACED):
                self._log.info("a publisher's key was replaced", channel=channel)
        await asyncio.gather(*(self._end(channel) for channel in removed))

    async def _end(self, channel: str) -> None:
        self._log.info("a channel on the air was removed", channel=channel)
        await self._on_air.stop(channel, "the channel was removed")
        await self._gone(channel)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            try:
                await self.look()
            except VitrineError as error:
                self._log.warning("stream keys cannot be checked", reason=str(error))
            except Exception:  # noqa: BLE001 - logged; the next look may succeed
                self._log.exception("the check of stream keys failed")
