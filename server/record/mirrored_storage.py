"""The Storage that is local first, with an object store behind it. asyncio.

`server.record.mirror` brings there what is written here.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict

from server.record.errors import Missing
from server.record.storage import Item, Storage

MOST_NOTED = 10_000
"""Keys that wait to be brought; what is beyond is found by the comparison at the end."""
AT_ONCE = 4


class MirroredStorage:
    """The Storage that is local first."""

    def __init__(self, local: Storage, remote: Storage) -> None:
        self.local = local
        self.remote = remote
        self._noted: OrderedDict[str, None] = OrderedDict()
        self._under_way: dict[str, asyncio.Event] = {}
        """Keys that are being brought; each is set when that is over."""
        self._news = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def read(self, key: str) -> bytes:
        try:
            return await self.local.read(key)
        except Missing:
            return await self.remote.read(key)

    async def write(self, key: str, data: bytes) -> None:
        await self.local.write(key, data)
        self.note(key)

    async def items(self, prefix: str) -> tuple[Item, ...]:
        found = {item.key: item for item in await self.remote.items(prefix)}
        found |= {item.key: item for item in await self.local.items(prefix)}
        return tuple(found[key] for key in sorted(found))

    async def remove(self, prefix: str) -> int:
        """Remove it here, wait for what is on its way, then remove it there.

        What fails in between is begun anew: the catalogue remembers a removal.
        """
        near = await self.local.remove(prefix)
        for key, brought in list(self._under_way.items()):
            if key.startswith(f"{prefix}/"):
                await brought.wait()
        return max(near, await self.remote.remove(prefix))

    async def bring(self, key: str) -> int:
        """Write what is here there too; return its bytes, 0 when it was removed meanwhile."""
        brought = self._under_way[key] = asyncio.Event()
        try:
            data = await self._here(key)
            if data is not None:
                await self.remote.write(key, data)
        finally:
            del self._under_way[key]
            brought.set()
        return len(data or b"")

    async def _here(self, key: str) -> bytes | None:
        try:
            return await self.local.read(key)
        except Missing:
            return None

    async def close(self) -> None:
        await self.local.close()
        await self.remote.close()

    @property
    def waiting(self) -> int:
        return len(self._noted)

    def note(self, key: str) -> None:
        """Have `key` brought. On the event loop."""
        if len(self._noted) < MOST_NOTED:
            self._noted[key] = None
            self._news.set()

    def note_from_thread(self, key: str) -> None:
        """Have `key` brought; for the writer's thread."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self.note, key)

    def listen(self) -> None:
        """Take keys from threads from now on. On the event loop."""
        self._loop = asyncio.get_running_loop()

    async def take(self, seconds: float) -> list[str]:
        """Return keys to be brought, oldest first; none when there is no news for so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()
        keys = list(self._noted)[:AT_ONCE]
        for key in keys:
            del self._noted[key]
        if not self._noted:
            self._news.clear()
        return keys
