"""The stores that keep the contract. A new one is a new line in STORES."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from server.store.port import Store
from server.store.sqlite import SqliteStore

Reopen = Callable[[], Awaitable[Store]]


async def _sqlite(folder: Path) -> Store:
    return await SqliteStore.open(folder / "vitrine.sqlite3")


STORES: dict[str, Callable[[Path], Awaitable[Store]]] = {"sqlite": _sqlite}


@pytest.fixture(params=sorted(STORES))
async def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Reopen]:
    """Open the same store once more, as after a restart or from another process."""
    opened: list[Store] = []

    async def open_one() -> Store:
        store = await STORES[request.param](tmp_path)
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        await store.close()


@pytest.fixture
async def store(reopen: Reopen) -> Store:
    return await reopen()
