"""One recorded show for the tests of what is made of recordings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from server.errors import Conflict, NotFound
from server.record.disk import LocalDisk
from server.record.local import LocalStorage
from server.record.recording import Recording
from tests.helpers.clips import Clip
from tests.helpers.recorded import Recorded, recorded, two_epochs


@pytest.fixture(scope="session")
def show() -> Recorded:
    """Six seconds, a minute of nothing, four seconds more of the same format."""
    return recorded(two_epochs((Clip(seconds=6.0), Clip(seconds=4.0))))


@pytest_asyncio.fixture
async def storage(tmp_path: Path) -> AsyncIterator[LocalStorage]:
    made = LocalStorage(LocalDisk(tmp_path))
    yield made
    await made.close()


@dataclass
class OneShow:
    """A library of one recording."""

    storage: LocalStorage
    held: Recording
    on_air: int = 0
    """So often it says that the show is still on the air."""
    removed: bool = False

    async def recording(self, channel: str, session: str) -> Recording:
        if self.removed or (channel, session) != (self.held.channel, self.held.session):
            raise NotFound("recording", session)
        if self.on_air:
            self.on_air -= 1
            raise Conflict("on-air", "The session is on the air.")
        return self.held


@pytest_asyncio.fixture
async def shows(storage: LocalStorage, show: Recorded) -> OneShow:
    await show.put(storage)
    return OneShow(storage, show.recording)
