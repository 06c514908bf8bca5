"""Webhook messages in SQLite: functions of a connection, each within a transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence

from server.store.port import MOST_WAITING
from server.webhooks.message import Message, Waiting


def post(db: sqlite3.Connection, messages: Sequence[Message]) -> None:
    for message in messages:
        db.execute(
            "INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?, 0) ON CONFLICT DO NOTHING",
            (
                message.id, message.endpoint, message.kind, message.body,
                message.made_ms, message.made_ms,
            ),
        )  # fmt: skip
    for endpoint in {message.endpoint for message in messages}:
        _trim(db, endpoint)


def due(db: sqlite3.Connection, endpoint: str, now_ms: int, limit: int) -> tuple[Waiting, ...]:
    rows = db.execute(
        "SELECT * FROM outbox WHERE endpoint = ? AND due_ms <= ? ORDER BY due_ms, id LIMIT ?",
        (endpoint, now_ms, limit),
    )
    return tuple(
        Waiting(
            Message(row["id"], row["endpoint"], row["kind"], row["body"], row["made_ms"]),
            row["tries"],
        )
        for row in rows
    )


def put_off(db: sqlite3.Connection, message: Message, tries: int, due_ms: int) -> None:
    db.execute(
        "UPDATE outbox SET tries = ?, due_ms = ? WHERE id = ? AND endpoint = ?",
        (tries, due_ms, message.id, message.endpoint),
    )


def remove(db: sqlite3.Connection, message: Message) -> None:
    db.execute("DELETE FROM outbox WHERE id = ? AND endpoint = ?", (message.id, message.endpoint))


def clear(db: sqlite3.Connection, endpoints: Collection[str]) -> int:
    known = [row["endpoint"] for row in db.execute("SELECT DISTINCT endpoint FROM outbox")]
    return sum(
        db.execute("DELETE FROM outbox WHERE endpoint = ?", (endpoint,)).rowcount
        for endpoint in known
        if endpoint not in endpoints
    )


def _trim(db: sqlite3.Connection, endpoint: str) -> None:
    count = "SELECT count(*) FROM outbox WHERE endpoint = ?"
    beyond = db.execute(count, (endpoint,)).fetchone()[0] - MOST_WAITING
    if beyond > 0:
        db.execute(
            "DELETE FROM outbox WHERE endpoint = ? AND id IN"
            " (SELECT id FROM outbox WHERE endpoint = ? ORDER BY made_ms, id LIMIT ?)",
            (endpoint, endpoint, beyond),
        )
