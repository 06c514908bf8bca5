"""Channels' sources in SQLite: functions on a connection, for `sqlite`'s transactions."""

from __future__ import annotations

import sqlite3

from server.errors import TooLarge
from server.source import Source
from server.store import channel_rows


def get(db: sqlite3.Connection, channel_id: str) -> Source | None:
    row = db.execute("SELECT * FROM sources WHERE channel = ?", (channel_id,)).fetchone()
    return _read(row) if row else None


def every(db: sqlite3.Connection) -> dict[str, Source]:
    rows = db.execute("SELECT * FROM sources ORDER BY channel")
    return {row["channel"]: _read(row) for row in rows}


def put(db: sqlite3.Connection, channel_id: str, source: Source, limit: int) -> None:
    channel_rows.need(db, channel_id)
    others = db.execute("SELECT count(*) FROM sources WHERE channel <> ?", (channel_id,))
    if others.fetchone()[0] >= limit:
        raise TooLarge(f"At most {limit} channels may have a source.", limit)
    db.execute("INSERT OR REPLACE INTO sources VALUES (?, ?, ?, ?)", _row(channel_id, source))


def remove(db: sqlite3.Connection, channel_id: str) -> bool:
    return db.execute("DELETE FROM sources WHERE channel = ?", (channel_id,)).rowcount > 0


def exchange(db: sqlite3.Connection, channel_id: str, old: Source, new: Source) -> bool:
    """Put `new` in the place of `old`; False when the source is another one by now."""
    values = (new.url, new.loop, new.enabled, *_row(channel_id, old))
    done = db.execute(
        "UPDATE sources SET url = ?, loop = ?, enabled = ?"
        " WHERE channel = ? AND url = ? AND loop = ? AND enabled = ?",
        values,
    )
    return done.rowcount > 0


def _row(channel_id: str, source: Source) -> tuple[str, str, bool, bool]:
    return channel_id, source.url, source.loop, source.enabled


def _read(row: sqlite3.Row) -> Source:
    return Source(row["url"], bool(row["loop"]), bool(row["enabled"]))
