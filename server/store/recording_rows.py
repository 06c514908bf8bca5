"""The catalogue of recordings in SQLite. No row belongs to a channel: recordings outlive them."""

from __future__ import annotations

import sqlite3

from server.record.catalogue import Deed, Entry, Hold, LogLine, Usage
from server.store.database import Database


class SqliteCatalogue:
    """The Catalogue, in the store's own file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, entry: Entry) -> None:
        await self._database.write(
            lambda db: db.execute(
                "INSERT INTO recordings (channel, session, title, started_ms)"
                " VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (entry.channel, entry.session, entry.title, entry.started_ms),
            )
        )

    async def finish(self, entry: Entry, at_ms: int) -> None:
        def end(db: sqlite3.Connection) -> None:
            done = db.execute(
                "UPDATE recordings SET started_ms = ?, ended_ms = ?, duration_ms = ?, size = ?,"
                " gaps = ?, uploaded = 0, local = 1"
                " WHERE channel = ? AND session = ? AND ifnull(ended_ms, 0) < ?",
                (
                    entry.started_ms, entry.ended_ms, entry.duration_ms, entry.size, entry.gaps,
                    entry.channel, entry.session, entry.ended_ms,
                ),
            ).rowcount  # fmt: skip
            if done:
                _log(db, entry.channel, entry.session, Deed.RECORDED, at_ms)

        await self._database.write(end)

    async def get(self, channel: str, session: str) -> Entry | None:
        return await self._database.read(lambda db: _get(db, channel, session))

    async def page(self, channel: str | None, after: str | None, limit: int) -> tuple[Entry, ...]:
        # Only what is asked for stands in the statement: SQLite chooses its index by that.
        asked = {"channel = ?": channel, "session < ?": after}
        told = {text: value for text, value in asked.items() if value is not None}
        where = " AND ".join(told) or "TRUE"
        order = "ORDER BY session DESC, channel DESC LIMIT ?"
        return await self._database.read(
            lambda db: _entries(db, f"{where} {order}", (*told.values(), limit))
        )

    async def unfinished(self) -> tuple[Entry, ...]:
        return await self._database.read(
            lambda db: _entries(db, "ended_ms IS NULL AND NOT removing ORDER BY session", ())
        )

    async def hold(self, channel: str, session: str, hold: Hold) -> bool:
        def put(db: sqlite3.Connection) -> bool:
            done = db.execute(
                "UPDATE recordings SET hold_reason = ?, hold_actor = ?, hold_ms = ?"
                " WHERE channel = ? AND session = ? AND NOT removing",
                (hold.reason, hold.actor, hold.since_ms, channel, session),
            ).rowcount
            if done:
                _log(db, channel, session, Deed.HELD, hold.since_ms, hold.actor, hold.reason)
            return done > 0

        return await self._database.write(put)

    async def release(self, channel: str, session: str, by: Hold) -> bool:
        def clear(db: sqlite3.Connection) -> bool:
            entry = _get(db, channel, session)
            if entry is None or entry.removing:
                return False
            if entry.hold is not None:
                db.execute(
                    "UPDATE recordings SET hold_reason = NULL, hold_actor = NULL, hold_ms = NULL"
                    " WHERE channel = ? AND session = ?",
                    (channel, session),
                )
                _log(db, channel, session, Deed.RELEASED, by.since_ms, by.actor, by.reason)
            return True

        return await self._database.write(clear)

    async def claim(self, channel: str, session: str) -> bool:
        return await self._database.write(
            lambda db: (
                db.execute(
                    "UPDATE recordings SET removing = 1 WHERE channel = ? AND session = ?"
                    " AND hold_reason IS NULL AND ended_ms IS NOT NULL",
                    (channel, session),
                ).rowcount
                > 0
            )
        )

    async def erase(self, channel: str, session: str, at_ms: int, actor: str, reason: str) -> bool:
        def erase(db: sqlite3.Connection) -> bool:
            erased = db.execute(
                "DELETE FROM recordings WHERE channel = ? AND session = ? AND hold_reason IS NULL",
                (channel, session),
            ).rowcount
            if erased:
                _log(db, channel, session, Deed.REMOVED, at_ms, actor, reason)
            return _get(db, channel, session) is None

        return await self._database.write(erase)

    async def overdue(self, ended_before_ms: int, limit: int) -> tuple[Entry, ...]:
        return await self._database.read(
            lambda db: _entries(
                db,
                "removing OR (ended_ms < ? AND hold_reason IS NULL)"
                " ORDER BY removing, ended_ms LIMIT ?",
                (ended_before_ms, limit),
            )
        )

    async def mark(self, channel: str, session: str, *, uploaded: bool, local: bool) -> None:
        await self._database.write(
            lambda db: db.execute(
                "UPDATE recordings SET uploaded = ?, local = ? WHERE channel = ? AND session = ?",
                (uploaded, local, channel, session),
            )
        )

    async def afloat(
        self, *, uploaded: bool, ended_before_ms: int, limit: int
    ) -> tuple[Entry, ...]:
        return await self._database.read(
            lambda db: _entries(
                db,
                "local AND NOT removing AND uploaded = ? AND ended_ms < ?"
                " ORDER BY ended_ms LIMIT ?",
                (uploaded, ended_before_ms, limit),
            )
        )

    async def usage(self) -> Usage:
        def sums(db: sqlite3.Connection) -> Usage:
            row = db.execute(
                "SELECT count(*) AS recordings, ifnull(sum(size), 0) AS size,"
                " count(hold_reason) AS held,"
                " ifnull(sum(CASE WHEN hold_reason IS NULL THEN 0 ELSE size END), 0) AS held_size"
                " FROM recordings"
            ).fetchone()
            return Usage(row["recordings"], row["size"], row["held"], row["held_size"])

        return await self._database.read(sums)

    async def log(self, channel: str | None, after: int, limit: int) -> tuple[LogLine, ...]:
        def lines(db: sqlite3.Connection) -> tuple[LogLine, ...]:
            rows = db.execute(
                "SELECT * FROM recording_log WHERE (?1 IS NULL OR channel = ?1) AND seq > ?2"
                " ORDER BY seq LIMIT ?3",
                (channel, after, limit),
            )
            return tuple(
                LogLine(
                    row["seq"], row["at_ms"], row["channel"], row["session"],
                    Deed(row["deed"]), row["actor"], row["reason"],
                )
                for row in rows
            )  # fmt: skip

        return await self._database.read(lines)


def _get(db: sqlite3.Connection, channel: str, session: str) -> Entry | None:
    return next(iter(_entries(db, "channel = ? AND session = ?", (channel, session))), None)


def _entries(
    db: sqlite3.Connection, where: str, values: tuple[str | int | None, ...]
) -> tuple[Entry, ...]:
    rows = db.execute(f"SELECT * FROM recordings WHERE {where}", values)  # noqa: S608 - ours
    return tuple(_entry(row) for row in rows)


def _entry(row: sqlite3.Row) -> Entry:
    hold = None
    if row["hold_reason"] is not None:
        hold = Hold(row["hold_reason"], row["hold_actor"], row["hold_ms"])
    return Entry(
        channel=row["channel"],
        session=row["session"],
        title=row["title"],
        started_ms=row["started_ms"],
        ended_ms=row["ended_ms"],
        duration_ms=row["duration_ms"],
        size=row["size"],
        gaps=row["gaps"],
        hold=hold,
        uploaded=bool(row["uploaded"]),
        local=bool(row["local"]),
        removing=bool(row["removing"]),
    )


def _log(
    db: sqlite3.Connection,
    channel: str,
    session: str,
    deed: Deed,
    at_ms: int,
    actor: str = "server",
    reason: str = "",
) -> None:
    db.execute(
        "INSERT INTO recording_log (at_ms, channel, session, deed, actor, reason)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (at_ms, channel, session, deed, actor, reason),
    )
