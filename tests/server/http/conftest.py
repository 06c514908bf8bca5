from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.server.running import Client, running


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Client]:
    async with running(tmp_path / "data") as client:
        yield client
