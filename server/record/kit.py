"""What recordings are written with, as one value. asyncio, by its parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from server.clock import Clock
from server.record.catalogue import Catalogue
from server.record.chronicle import Chronicle
from server.record.disk import Disk
from server.record.figures import Figures
from server.record.room import Room
from server.record.storage import Storage
from server.record.writer import Writer


@dataclass(frozen=True, slots=True)
class Kit:
    """What recordings are written with."""

    writer: Writer
    disk: Disk
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
