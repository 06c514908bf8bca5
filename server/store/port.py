"""What the shop needs from a store. SQLite implements it; Redis will, under the same suite.

Each call is atomic and durable when it returns. Calls raise `Unavailable` when the store does
not answer within its deadline.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from server.channel import Channel, SecretKind, Sequences, Session
from server.shop.catalogue import Image, Product
from server.shop.timeline import Event
from server.source import Source


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
        """Add a channel with the digests of its secrets.

        Raises Conflict `exists`, TooLarge when there are `limit` channels already.
        """
        ...

    async def channel(self, channel_id: str) -> Channel | None: ...

    async def channels(self) -> tuple[Channel, ...]:
        """Return all channels by id."""
        ...

    async def channel_by_secret(self, kind: SecretKind, digest: str) -> Channel | None: ...

    async def set_secret(self, channel_id: str, kind: SecretKind, digest: str) -> bool:
        """Replace a secret's digest; False when there is no such channel."""
        ...

    async def remove_channel(self, channel_id: str) -> bool:
        """Remove a channel with all that belongs to it; False when there is none.

        Its sequences stay: a channel of the same name goes on with them.
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

    async def open_session(self, channel_id: str, session: Session) -> None:
        """Begin a session; the same one again changes nothing."""
        ...

    async def close_session(
        self, channel_id: str, session_id: str, ended_ms: int, events: Sequence[Event]
    ) -> tuple[Event, ...]:
        """End a session and append its last events in one step. Returns them with their seq."""
        ...

    async def unfinished_sessions(self) -> tuple[tuple[str, Session], ...]:
        """Return sessions without an end, with their channel's id."""
        ...

    async def last_session(self, channel_id: str) -> Session | None: ...

    async def append(
        self, channel_id: str, session_id: str, events: Sequence[Event]
    ) -> tuple[Event, ...]:
        """Append events and return them with their seq."""
        ...

    async def events(self, channel_id: str, session_id: str) -> tuple[Event, ...]:
        """Return a session's events by seq."""
        ...

    # Idempotency

    async def stored_answer(self, scope: str, key: str) -> StoredAnswer | None: ...

    async def store_answer(
        self, scope: str, key: str, answer: StoredAnswer, now_ms: int, keep_ms: int
    ) -> None:
        """Keep an answer; forget those older than `keep_ms`. An answer kept already stays."""
        ...
