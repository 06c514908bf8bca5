"""Sessions and their timelines in SQLite: functions on a connection, for `sqlite`'s transactions.

What happens to a session and the webhook messages that tell of it are written together.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from server.channel import Session
from server.shop.records import event_record, read_event
from server.shop.timeline import Event
from server.store import channel_rows, outbox
from server.webhooks.message import Message


def begin(
    db: sqlite3.Connection, channel_id: str, session: Session, messages: Sequence[Message]
) -> None:
    channel_rows.need(db, channel_id)
    begun = db.execute(
        "INSERT INTO sessions SELECT ?, ?, ?, NULL, ifnull(max(number), 0) + 1"
        " FROM sessions WHERE channel = ? ON CONFLICT DO NOTHING",
        (channel_id, session.id, session.started_ms, channel_id),
    ).rowcount
    if begun:
        outbox.post(db, messages)


def end(
    db: sqlite3.Connection,
    channel_id: str,
    session_id: str,
    ended_ms: int,
    events: Sequence[Event],
    messages: Sequence[Message],
) -> tuple[Event, ...]:
    done = db.execute(
        "UPDATE sessions SET ended_ms = ? WHERE channel = ? AND id = ? AND ended_ms IS NULL",
        (ended_ms, channel_id, session_id),
    ).rowcount
    if done or channel_rows.get(db, channel_id) is None:
        outbox.post(db, messages)
    return _append(db, channel_id, session_id, events) if done else ()


def unfinished(db: sqlite3.Connection) -> tuple[tuple[str, Session], ...]:
    rows = db.execute("SELECT * FROM sessions WHERE ended_ms IS NULL ORDER BY channel, number")
    return tuple((row["channel"], _read(row)) for row in rows)


def last(db: sqlite3.Connection, channel_id: str) -> Session | None:
    row = db.execute(
        "SELECT * FROM sessions WHERE channel = ? ORDER BY number DESC LIMIT 1", (channel_id,)
    ).fetchone()
    return _read(row) if row else None


def append(
    db: sqlite3.Connection,
    channel_id: str,
    session_id: str,
    events: Sequence[Event],
    messages: Sequence[Message],
) -> tuple[Event, ...]:
    channel_rows.need(db, channel_id)
    outbox.post(db, messages)
    return _append(db, channel_id, session_id, events)


def events(db: sqlite3.Connection, channel_id: str, session_id: str) -> tuple[Event, ...]:
    rows = db.execute(
        "SELECT record FROM events WHERE channel = ? AND session = ? ORDER BY seq",
        (channel_id, session_id),
    )
    return tuple(read_event(row["record"]) for row in rows)


def _append(
    db: sqlite3.Connection, channel_id: str, session_id: str, events: Sequence[Event]
) -> tuple[Event, ...]:
    newest = "SELECT ifnull(max(seq), 0) FROM events WHERE channel = ?"
    (seq,) = db.execute(newest, (channel_id,)).fetchone()
    stored = tuple(replace(event, seq=seq + n) for n, event in enumerate(events, 1))
    db.executemany(
        "INSERT INTO events VALUES (?, ?, ?, ?)",
        [(channel_id, event.seq, session_id, event_record(event)) for event in stored],
    )
    return stored


def _read(row: sqlite3.Row) -> Session:
    return Session(row["id"], row["started_ms"], row["ended_ms"])
