"""The data directory: the store in it, and what the server and commands beside it make of both."""

from __future__ import annotations

import asyncio
import errno
import sqlite3
from pathlib import Path

from overlay.tiles import check
from server.attempts import Attempts
from server.auth import playback_secret
from server.bus import Bus
from server.channels import Channels
from server.clock import Clock
from server.config import Config
from server.playback.keys import Playback
from server.shop.port import OffAir
from server.shop.service import Shop
from server.sources import Sources
from server.store.port import Store
from server.store.sqlite import SqliteStore

DATABASE = "vitrine.db"
_RESTORE = "; move it away and put a backup in its place, or let `vitrine serve` begin a new one"
_ADVICE = {sqlite3.SQLITE_NOTADB: _RESTORE, sqlite3.SQLITE_CORRUPT: _RESTORE}


async def open_store(config: Config, *, make: bool = True) -> SqliteStore:
    """Open the store in the data directory, making both when they are not there.

    Raises FileNotFoundError when they are not there and `make` is False; else OSError,
    sqlite3.Error.
    """
    folder = config.server.data_dir
    if not make and not await asyncio.to_thread((folder / DATABASE).is_file):
        said = "no Vitrine data is here; `vitrine serve` or `vitrine channel add` would begin it"
        raise FileNotFoundError(errno.ENOENT, said, str(folder))
    await asyncio.to_thread(make_private, folder)
    file = folder / DATABASE
    try:
        return await SqliteStore.open(file)
    except sqlite3.DatabaseError as error:
        raise type(error)(f"{file}: {error}{_ADVICE.get(error.sqlite_errorcode, '')}") from error


def make_private(folder: Path) -> None:
    """Make the directory, for its owner alone, where there is none. Raises OSError."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except (FileExistsError, NotADirectoryError) as error:
        said = "the data directory (server.data_dir, --data-dir) is a file, or lies below one"
        raise NotADirectoryError(errno.ENOTDIR, said, str(folder)) from error


def make_channels(config: Config, store: Store, clock: Clock) -> Channels:
    ingest = config.ingest
    attempts = Attempts(ingest.failed_keys, ingest.failed_keys_window_seconds)
    return Channels(store, clock, config.channel_defaults(), attempts)


def make_sources(config: Config, store: Store) -> Sources:
    pull = config.ingest.pull
    return Sources(store, allow_private=pull.allow_private, most=pull.max_sources)


async def make_playback(config: Config, store: Store, clock: Clock) -> Playback:
    secret = await asyncio.to_thread(playback_secret, config.server.data_dir)
    return Playback(store, secret, clock)


def make_offline_shop(config: Config, store: Store, clock: Clock) -> Shop:
    """Make a shop for commands that work on the store while nobody is on the air here."""
    return Shop(store, Bus(clock), OffAir(), clock, check, config.shop_settings())
