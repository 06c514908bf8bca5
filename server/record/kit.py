"""What recordings are written with, as one value. asyncio, by its parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from server.clock import Clock
from server.record.catalogue import Catalogue
from server.record.chronicle import Chronicle
from server.record.disk import Disk
from server.record.disk_threads import DiskThreads
from server.record.figures import Figures
from server.record.local import LocalStorage
from server.record.room import Room
from server.record.storage import Storage


@dataclass(frozen=True, slots=True)
class Kit:
    """What recordings are written with."""

    writer: DiskThreads
    """One thread: what it is offered is written in order."""
    disk: Disk
    local: LocalStorage
    """The same disk, for those who wait for it on the event loop."""
    room: Room
    storage: Storage
    catalogue: Catalogue
    chronicle: Chronicle
    clock: Clock
    figures: Figures
    whole: Callable[[str], None] = lambda _key: None
    """Told the key of all that is whole, from the writer's thread."""
    sealed: Callable[[], None] = lambda: None
    """Told that a recording has ended."""
