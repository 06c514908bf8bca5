"""Recordings on the local disk, read and kept without blocking the event loop.

Reads come from the page cache mostly; a disk that hangs holds its own few threads and no others,
and whoever waits is told so within a deadline.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from server.record.disk import Disk
from server.record.disk_threads import DiskThreads
from server.record.errors import Missing, StorageDown
from server.record.storage import Item
from server.record.turn import in_turn

THREADS = 4
MOST_WAITING = 256
DEADLINE_SECONDS = 10.0
WHOLE_SECONDS = 120.0
"""For all files of a recording: of a show of hours there are tens of thousands."""
_T = TypeVar("_T")


class LocalStorage:
    """The Storage of one Disk."""

    def __init__(self, disk: Disk, deadline: float = DEADLINE_SECONDS) -> None:
        self._disk = disk
        self._deadline = deadline
        self._threads = DiskThreads("recordings", THREADS, most_jobs=MOST_WAITING)
        self._threads.start()

    async def read(self, key: str) -> bytes:
        return await self._run(key, lambda: self._disk.read(key))

    async def write(self, key: str, data: bytes) -> None:
        await self._run(key, lambda: self._disk.replace(key, data))

    async def items(self, prefix: str) -> tuple[Item, ...]:
        sizes = await self._run(prefix, lambda: self._disk.sizes(prefix), WHOLE_SECONDS)
        return tuple(Item(key, sizes[key]) for key in sorted(sizes))

    async def remove(self, prefix: str) -> int:
        return await self._run(prefix, lambda: self._disk.remove(prefix), WHOLE_SECONDS)

    async def close(self) -> None:
        self._threads.close(0)

    async def ask(self, work: Callable[[], _T], seconds: float | None = None) -> _T:
        """Have something else asked of the disk. Raises StorageDown."""
        return await self._run("such file", work, seconds)

    async def _run(self, key: str, work: Callable[[], _T], seconds: float | None = None) -> _T:
        try:
            return await in_turn(self._threads, work, seconds or self._deadline)
        except TimeoutError as error:
            raise StorageDown("The disk under recordings did not answer in time.") from error
        except (FileNotFoundError, NotADirectoryError) as error:
            raise Missing(f"There is no {key}.") from error
        except OSError as error:
            raise StorageDown(f"The disk under recordings cannot do it: {error}.") from error
