"""What is SQLite's own: the file, its durability, its migrations, its bounds."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from server.channel import Channel, OverlaySettings
from server.errors import Unavailable
from server.store import database
from server.store.database import Database
from server.store.schema import MIGRATIONS
from server.store.sqlite import SqliteStore

ONE = "CREATE TABLE a (n INTEGER)"
TWO = "ALTER TABLE a ADD COLUMN m INTEGER DEFAULT 5; CREATE INDEX i ON a (m)"


async def opened(path: Path, *migrations: str) -> Database:
    made = Database(path, migrations)
    await made.open()
    return made


def pragma(db: sqlite3.Connection, name: str) -> object:
    return db.execute(f"PRAGMA {name}").fetchone()[0]


async def test_it_is_durable_before_it_is_fast(tmp_path: Path) -> None:
    base = await opened(tmp_path / "a", ONE)
    for call in (base.read, base.write):
        assert await call(lambda db: pragma(db, "journal_mode")) == "wal"
        assert await call(lambda db: pragma(db, "synchronous")) == 2, "FULL"
        assert await call(lambda db: pragma(db, "foreign_keys")) == 1
    await base.close()


async def test_an_older_file_is_brought_up_to_date(tmp_path: Path) -> None:
    old = await opened(tmp_path / "a", ONE)
    await old.write(lambda db: db.execute("INSERT INTO a VALUES (1)"))
    await old.close()
    new = await opened(tmp_path / "a", ONE, TWO)
    assert await new.read(lambda db: tuple(db.execute("SELECT * FROM a").fetchone())) == (1, 5)
    assert await new.read(lambda db: pragma(db, "user_version")) == 2
    await new.close()


async def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    await (await opened(tmp_path / "a", ONE)).close()
    broken = Database(tmp_path / "a", (ONE, TWO + "; CREATE NONSENSE"))
    with pytest.raises(sqlite3.Error):
        await broken.open()
    await broken.close()
    good = await opened(tmp_path / "a", ONE, TWO)
    assert await good.read(lambda db: pragma(db, "user_version")) == 2
    await good.close()


async def test_a_newer_file_is_left_alone(tmp_path: Path) -> None:
    await (await opened(tmp_path / "a", ONE, TWO)).close()
    older = Database(tmp_path / "a", (ONE,))
    with pytest.raises(ValueError, match="newer version"):
        await older.open()
    await older.close()


async def test_two_processes_may_make_the_file_at_once(tmp_path: Path) -> None:
    stores = await asyncio.gather(*(SqliteStore.open(tmp_path / "a") for _ in range(4)))
    for store in stores:
        await store.close()


async def test_a_transaction_is_whole_or_not_at_all(tmp_path: Path) -> None:
    base = await opened(tmp_path / "a", ONE)

    def half(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO a VALUES (1)")
        raise KeyError("in the middle")

    with pytest.raises(KeyError):
        await base.write(half)
    assert await base.read(lambda db: db.execute("SELECT count(*) FROM a").fetchone()[0]) == 0
    await base.write(lambda db: db.execute("INSERT INTO a VALUES (2)"))
    await base.close()


async def test_waiting_is_bounded_in_number_and_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_WAITING", 3)
    monkeypatch.setattr(database, "_DEADLINE", 0.05)
    monkeypatch.setattr(database, "_BUSY_MS", 20)
    base = await opened(tmp_path / "a", ONE)
    other = sqlite3.connect(tmp_path / "a", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    calls = [base.write(lambda db: db.execute("INSERT INTO a VALUES (1)")) for _ in range(5)]
    done = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(item, Unavailable) for item in done)
    assert sum("too much to do" in str(item) for item in done) == 2
    other.execute("ROLLBACK")
    other.close()
    await base.close()


async def test_the_schema_keeps_its_word(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path / "a")
    await store.add_channel(Channel("tea", "Tea", "default", OverlaySettings(), 0), (), 5)
    await store.close()
    db = sqlite3.connect(tmp_path / "a")
    assert pragma(db, "user_version") == len(MIGRATIONS)
    assert pragma(db, "integrity_check") == "ok"
    db.close()
