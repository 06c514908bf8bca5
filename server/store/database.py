"""SQLite on threads: one connection that writes, a few that read, whole functions at a time.

A function given to `write` is one transaction; it is on disk when the call returns (WAL with
synchronous FULL). Waiting callers are bounded in number and in time.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from server.errors import Unavailable

_T = TypeVar("_T")
_READERS = 2
_WAITING = 4_096
_DEADLINE = 10.0
_BUSY_MS = 5_000
"""How long SQLite waits for another process, such as a command beside the server."""


class Database:
    def __init__(self, path: Path, migrations: Sequence[str]) -> None:
        """Bind to the file; `open` makes it. `migrations[n]` brings version n to n + 1."""
        self._path = path
        self._migrations = migrations
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store-writer")
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="store-reader")
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._waiting = 0
        self._closed = False

    async def open(self) -> None:
        """Make or update the file. Raises OSError, sqlite3.Error, ValueError (too new)."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._writer, self._migrate)

    async def write(self, function: Callable[[sqlite3.Connection], _T]) -> _T:
        """Run `function` as one transaction; its exception rolls back and is raised here."""
        return await self._run(self._writer, self._transaction, function)

    async def read(self, function: Callable[[sqlite3.Connection], _T]) -> _T:
        """Run `function` on one snapshot of what is committed."""
        return await self._run(self._readers, self._snapshot, function)

    async def close(self) -> None:
        """Finish what was begun and close. Idempotent."""
        self._closed = True
        await asyncio.to_thread(self._finish)

    async def _run(
        self,
        pool: ThreadPoolExecutor,
        runner: Callable[[Callable[[sqlite3.Connection], _T]], _T],
        function: Callable[[sqlite3.Connection], _T],
    ) -> _T:
        if self._closed:
            raise Unavailable("The store is closed.")
        if self._waiting >= _WAITING:
            raise Unavailable("The store has too much to do; try again.")
        self._waiting += 1
        try:
            async with asyncio.timeout(_DEADLINE):
                return await asyncio.get_running_loop().run_in_executor(pool, runner, function)
        except TimeoutError as error:
            raise Unavailable("The store did not answer in time; try again.") from error
        except sqlite3.OperationalError as error:
            raise Unavailable(f"The store cannot do it now: {error}.") from error
        finally:
            self._waiting -= 1

    def _transaction(self, function: Callable[[sqlite3.Connection], _T]) -> _T:
        connection = self._connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            result = function(connection)
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
        return result

    def _snapshot(self, function: Callable[[sqlite3.Connection], _T]) -> _T:
        connection = self._connection()
        connection.execute("BEGIN")
        try:
            return function(connection)
        finally:
            connection.execute("ROLLBACK")

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(
                self._path, isolation_level=None, check_same_thread=False, cached_statements=256
            )
            connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
            _enter_wal(connection)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.row_factory = sqlite3.Row
            self._local.connection = connection
            self._connections.append(connection)
        return connection

    def _finish(self) -> None:
        self._readers.shutdown()
        self._writer.shutdown()
        while self._connections:
            self._connections.pop().close()

    def _migrate(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        connection = self._connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > len(self._migrations):
                raise ValueError(f"{self._path} was written by a newer version of Vitrine")
            for number in range(version, len(self._migrations)):
                for statement in self._migrations[number].split(";"):
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {len(self._migrations)}")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


def _enter_wal(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log. SQLite's busy time-out does not hold for this one step."""
    deadline = time.monotonic() + _BUSY_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
