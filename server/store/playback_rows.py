"""Who may watch, in SQLite: functions on a connection, for `sqlite`'s transactions."""

from __future__ import annotations

import sqlite3

from server.channel import PlaybackAccess, PlaybackMode


def get(db: sqlite3.Connection, channel_id: str) -> PlaybackAccess | None:
    row = db.execute("SELECT * FROM playback WHERE channel = ?", (channel_id,)).fetchone()
    return _read(row) if row else None


def every(db: sqlite3.Connection) -> dict[str, PlaybackAccess]:
    rows = db.execute("SELECT * FROM playback ORDER BY channel")
    return {row["channel"]: _read(row) for row in rows}


def put(
    db: sqlite3.Connection, channel_id: str, mode: PlaybackMode, salt: str
) -> PlaybackAccess | None:
    """Set the mode; `salt` only where there is none."""
    db.execute(
        "INSERT INTO playback VALUES (?, ?, ?, '', 0)"
        " ON CONFLICT DO UPDATE SET mode = excluded.mode,"
        " salt = iif(salt = '', excluded.salt, salt)",
        (channel_id, mode, salt),
    )
    return get(db, channel_id)


def rotate(db: sqlite3.Connection, channel_id: str, salt: str, old_until_ms: int | None) -> bool:
    kept = "salt" if old_until_ms is not None else "''"
    done = db.execute(
        f"UPDATE playback SET old_salt = {kept}, old_until_ms = ?, salt = ?"  # noqa: S608
        " WHERE channel = ? AND salt <> ''",
        (old_until_ms or 0, salt, channel_id),
    )
    return done.rowcount > 0


def retire(db: sqlite3.Connection, channel_id: str) -> None:
    """Take a removed channel's key away; its recordings, if signed, stay so."""
    db.execute("DELETE FROM playback WHERE channel = ? AND mode = 'public'", (channel_id,))
    db.execute(
        "UPDATE playback SET salt = '', old_salt = '', old_until_ms = 0 WHERE channel = ?",
        (channel_id,),
    )


def _read(row: sqlite3.Row) -> PlaybackAccess:
    return PlaybackAccess(
        PlaybackMode(row["mode"]), row["salt"], row["old_salt"], row["old_until_ms"]
    )
