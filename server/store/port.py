"""What the shop needs from a store. SQLite implements it; Redis will, under the same suite.

Each call is atomic and durable when it returns. Calls raise `Unavailable` when the store does
not answer within its deadline.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

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
from server.webhooks.message import Message, Waiting

MOST_WAITING = 10_000
"""Webhook messages kept for one endpoint; beyond it the oldest are dropped."""


class Change(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Put:
    """What putting a product did. `before` is the product replaced, if any."""

    product: Product
    change: Change
    before: Product | None = None


@dataclass(frozen=True, slots=True)
class NewProduct:
    """A product to be put. `keeps_image`: `product.image` is ignored, the stored one stays."""

    product: Product
    image: Image | None = None
    """Stored along; `product.image` already names it."""
    keeps_image: bool = False


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The answer that a write with an idempotency key got, to be given again."""

    digest: str
    """Of the request."""
    status: int
    body: bytes


Secrets = Sequence[tuple[SecretKind, str]]
"""Each kind of secret with its digest."""


class Store(Protocol):
    async def close(self) -> None: ...

    # Channels

    async def add_channel(self, channel: Channel, secrets: Secrets, limit: int) -> None:
        """Add a channel with the digests of its secrets; its stream key expires as it says.

        Raises Conflict `exists`, TooLarge when there are `limit` channels already.
        """
        ...

    async def channel(self, channel_id: str) -> Channel | None: ...

    async def channels(self) -> tuple[Channel, ...]:
        """Return all channels by id."""
        ...

    async def set_title(self, channel_id: str, title: str) -> bool:
        """Give a channel another title; False when there is no such channel."""
        ...

    async def channel_by_secret(self, kind: SecretKind, digest: str) -> Channel | None: ...

    async def set_secret(self, channel_id: str, kind: SecretKind, digest: str) -> bool:
        """Replace a secret's digest; False when there is no such channel."""
        ...

    async def stream_key(self, digest: str) -> StreamKey | None:
        """Find a stream key, an expired or a retired one too."""
        ...

    async def rotate_key(
        self, channel_id: str, digest: str, expires_ms: int | None, old_until_ms: int | None
    ) -> bool:
        """Replace the stream key; False when there is no such channel.

        The one before is gone, or expires at `old_until_ms` if not earlier; the one before
        that is gone.
        """
        ...

    async def standing_keys(self, channel_ids: Collection[str]) -> dict[str, frozenset[str]]:
        """Return the digests of each channel's stream keys, expired ones too.

        A channel that is gone is left out.
        """
        ...

    async def remove_channel(self, channel_id: str) -> bool:
        """Remove a channel with all that belongs to it; False when there is none.

        Its sequences stay: a channel of the same name goes on with them. If it was signed it
        stays so, without a key: its recordings are there still.
        """
        ...

    # Sources

    async def source(self, channel_id: str) -> Source | None: ...

    async def sources(self) -> dict[str, Source]:
        """Return every channel's source, by the channel's id."""
        ...

    async def put_source(self, channel_id: str, source: Source, limit: int) -> None:
        """Give the channel this source, in the place of another.

        Raises NotFound (the channel), TooLarge when `limit` other channels have one already.
        """
        ...

    async def remove_source(self, channel_id: str) -> bool:
        """Remove the channel's source; False when it has none."""
        ...

    async def replace_source(self, channel_id: str, old: Source, new: Source) -> bool:
        """Put `new` in the place of `old`; False, and nothing done, when that is not there."""
        ...

    # Who may watch

    async def playback(self, channel_id: str) -> PlaybackAccess | None:
        """Return who may watch; None where nobody ever set it: everybody."""
        ...

    async def playbacks(self) -> dict[str, PlaybackAccess]:
        """Return what was ever set, by the channel's id; of removed channels the signed ones."""
        ...

    async def set_playback(
        self, channel_id: str, mode: PlaybackMode, salt: str
    ) -> PlaybackAccess | None:
        """Set the mode, and `salt` where there is none yet; None when there is no such channel."""
        ...

    async def rotate_playback(self, channel_id: str, salt: str, old_until_ms: int | None) -> bool:
        """Put `salt` in the place of the one before; False when the channel has none.

        The one before is gone, or stays until `old_until_ms`; the one before that is gone.
        """
        ...

    # The live window

    async def sequences(self, channel_id: str) -> Sequences: ...

    async def save_sequences(self, channel_id: str, sequences: Sequences) -> None:
        """Keep them; each number only ever grows, smaller ones are ignored."""
        ...

    # Catalogue

    async def put_products(
        self, channel_id: str, products: Sequence[NewProduct], limit: int
    ) -> tuple[Put, ...]:
        """Put products in order; an equal one is left as it is, with its revision.

        Images that no product shows any more are dropped. Raises NotFound for the channel,
        TooLarge when there would be more than `limit` products (then none is put).
        """
        ...

    async def product(self, channel_id: str, product_id: str) -> Product | None: ...

    async def products(
        self, channel_id: str, after: str | None = None, limit: int | None = None
    ) -> tuple[Product, ...]:
        """Return products by id, those behind `after` only."""
        ...

    async def products_by_id(
        self, channel_id: str, product_ids: Collection[str]
    ) -> dict[str, Product]:
        """Return those of the products that exist, by id."""
        ...

    async def remove_product(self, channel_id: str, product_id: str) -> bool: ...

    async def image(self, name: str) -> Image | None: ...

    # Timeline

    async def open_session(
        self, channel_id: str, session: Session, outbox: Sequence[Message] = ()
    ) -> None:
        """Begin a session and post `outbox`; the same one again changes and posts nothing."""
        ...

    async def close_session(
        self,
        channel_id: str,
        session_id: str,
        ended_ms: int,
        events: Sequence[Event],
        outbox: Sequence[Message] = (),
    ) -> tuple[Event, ...]:
        """End a session, append its last events and post `outbox`, in one step.

        Returns the events with their seq. Of a session that has ended nothing is done; when the
        channel itself is gone, `outbox` is posted all the same.
        """
        ...

    async def unfinished_sessions(self) -> tuple[tuple[str, Session], ...]:
        """Return sessions without an end, with their channel's id."""
        ...

    async def last_session(self, channel_id: str) -> Session | None: ...

    async def append(
        self,
        channel_id: str,
        session_id: str,
        events: Sequence[Event],
        outbox: Sequence[Message] = (),
    ) -> tuple[Event, ...]:
        """Append events and post `outbox`, in one step. Returns the events with their seq."""
        ...

    async def events(self, channel_id: str, session_id: str) -> tuple[Event, ...]:
        """Return a session's events by seq."""
        ...

    # Webhook messages on their way

    async def post(self, messages: Sequence[Message]) -> None:
        """Put messages into the outbox, due at once. One that is there already stays as it is.

        Of more than MOST_WAITING to one endpoint the oldest are dropped.
        """
        ...

    async def outbox(self, endpoint: str, now_ms: int, limit: int) -> tuple[Waiting, ...]:
        """Return messages to `endpoint` that are due, those due longest first."""
        ...

    async def put_off(self, message: Message, tries: int, due_ms: int) -> None:
        """Note that `tries` tries were made; the next one is due at `due_ms`."""
        ...

    async def delivered(self, message: Message) -> None:
        """Take a message out; one that is gone already is no error."""
        ...

    async def clear_outbox(self, endpoints: Collection[str]) -> int:
        """Drop messages to any other than these endpoints; return how many."""
        ...

    # Idempotency

    async def stored_answer(self, scope: str, key: str) -> StoredAnswer | None: ...

    async def store_answer(
        self, scope: str, key: str, answer: StoredAnswer, now_ms: int, keep_ms: int
    ) -> None:
        """Keep an answer; forget those older than `keep_ms`. An answer kept already stays."""
        ...
