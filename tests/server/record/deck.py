"""A recorder with a real disk, a real store and a real writer's thread, and shows made by code."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from server.channel import Channel, OverlaySettings
from server.hls.answer import Answer
from server.hls.window import Window
from server.record.catalogue import Entry
from server.record.chronicle import Chronicle
from server.record.disk import Disk, LocalDisk
from server.record.disk_threads import DiskThreads
from server.record.figures import Figures
from server.record.kit import Kit
from server.record.library import Library
from server.record.local import LocalStorage
from server.record.recorder import Recorder
from server.record.room import Room
from server.record.tape import Tape
from server.shop.settings import ShowSettings
from server.store.sqlite import SqliteStore
from tests.helpers.eventually import eventually
from tests.helpers.manual_clock import ManualClock
from tests.server.hls.reader import ReadPlaylist, read
from tests.server.hls.show import Show

CHANNEL = "tea"
SESSION = "01KE00000000000000000000AA"
TEA = Channel(CHANNEL, "Tea at five", "default", OverlaySettings(), 0)


@dataclass
class Deck:
    """One server's recording side."""

    folder: Path
    disk: Disk
    store: SqliteStore
    clock: ManualClock
    figures: Figures
    writer: DiskThreads
    storage: LocalStorage
    recorder: Recorder
    library: Library

    def show(self, session: str = SESSION, run: str = "r1", *, dvr_seconds: int = 0) -> Show:
        """Open a window that is recorded; as a channel's second it carries on."""
        tape = self.recorder.tape(CHANNEL, TEA.title, session)
        window = Window(run, 1, 0, 15, dvr_seconds, archive=tape, scribe=tape)
        return Show(window, pdt_ms=self.clock.wall_ms())

    def tape(self, session: str = SESSION) -> Tape:
        return self.recorder.tape(CHANNEL, TEA.title, session)

    async def begin(self, show: Show, session: str = SESSION) -> None:
        """Open the first epoch and tell the recorder."""
        show.epoch()
        await self.recorder.session_started(CHANNEL, session, show.pdt_ms)

    async def on_air(self, segments: int = 0, *, dvr_seconds: int = 0) -> Show:
        """Begin a session of so many segments, and have them on the disk."""
        show = self.show(dvr_seconds=dvr_seconds)
        await self.begin(show)
        show.segments(segments)
        await self.written()
        return show

    async def end(self, show: Show, session: str = SESSION) -> Entry:
        """End the session as the registry does and wait until the recording is sealed."""
        at_ms = show.window.latest_pdt_ms or show.pdt_ms
        await self.recorder.session_ended(CHANNEL, session, at_ms)
        show.window.end()
        return await self.sealed(session)

    async def sealed(self, session: str = SESSION) -> Entry:
        async with asyncio.timeout(10):
            await self.recorder.settle()
            while self.recorder.unsealed:
                self.clock.advance(5_000)
                await self.recorder.settle()
        entry = await self.store.recordings.get(CHANNEL, session)
        assert entry is not None
        return entry

    async def written(self) -> None:
        """Wait until the disk has all that was offered."""
        await eventually(lambda: self.writer.idle)

    async def playlist(self, rendition: str = "720p", session: str = SESSION) -> ReadPlaylist:
        answer = await self.library.playlist(CHANNEL, session, rendition)
        return read(answer.body.decode())

    async def media(self, name: str, rendition: str = "720p", session: str = SESSION) -> Answer:
        return await self.library.media(CHANNEL, session, rendition, name)


@asynccontextmanager
async def deck(
    folder: Path,
    *,
    disk: Disk | None = None,
    root: Path | None = None,
    clock: ManualClock | None = None,
    queue: int = 4_194_304,
    min_free: int = 0,
    crash: bool = False,
) -> AsyncIterator[Deck]:
    """Run one on the data in `folder`; `crash`: what is open is left as a killed server leaves it.

    `root`: where recordings lie, if not there too.
    """
    disk = disk or LocalDisk(root or folder)
    clock = clock or ManualClock()
    store = await SqliteStore.open(folder / "vitrine.db")
    if await store.channel(CHANNEL) is None:
        await store.add_channel(TEA, (), 10)
    figures, storage = Figures(), LocalStorage(disk)
    writer = DiskThreads("recorder", most_bytes=queue)
    kit = Kit(
        writer=writer,
        disk=disk,
        local=storage,
        room=Room(disk, clock.monotonic, min_free),
        storage=storage,
        catalogue=store.recordings,
        chronicle=Chronicle(store, ShowSettings()),
        clock=clock,
        figures=figures,
    )
    recorder, library = Recorder(kit), Library(store.recordings, storage)
    writer.start()
    made = Deck(folder, disk, store, clock, figures, writer, storage, recorder, library)
    try:
        yield made
    finally:
        if crash:
            await asyncio.to_thread(writer.close)
        else:
            await recorder.close()
        await storage.close()
        await store.close()
