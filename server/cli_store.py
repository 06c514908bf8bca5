"""What commands do on the store, beside a running server or without one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from server.config import Config
from server.services import open_store
from server.store.sqlite import SqliteStore
from server.terminal import run

Result = TypeVar("Result")


def on_store(
    config: Config, act: Callable[[SqliteStore], Awaitable[Result]], *, make: bool = False
) -> Result:
    """Do `act` on the store, which only `make` may begin; then close it."""

    async def work() -> Result:
        store = await open_store(config, make=make)
        try:
            return await act(store)
        finally:
            await store.close()

    return run(work())
