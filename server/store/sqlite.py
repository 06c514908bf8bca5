"""The store on SQLite: nothing to install, everything on disk when a call returns."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
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
from server.shop.catalogue import Image, Product
from server.shop.timeline import Event
from server.source import Source
from server.store import channel_rows, keys, playback_rows, session_rows, shelves, source_rows
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
        await self._database.write(lambda db: channel_rows.add(db, channel, secrets, limit))

    async def channel(self, channel_id: str) -> Channel | None:
        return await self._database.read(lambda db: channel_rows.get(db, channel_id))

    async def channels(self) -> tuple[Channel, ...]:
        return await self._database.read(channel_rows.every)

    async def set_title(self, channel_id: str, title: str) -> bool:
        return await self._database.write(lambda db: channel_rows.set_title(db, channel_id, title))

    async def channel_by_secret(self, kind: SecretKind, digest: str) -> Channel | None:
        return await self._database.read(lambda db: channel_rows.by_secret(db, kind, digest))

    async def set_secret(self, channel_id: str, kind: SecretKind, digest: str) -> bool:
        return await self._database.write(
            lambda db: channel_rows.set_secret(db, channel_id, kind, digest)
        )

    async def stream_key(self, digest: str) -> StreamKey | None:
        return await self._database.read(lambda db: channel_rows.stream_key(db, digest))

    async def rotate_key(
        self, channel_id: str, digest: str, expires_ms: int | None, old_until_ms: int | None
    ) -> bool:
        return await self._database.write(
            lambda db: channel_rows.rotate_key(db, channel_id, digest, expires_ms, old_until_ms)
        )

    async def standing_keys(self, channel_ids: Collection[str]) -> dict[str, frozenset[str]]:
        return await self._database.read(lambda db: keys.standing(db, channel_ids))

    async def remove_channel(self, channel_id: str) -> bool:
        return await self._database.write(lambda db: channel_rows.remove(db, channel_id))

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
            if channel_rows.get(db, channel_id) is None:
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
        await self._database.write(lambda db: session_rows.begin(db, channel_id, session, outbox))

    async def close_session(
        self,
        channel_id: str,
        session_id: str,
        ended_ms: int,
        events: Sequence[Event],
        outbox: Sequence[Message] = (),
    ) -> tuple[Event, ...]:
        return await self._database.write(
            lambda db: session_rows.end(db, channel_id, session_id, ended_ms, events, outbox)
        )

    async def unfinished_sessions(self) -> tuple[tuple[str, Session], ...]:
        return await self._database.read(session_rows.unfinished)

    async def last_session(self, channel_id: str) -> Session | None:
        return await self._database.read(lambda db: session_rows.last(db, channel_id))

    async def append(
        self,
        channel_id: str,
        session_id: str,
        events: Sequence[Event],
        outbox: Sequence[Message] = (),
    ) -> tuple[Event, ...]:
        return await self._database.write(
            lambda db: session_rows.append(db, channel_id, session_id, events, outbox)
        )

    async def events(self, channel_id: str, session_id: str) -> tuple[Event, ...]:
        return await self._database.read(lambda db: session_rows.events(db, channel_id, session_id))

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
