"""Channels and their secrets in SQLite: functions on a connection, for `sqlite`'s transactions."""

from __future__ import annotations

import sqlite3

from server.channel import Channel, SecretKind, StreamKey
from server.errors import Conflict, NotFound, TooLarge
from server.shop.records import overlay_record, read_overlay
from server.store import keys, playback_rows, shelves
from server.store.port import Secrets


def add(db: sqlite3.Connection, channel: Channel, secrets: Secrets, limit: int) -> None:
    if get(db, channel.id) is not None:
        raise Conflict("exists", f"There is a channel {channel.id!r} already.")
    if db.execute("SELECT count(*) FROM channels").fetchone()[0] >= limit:
        raise TooLarge(f"There may be at most {limit} channels.", limit)
    overlay = overlay_record(channel.overlay)
    db.execute(
        "INSERT INTO channels VALUES (?, ?, ?, ?, ?)",
        (channel.id, channel.title, channel.profile, overlay, channel.created_ms),
    )
    for kind, digest in secrets:
        until = channel.key_expires_ms if kind is SecretKind.STREAM_KEY else None
        keys.put(db, channel.id, kind, digest, until)


def get(db: sqlite3.Connection, channel_id: str) -> Channel | None:
    row = db.execute(
        f"SELECT {keys.CHANNEL} FROM channels WHERE id = ?",  # noqa: S608 - a constant
        (channel_id,),
    ).fetchone()
    return _read(row) if row else None


def need(db: sqlite3.Connection, channel_id: str) -> None:
    """Raise NotFound where there is no such channel."""
    if get(db, channel_id) is None:
        raise NotFound("channel", channel_id)


def every(db: sqlite3.Connection) -> tuple[Channel, ...]:
    rows = db.execute(f"SELECT {keys.CHANNEL} FROM channels ORDER BY id")  # noqa: S608 - a constant
    return tuple(_read(row) for row in rows)


def set_title(db: sqlite3.Connection, channel_id: str, title: str) -> bool:
    renamed = db.execute("UPDATE channels SET title = ? WHERE id = ?", (title, channel_id))
    return renamed.rowcount > 0


def by_secret(db: sqlite3.Connection, kind: SecretKind, digest: str) -> Channel | None:
    row = db.execute(
        f"SELECT {keys.CHANNEL} FROM secrets"  # noqa: S608 - a constant
        " JOIN channels ON channels.id = channel WHERE kind = ? AND digest = ?",
        (kind, digest),
    ).fetchone()
    return _read(row) if row else None


def stream_key(db: sqlite3.Connection, digest: str) -> StreamKey | None:
    row = keys.find(db, digest)
    return StreamKey(_read(row), digest, row["expires_ms"]) if row else None


def set_secret(db: sqlite3.Connection, channel_id: str, kind: SecretKind, digest: str) -> bool:
    if get(db, channel_id) is None:
        return False
    db.execute("DELETE FROM secrets WHERE channel = ? AND kind = ?", (channel_id, kind))
    keys.put(db, channel_id, kind, digest)
    return True


def rotate_key(
    db: sqlite3.Connection,
    channel_id: str,
    digest: str,
    expires_ms: int | None,
    old_until_ms: int | None,
) -> bool:
    if get(db, channel_id) is None:
        return False
    keys.rotate(db, channel_id, digest, expires_ms, old_until_ms)
    return True


def remove(db: sqlite3.Connection, channel_id: str) -> bool:
    shelves.remove_all(db, channel_id)
    playback_rows.retire(db, channel_id)
    return db.execute("DELETE FROM channels WHERE id = ?", (channel_id,)).rowcount > 0


def _read(row: sqlite3.Row) -> Channel:
    return Channel(
        id=row["id"],
        title=row["title"],
        profile=row["profile"],
        overlay=read_overlay(row["overlay"]),
        created_ms=row["created_ms"],
        key_expires_ms=row["key_expires_ms"],
    )
