"""The store on SQLite: nothing to install, everything on disk when a call returns."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

from server.channel import (
    Channel,
    PlaybackAccess,
    PlaybackMode,
    SecretKind,
    Sequences,
    Session,
    StreamKey,
)
from server.errors import Conflict, NotFound, TooLarge
from server.shop.catalogue import Image, Product
from server.shop.records import event_record, overlay_record, read_event, read_overlay
from server.shop.timeline import Event
from server.source import Source
from server.store import keys, playback_rows, shelves, source_rows
from server.store import outbox as boxes
from server.store.database import Database
from server.store.port import NewProduct, Put, Secrets, StoredAnswer
from server.store.recording_rows import SqliteCatalogue
from server.store.schema import MIGRATIONS
from server.webhooks.message import Message, Waiting


class SqliteStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open the file, made or brought up to date. Raises OSError, sqlite3.Error, ValueError."""
        database = Database(path, MIGRATIONS)
        try:
            await database.open()
        except BaseException:
            await database.close()
            raise
        return cls(database)

    @property
    def recordings(self) -> SqliteCatalogue:
        """The catalogue of recordings, in the same file."""
        return SqliteCatalogue(self._database)

    async def close(self) -> None:
        await self._database.close()

    # Channels

    async def add_channel(self, channel: Channel, secrets: Secrets, limit: int) -> None:
        def add(db: sqlite3.Connection) -> None:
            if _channel(db, channel.id) is not None:
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

        await self._database.write(add)

    async def channel(self, channel_id: str) -> Channel | None:
        return await self._database.read(lambda db: _channel(db, channel_id))

    async def channels(self) -> tuple[Channel, ...]:
        def rows(db: sqlite3.Connection) -> tuple[Channel, ...]:
            found = db.execute(f"SELECT {keys.CHANNEL} FROM channels ORDER BY id")  # noqa: S608
            return tuple(_read(row) for row in found)

        return await self._database.read(rows)

    async def channel_by_secret(self, kind: SecretKind, digest: str) -> Channel | None:
        def find(db: sqlite3.Connection) -> Channel | None:
            row = db.execute(
                f"SELECT {keys.CHANNEL} FROM secrets"  # noqa: S608
                " JOIN channels ON channels.id = channel"
                " WHERE kind = ? AND digest = ?",
                (kind, digest),
            ).fetchone()
            return _read(row) if row else None

        return await self._database.read(find)

    async def set_secret(self, channel_id: str, kind: SecretKind, digest: str) -> bool:
        def change(db: sqlite3.Connection) -> bool:
            if _channel(db, channel_id) is None:
                return False
            db.execute("DELETE FROM secrets WHERE channel = ? AND kind = ?", (channel_id, kind))
            keys.put(db, channel_id, kind, digest)
            return True

        return await self._database.write(change)

    async def stream_key(self, digest: str) -> StreamKey | None:
        def find(db: sqlite3.Connection) -> StreamKey | None:
            row = keys.find(db, digest)
            return StreamKey(_read(row), digest, row["expires_ms"]) if row else None

        return await self._database.read(find)

    async def rotate_key(
        self, channel_id: str, digest: str, expires_ms: int | None, old_until_ms: int | None
    ) -> bool:
        def change(db: sqlite3.Connection) -> bool:
            if _channel(db, channel_id) is None:
                return False
            keys.rotate(db, channel_id, digest, expires_ms, old_until_ms)
            return True

        return await self._database.write(change)

    async def standing_keys(self, channel_ids: Collection[str]) -> dict[str, frozenset[str]]:
        return await self._database.read(lambda db: keys.standing(db, channel_ids))

    async def remove_channel(self, channel_id: str) -> bool:
        def remove(db: sqlite3.Connection) -> bool:
            shelves.remove_all(db, channel_id)
            playback_rows.retire(db, channel_id)
            return db.execute("DELETE FROM channels WHERE id = ?", (channel_id,)).rowcount > 0

        return await self._database.write(remove)

    # Sources

    async def source(self, channel_id: str) -> Source | None:
        return await self._database.read(lambda db: source_rows.get(db, channel_id))

    async def sources(self) -> dict[str, Source]:
        return await self._database.read(source_rows.every)

    async def put_source(self, channel_id: str, source: Source, limit: int) -> None:
        await self._database.write(lambda db: source_rows.put(db, channel_id, source, limit))

    async def remove_source(self, channel_id: str) -> bool:
        return await self._database.write(lambda db: source_rows.remove(db, channel_id))

    async def replace_source(self, channel_id: str, old: Source, new: Source) -> bool:
        return await self._database.write(lambda db: source_rows.exchange(db, channel_id, old, new))

    # Who may watch

    async def playback(self, channel_id: str) -> PlaybackAccess | None:
        return await self._database.read(lambda db: playback_rows.get(db, channel_id))

    async def playbacks(self) -> dict[str, PlaybackAccess]:
        return await self._database.read(playback_rows.every)

    async def set_playback(
        self, channel_id: str, mode: PlaybackMode, salt: str
    ) -> PlaybackAccess | None:
        def change(db: sqlite3.Connection) -> PlaybackAccess | None:
            if _channel(db, channel_id) is None:
                return None
            return playback_rows.put(db, channel_id, mode, salt)

        return await self._database.write(change)

    async def rotate_playback(self, channel_id: str, salt: str, old_until_ms: int | None) -> bool:
        return await self._database.write(
            lambda db: playback_rows.rotate(db, channel_id, salt, old_until_ms)
        )

    # The live window

    async def sequences(self, channel_id: str) -> Sequences:
        def get(db: sqlite3.Connection) -> Sequences:
            row = db.execute(
                "SELECT next_msn, discontinuity, pdt_ms FROM sequences WHERE channel = ?",
                (channel_id,),
            ).fetchone()
            return Sequences(*row) if row else Sequences()

        return await self._database.read(get)

    async def save_sequences(self, channel_id: str, sequences: Sequences) -> None:
        row = (channel_id, sequences.next_msn, sequences.discontinuity, sequences.pdt_ms)
        await self._database.write(
            lambda db: db.execute(
                "INSERT INTO sequences VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                " next_msn = max(next_msn, excluded.next_msn),"
                " discontinuity = max(discontinuity, excluded.discontinuity),"
                " pdt_ms = max(pdt_ms, excluded.pdt_ms)",
                row,
            )
        )

    # Catalogue

    async def put_products(
        self, channel_id: str, products: Sequence[NewProduct], limit: int
    ) -> tuple[Put, ...]:
        return await self._database.write(
            lambda db: shelves.put_all(db, channel_id, products, limit)
        )

    async def product(self, channel_id: str, product_id: str) -> Product | None:
        return await self._database.read(lambda db: shelves.get(db, channel_id, product_id))

    async def products(
        self, channel_id: str, after: str | None = None, limit: int | None = None
    ) -> tuple[Product, ...]:
        return await self._database.read(lambda db: shelves.page(db, channel_id, after, limit))

    async def products_by_id(
        self, channel_id: str, product_ids: Collection[str]
    ) -> dict[str, Product]:
        return await self._database.read(lambda db: shelves.by_id(db, channel_id, product_ids))

    async def remove_product(self, channel_id: str, product_id: str) -> bool:
        return await self._database.write(lambda db: shelves.remove(db, channel_id, product_id))

    async def image(self, name: str) -> Image | None:
        return await self._database.read(lambda db: shelves.image(db, name))

    # Timeline

    async def open_session(
        self, channel_id: str, session: Session, outbox: Sequence[Message] = ()
    ) -> None:
        def begin(db: sqlite3.Connection) -> None:
            if _channel(db, channel_id) is None:
                raise NotFound("channel", channel_id)
            begun = db.execute(
                "INSERT INTO sessions SELECT ?, ?, ?, NULL, ifnull(max(number), 0) + 1"
                " FROM sessions WHERE channel = ? ON CONFLICT DO NOTHING",
                (channel_id, session.id, session.started_ms, channel_id),
            ).rowcount
            if begun:
                boxes.post(db, outbox)

        await self._database.write(begin)

    async def close_session(
        self,
        channel_id: str,
        session_id: str,
        ended_ms: int,
        events: Sequence[Event],
        outbox: Sequence[Message] = (),
    ) -> tuple[Event, ...]:
        def end(db: sqlite3.Connection) -> tuple[Event, ...]:
            done = db.execute(
                "UPDATE sessions SET ended_ms = ?"
                " WHERE channel = ? AND id = ? AND ended_ms IS NULL",
                (ended_ms, channel_id, session_id),
            ).rowcount
            if done or _channel(db, channel_id) is None:
                boxes.post(db, outbox)
            return _append(db, channel_id, session_id, events) if done else ()

        return await self._database.write(end)

    async def unfinished_sessions(self) -> tuple[tuple[str, Session], ...]:
        def find(db: sqlite3.Connection) -> tuple[tuple[str, Session], ...]:
            rows = db.execute(
                "SELECT * FROM sessions WHERE ended_ms IS NULL ORDER BY channel, number"
            )
            return tuple((row["channel"], _session(row)) for row in rows)

        return await self._database.read(find)

    async def last_session(self, channel_id: str) -> Session | None:
        def find(db: sqlite3.Connection) -> Session | None:
            row = db.execute(
                "SELECT * FROM sessions WHERE channel = ? ORDER BY number DESC LIMIT 1",
                (channel_id,),
            ).fetchone()
            return _session(row) if row else None

        return await self._database.read(find)

    async def append(
        self,
        channel_id: str,
        session_id: str,
        events: Sequence[Event],
        outbox: Sequence[Message] = (),
    ) -> tuple[Event, ...]:
        def add(db: sqlite3.Connection) -> tuple[Event, ...]:
            if _channel(db, channel_id) is None:
                raise NotFound("channel", channel_id)
            boxes.post(db, outbox)
            return _append(db, channel_id, session_id, events)

        return await self._database.write(add)

    async def events(self, channel_id: str, session_id: str) -> tuple[Event, ...]:
        def rows(db: sqlite3.Connection) -> tuple[Event, ...]:
            found = db.execute(
                "SELECT record FROM events WHERE channel = ? AND session = ? ORDER BY seq",
                (channel_id, session_id),
            )
            return tuple(read_event(row["record"]) for row in found)

        return await self._database.read(rows)

    # Webhook messages on their way

    async def post(self, messages: Sequence[Message]) -> None:
        await self._database.write(lambda db: boxes.post(db, messages))

    async def outbox(self, endpoint: str, now_ms: int, limit: int) -> tuple[Waiting, ...]:
        return await self._database.read(lambda db: boxes.due(db, endpoint, now_ms, limit))

    async def put_off(self, message: Message, tries: int, due_ms: int) -> None:
        await self._database.write(lambda db: boxes.put_off(db, message, tries, due_ms))

    async def delivered(self, message: Message) -> None:
        await self._database.write(lambda db: boxes.remove(db, message))

    async def clear_outbox(self, endpoints: Collection[str]) -> int:
        return await self._database.write(lambda db: boxes.clear(db, endpoints))

    # Idempotency

    async def stored_answer(self, scope: str, key: str) -> StoredAnswer | None:
        def get(db: sqlite3.Connection) -> StoredAnswer | None:
            row = db.execute(
                "SELECT digest, status, body FROM answers WHERE scope = ? AND key = ?",
                (scope, key),
            ).fetchone()
            return StoredAnswer(row["digest"], row["status"], row["body"]) if row else None

        return await self._database.read(get)

    async def store_answer(
        self, scope: str, key: str, answer: StoredAnswer, now_ms: int, keep_ms: int
    ) -> None:
        def keep(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM answers WHERE stored_ms < ?", (now_ms - keep_ms,))
            db.execute(
                "INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (scope, key, answer.digest, answer.status, answer.body, now_ms),
            )

        await self._database.write(keep)


def _channel(db: sqlite3.Connection, channel_id: str) -> Channel | None:
    row = db.execute(
        f"SELECT {keys.CHANNEL} FROM channels WHERE id = ?",  # noqa: S608
        (channel_id,),
    ).fetchone()
    return _read(row) if row else None


def _read(row: sqlite3.Row) -> Channel:
    overlay = read_overlay(row["overlay"])
    return Channel(
        id=row["id"],
        title=row["title"],
        profile=row["profile"],
        overlay=overlay,
        created_ms=row["created_ms"],
        key_expires_ms=row["key_expires_ms"],
    )


def _session(row: sqlite3.Row) -> Session:
    return Session(row["id"], row["started_ms"], row["ended_ms"])


def _append(
    db: sqlite3.Connection, channel_id: str, session_id: str, events: Sequence[Event]
) -> tuple[Event, ...]:
    last = "SELECT ifnull(max(seq), 0) FROM events WHERE channel = ?"
    (seq,) = db.execute(last, (channel_id,)).fetchone()
    stored = tuple(replace(event, seq=seq + n) for n, event in enumerate(events, 1))
    db.executemany(
        "INSERT INTO events VALUES (?, ?, ?, ?)",
        [(channel_id, event.seq, session_id, event_record(event)) for event in stored],
    )
    return stored
