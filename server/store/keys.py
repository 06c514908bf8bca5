"""Stream keys in SQLite: functions of a connection, each within a transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from typing import Final

from server.channel import SecretKind

CHANNEL: Final = (
    "channels.*, (SELECT expires_ms FROM secrets"
    " WHERE channel = channels.id AND kind = 'stream-key') AS key_expires_ms"
)
"""The columns that make a Channel."""
_KINDS: Final = (SecretKind.STREAM_KEY, SecretKind.RETIRED_KEY)
_STANDING: Final = (
    "SELECT channels.id, digest FROM channels LEFT JOIN secrets"
    " ON secrets.channel = channels.id AND kind IN (?, ?) WHERE channels.id IN ({marks})"
)
_IDS_AT_ONCE: Final = 500
"""Well below SQLite's least limit of variables in a statement."""


def find(db: sqlite3.Connection, digest: str) -> sqlite3.Row | None:
    """Find a key, expired or not: its channel's columns and its own `expires_ms`."""
    row: sqlite3.Row | None = db.execute(
        f"SELECT {CHANNEL}, secrets.expires_ms FROM secrets"  # noqa: S608 - a constant
        " JOIN channels ON channels.id = channel WHERE kind IN (?, ?) AND digest = ?",
        (*_KINDS, digest),
    ).fetchone()
    return row


def rotate(
    db: sqlite3.Connection,
    channel_id: str,
    digest: str,
    expires_ms: int | None,
    old_until_ms: int | None,
) -> None:
    delete = "DELETE FROM secrets WHERE channel = ? AND kind = ?"
    db.execute(delete, (channel_id, SecretKind.RETIRED_KEY))
    if old_until_ms is None:
        db.execute(delete, (channel_id, SecretKind.STREAM_KEY))
    else:
        db.execute(
            "UPDATE secrets SET kind = ?, expires_ms = min(ifnull(expires_ms, ?), ?)"
            " WHERE channel = ? AND kind = ?",
            (
                SecretKind.RETIRED_KEY,
                old_until_ms,
                old_until_ms,
                channel_id,
                SecretKind.STREAM_KEY,
            ),
        )
    put(db, channel_id, SecretKind.STREAM_KEY, digest, expires_ms)


def put(
    db: sqlite3.Connection,
    channel_id: str,
    kind: SecretKind,
    digest: str,
    expires_ms: int | None = None,
) -> None:
    db.execute(
        "INSERT INTO secrets (kind, digest, channel, expires_ms) VALUES (?, ?, ?, ?)",
        (kind, digest, channel_id, expires_ms),
    )


def standing(db: sqlite3.Connection, channel_ids: Collection[str]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    ids = sorted(channel_ids)
    for start in range(0, len(ids), _IDS_AT_ONCE):
        some = ids[start : start + _IDS_AT_ONCE]
        statement = _STANDING.format(marks=", ".join("?" * len(some)))
        rows = db.execute(statement, (*_KINDS, *some))
        for channel_id, digest in rows:
            keys = found.setdefault(channel_id, set())
            if digest is not None:
                keys.add(digest)
    return {channel_id: frozenset(keys) for channel_id, keys in found.items()}
