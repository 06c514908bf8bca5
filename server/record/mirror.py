"""Recordings on the local disk and in an object store: written here first, brought there behind.

What is whole is brought as it comes; when a session has ended, both sides are compared and the rest
follows, the journal last. So a journal there means that all of it is there. asyncio.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable

import structlog

from server.clock import Clock
from server.errors import VitrineError
from server.record.catalogue import Catalogue, Entry
from server.record.errors import RecordError
from server.record.figures import Figures
from server.record.mirrored_storage import AT_ONCE, MirroredStorage
from server.record.storage import JOURNAL, home

ROUND_SECONDS = 30.0
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 300.0
ENTRIES_AT_ONCE = 20
GROWN = 1.05
"""All uploads of a growing journal come to some twenty times its size, however long the show."""


class Mirror:
    """Brings what is local to the object store, and lets go of local copies in time."""

    def __init__(
        self,
        storage: MirroredStorage,
        catalogue: Catalogue,
        clock: Clock,
        figures: Figures,
        keep_local_ms: int,
    ) -> None:
        self._storage = storage
        self._catalogue = catalogue
        self._clock = clock
        self._figures = figures
        self._keep_ms = keep_local_ms
        self._pause = 0.0
        self._compared_at = float("-inf")
        self._journals: dict[str, int] = {}
        """Bytes of those that were brought unfinished, by key."""
        self._task: asyncio.Task[None] | None = None
        self.trouble = ""
        """Why nothing can be brought just now; empty: all is well."""
        self._log = structlog.get_logger("record")

    @property
    def waiting(self) -> int:
        """Files that wait to be brought."""
        return self._storage.waiting

    def start(self) -> None:
        self._storage.listen()
        self._task = asyncio.create_task(self._work(), name="mirror")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def compare_soon(self) -> None:
        """Look at once for what has ended."""
        self._compared_at = float("-inf")
        self._storage.note("")

    async def compare(self) -> None:
        """Bring what is lacking of recordings that have ended; let go of old local copies.

        One that cannot be brought holds up no other. Raises StorageDown, Unavailable.
        """
        now = self._clock.wall_ms()
        failed: RecordError | None = None
        soon = now + 86_400_000  # the clock may have been set back since
        for entry in await self._catalogue.afloat(
            uploaded=False, ended_before_ms=soon, limit=ENTRIES_AT_ONCE
        ):
            try:
                await self._bring_all(entry)
            except RecordError as error:
                failed = failed or error
                continue
            await self._catalogue.mark(entry.channel, entry.session, uploaded=True, local=True)
            self._log.info("recording uploaded", channel=entry.channel, session=entry.session)
        for entry in await self._catalogue.afloat(
            uploaded=True, ended_before_ms=now - self._keep_ms, limit=ENTRIES_AT_ONCE
        ):
            await self._storage.local.remove(home(entry.channel, entry.session))
            await self._catalogue.mark(entry.channel, entry.session, uploaded=True, local=False)
        await self._bring_growing(await self._catalogue.unfinished())
        if failed is not None:
            raise failed

    async def _bring_growing(self, entries: Iterable[Entry]) -> None:
        """Bring the journals of what is on the air, each when it has grown by GROWN."""
        before, self._journals = self._journals, {}
        for entry in entries:
            key = f"{home(entry.channel, entry.session)}/{JOURNAL}"
            size = sum(item.size for item in await self._storage.local.items(key))
            self._journals[key] = before.get(key, 0)
            if size > GROWN * self._journals[key]:
                await self._bring(key)
                self._journals[key] = size

    async def _bring_all(self, entry: Entry) -> None:
        prefix = home(entry.channel, entry.session)
        there = {item.key: item.size for item in await self._storage.remote.items(prefix)}
        journal = f"{prefix}/{JOURNAL}"
        # A document may have changed and kept its length; media never changes.
        lacking = [
            item.key
            for item in await self._storage.local.items(prefix)
            if there.get(item.key) != item.size or item.key.endswith(".json")
        ]
        lacking = [key for key in lacking if key != journal]
        for start in range(0, len(lacking), AT_ONCE):
            await _together(self._bring(key) for key in lacking[start : start + AT_ONCE])
        await self._bring(journal)

    async def _bring(self, key: str) -> None:
        self._figures.uploaded_bytes += await self._storage.bring(key)

    async def _work(self) -> None:
        while True:
            await asyncio.sleep(self._pause)
            patience = 0.0 if self.trouble else ROUND_SECONDS
            keys = [key for key in await self._storage.take(patience) if key]
            try:
                await _together(self._bring(key) for key in keys)
                keys = []
                now = self._clock.monotonic()
                if now - self._compared_at >= ROUND_SECONDS:
                    await self.compare()
                    self._compared_at = now
                self._well()
            except Exception as error:  # noqa: BLE001 - logged; it is tried again
                for key in keys:
                    self._storage.note(key)
                self._failed(error)

    def _well(self) -> None:
        if self.trouble:
            self._log.info("uploading again")
        self.trouble, self._pause = "", 0.0

    def _failed(self, error: Exception) -> None:
        self._figures.upload_failures += 1
        self._pause = min(max(2 * self._pause, FIRST_PAUSE), LONGEST_PAUSE)
        if not self.trouble:
            known = isinstance(error, (RecordError, VitrineError))
            said = "recordings are not uploaded; they stay here"
            self._log.error(said, reason=str(error), exc_info=None if known else error)
        self.trouble = str(error) or type(error).__name__


async def _together(works: Iterable[Coroutine[None, None, None]]) -> None:
    """Do all; then raise the first error of any."""
    for result in await asyncio.gather(*works, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result
