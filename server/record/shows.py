"""What replays are made from, as their makers see it, and the timeline that is stored with them.

asyncio. `server.record.library` is the shop window's own `Shows`.
"""

from __future__ import annotations

import asyncio
import json
from typing import Protocol

from server.record.chapters import Showing, showings
from server.record.errors import Missing
from server.record.recording import Recording
from server.record.storage import DERIVED, TIMELINE, Storage, home


class Shows(Protocol):
    """Recordings that have ended."""

    @property
    def storage(self) -> Storage: ...

    async def recording(self, channel: str, session: str) -> Recording:
        """Return a recording. Raises NotFound, Conflict `on-air`, Unavailable."""
        ...


def derived(recording: Recording, name: str) -> str:
    """Return the storage key of something made of a recording; it is removed with it."""
    return f"{home(recording.channel, recording.session)}/{DERIVED}/{name}"


async def showings_of(shows: Shows, recording: Recording) -> tuple[Showing, ...]:
    """Read which products were shown when; none where no timeline was stored.

    Raises StorageDown.
    """
    key = f"{home(recording.channel, recording.session)}/{TIMELINE}"
    try:
        data = await shows.storage.read(key)
    except Missing:
        return ()
    return await asyncio.to_thread(_read, data)


def _read(data: bytes) -> tuple[Showing, ...]:
    try:
        told = json.loads(data)
    except ValueError:
        return ()
    return showings(told) if isinstance(told, dict) else ()
