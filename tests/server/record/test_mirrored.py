"""Removal and uploads that meet, and a file that cannot be read."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from server.record.errors import StorageDown
from server.record.mirror import Mirror
from server.record.mirrored_storage import MirroredStorage
from server.record.retention import DAY_MS
from server.record.storage import home
from tests.helpers.eventually import eventually
from tests.server.record.deck import CHANNEL, SESSION, deck


class FarStorage:
    """An object store in memory, whose writes take until they are let through."""

    def __init__(self) -> None:
        self.stored: dict[str, bytes] = {}
        self.writes = 0
        self.open = asyncio.Event()
        self.asked = asyncio.Event()

    async def read(self, key: str) -> bytes:
        return self.stored[key]

    async def write(self, key: str, data: bytes) -> None:
        self.asked.set()
        await self.open.wait()
        self.stored[key] = data
        self.writes += 1

    async def items(self, prefix: str) -> tuple[()]:
        return ()

    async def remove(self, prefix: str) -> int:
        gone = [key for key in self.stored if key.startswith(f"{prefix}/")]
        return sum(len(self.stored.pop(key)) for key in gone)

    async def close(self) -> None:
        """Nothing to close."""


async def test_what_was_on_its_way_when_its_recording_was_removed_is_removed_too(
    tmp_path: Path,
) -> None:
    async with deck(tmp_path) as here:
        far = FarStorage()
        storage = MirroredStorage(here.storage, far)
        key = f"{home(CHANNEL, SESSION)}/720p/x.m4s"
        await here.storage.write(key, b"media")
        bringing = asyncio.create_task(storage.bring(key))
        await far.asked.wait()
        removing = asyncio.create_task(storage.remove(home(CHANNEL, SESSION)))
        await eventually(lambda: not (tmp_path / key).exists())
        far.open.set()
        assert await removing == len(b"media")
        assert await bringing == len(b"media")
        assert far.stored == {}
        assert await storage.bring(key) == 0


async def test_a_growing_journal_is_brought_now_and_then(tmp_path: Path) -> None:
    async with deck(tmp_path) as here:
        far = FarStorage()
        far.open.set()
        storage = MirroredStorage(here.storage, far)
        mirror = Mirror(storage, here.store.recordings, here.clock, here.figures, DAY_MS)
        show = await here.on_air(30)
        for _ in range(20):
            await mirror.compare()
            show.segments(1)
            await here.written()
        assert 5 < far.writes < 15
        await here.end(show)


async def test_a_recording_that_cannot_be_brought_holds_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = "01KE00000000000000000000BB"
    async with deck(tmp_path) as here:
        await here.end(await here.on_air(1))
        second = here.show(other, "r2")
        await here.begin(second, other)
        second.segments(1)
        await here.end(second, other)
        far = FarStorage()
        far.open.set()
        storage = MirroredStorage(here.storage, far)
        read = here.storage.read

        async def broken(key: str) -> bytes:
            if SESSION in key and key.endswith(".m4s"):
                raise StorageDown("a bad sector")
            return await read(key)

        monkeypatch.setattr(here.storage, "read", broken)
        mirror = Mirror(storage, here.store.recordings, here.clock, here.figures, DAY_MS)
        with pytest.raises(StorageDown, match="bad sector"):
            await mirror.compare()
        entries = await here.store.recordings.page(CHANNEL, None, 10)
        assert {entry.session: entry.uploaded for entry in entries} == {SESSION: False, other: True}
