"""The shop: products, pins and what was on show, for every channel.

Commands of one channel run one after the other, so that slots and intervals are decided by
one at a time; channels do not wait for each other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from overlay.scene import Card
from server.bus import Bus
from server.channel import Channel, Session
from server.clock import Clock
from server.errors import Invalid, NotFound
from server.shop.catalogue import Image, Product
from server.shop.draft import Draft
from server.shop.feeds import Format, Rejection, read
from server.shop.goods import Goods
from server.shop.news import News
from server.shop.pins import PinRequest, Pins
from server.shop.port import Stage
from server.shop.revision import Revisions
from server.shop.settings import ShopSettings as ShopSettings
from server.shop.show import Backstage, Show
from server.shop.shows import Shows
from server.shop.timeline import Event, Interval
from server.store.port import Change, NewProduct, Put, Store
from server.webhooks.message import Write, to_nobody

_BATCH = 100


@dataclass(frozen=True, slots=True)
class Imported:
    imported: int
    updated: int
    unchanged: int
    rejected: tuple[Rejection, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A session's timeline, or the part of it asked for."""

    session: Session | None
    """None before the channel's first."""
    seq: int
    """Of the newest event written down."""
    cursor: int
    """The bus's: events behind it are not in the snapshot."""
    intervals: tuple[Interval, ...]
    events: tuple[Event, ...]
    products: dict[str, Product]
    """Those in `intervals`, as they are now."""


class Shop:
    def __init__(
        self,
        store: Store,
        bus: Bus,
        stage: Stage,
        clock: Clock,
        check: Callable[[Card, str], None],
        settings: ShopSettings | None = None,
        write: Write = to_nobody,
    ) -> None:
        """`check(card, locale)` raises overlay.errors.OverlayError for one that cannot be drawn.

        It runs in a thread. `write` makes webhook messages, stored with what they tell of.
        """
        self._settings = settings or ShopSettings()
        self._store = store
        self._bus = bus
        self._goods = Goods(store)
        self._news = News(bus)
        self._pins = Pins(store, stage, clock, check, self._settings.pin_ahead_ms)
        show = self._settings.show
        backstage = Backstage(store, stage, clock, show, self._news.timeline, write)
        self._shows = Shows(backstage, self._settings.command_deadline)
        self._revisions = Revisions(store, self._pins, self._settings.max_products)

    # Products

    async def put_product(self, channel_id: str, draft: Draft, actor: str) -> Put:
        """Add or replace a product. Raises NotFound, Invalid, TooLarge, Unavailable."""
        channel = await self._channel(channel_id)
        return await self._put_one(channel, await self._goods.prepare(draft), actor)

    async def put_image(self, channel_id: str, product_id: str, data: bytes, actor: str) -> Put:
        """Give a product this picture (JPEG, PNG, WebP). Raises as `put_product`."""
        channel = await self._channel(channel_id)
        new = await self._goods.with_picture(channel_id, product_id, data)
        return await self._put_one(channel, new, actor)

    async def import_feed(
        self, channel_id: str, data: bytes, kind: Format, actor: str, folder: Path | None = None
    ) -> Imported:
        """Put every good row of a feed, of those with one id the first; say of each bad one why.

        `folder`: where pictures named as files lie; None refuses them. Raises NotFound, TooLarge,
        and Invalid for a file that is not of its format at all.
        """
        channel = await self._channel(channel_id)
        feed = await asyncio.to_thread(read, data, kind)
        rejected = list(feed.rejected)
        changes: list[Change] = []
        taken: dict[str, int] = {}
        for start in range(0, len(feed.rows), _BATCH):
            rows = feed.rows[start : start + _BATCH]
            made = await self._goods.prepare_rows(rows, folder, kind.place, taken)
            rejected += [new for new in made if isinstance(new, Rejection)]
            good = [
                (row.line, new)
                for row, new in zip(rows, made, strict=True)
                if isinstance(new, NewProduct)
            ]
            puts = await self._put(channel, [new for _, new in good], actor)
            for (line, _), put in zip(good, puts, strict=True):
                if isinstance(put, Invalid):
                    rejected.append(Rejection(line, str(put)))
                else:
                    changes.append(put.change)
        return Imported(
            imported=changes.count(Change.CREATED),
            updated=changes.count(Change.UPDATED),
            unchanged=changes.count(Change.UNCHANGED),
            rejected=tuple(sorted(rejected, key=lambda item: item.line)),
        )

    async def product(self, channel_id: str, product_id: str) -> Product:
        """Raises NotFound."""
        product = await self._store.product(channel_id, product_id)
        if product is None:
            raise NotFound("product", product_id[:64])
        return product

    async def products(
        self, channel_id: str, after: str | None = None, limit: int | None = None
    ) -> tuple[Product, ...]:
        """Return products by id, those behind `after` only. Raises NotFound for the channel."""
        await self._channel(channel_id)
        return await self._store.products(channel_id, after, limit)

    async def remove_product(self, channel_id: str, product_id: str, actor: str) -> None:
        """Remove a product; its pin ends with it. Raises NotFound."""
        channel = await self._channel(channel_id)
        async with self._shows.turn(channel_id):
            show = await self._shows.current(channel)
            if not await self._store.remove_product(channel_id, product_id):
                raise NotFound("product", product_id[:64])
            for item in show.timeline.open if show else ():
                if item.product_id == product_id:
                    await self._pins.unpin(show, item.id, actor)
        self._news.removed(channel_id, product_id)

    async def image(self, name: str) -> Image | None:
        """Return a stored picture by the name in its URL."""
        return await self._store.image(name)

    # Pins

    async def pin(self, channel_id: str, request: PinRequest, actor: str) -> Interval:
        """Pin a product to the picture and return its interval.

        Waits up to the shown deadline for the worker's report; without it `start` is an
        expectation (`start_exact` is False) that the report corrects when it comes. Raises
        NotFound, Invalid, Conflict `offline`, `already-pinned`, `pins-full`.
        """
        channel = await self._channel(channel_id)
        async with self._shows.turn(channel_id):
            show = await self._shows.current(channel)
            pin = await self._pins.pin(show, channel_id, request, actor)
            return _interval(show, pin)

    async def unpin(self, channel_id: str, pin: str, actor: str) -> Interval:
        """End a pin and return its interval; again is harmless. Raises NotFound."""
        channel = await self._channel(channel_id)
        async with self._shows.turn(channel_id):
            show = await self._shows.current(channel)
            await self._pins.unpin(show, pin, actor)
            return _interval(show, pin)

    async def pins(self, channel_id: str) -> tuple[Interval, ...]:
        """Return the open pins in the order they were made. Raises NotFound."""
        channel = await self._channel(channel_id)
        async with self._shows.turn(channel_id):
            show = await self._shows.current(channel)
            return show.timeline.open if show else ()

    async def timeline(
        self, channel_id: str, since: int | None = None, until: int | None = None
    ) -> Snapshot:
        """Return what was on show during [since, until) of the running or the last session.

        Raises NotFound for the channel.
        """
        await self._channel(channel_id)
        cursor = self._bus.last(channel_id)  # before reading: what comes between is told twice
        session, timeline, events = await self._shows.timeline(channel_id)
        intervals = timeline.between(since, until)
        wanted = {item.product_id for item in intervals}
        return Snapshot(
            session=session,
            seq=timeline.seq,
            cursor=cursor,
            intervals=intervals,
            events=tuple(
                event
                for event in events
                if (since is None or event.t_media >= since)
                and (until is None or event.t_media < until)
            ),
            products=await self._store.products_by_id(channel_id, wanted) if wanted else {},
        )

    # Sessions

    async def session_started(self, channel_id: str, session_id: str, at_ms: int) -> None:
        """Begin a session's timeline; again is harmless. Raises NotFound for the channel."""
        await self._shows.started(channel_id, session_id, at_ms)

    async def session_interrupted(self, channel_id: str, session_id: str, at_ms: int) -> None:
        """Nothing: what is pinned stays pinned."""

    async def session_resumed(self, channel_id: str, session_id: str, at_ms: int) -> None:
        """Nothing: the worker draws what is pinned in every new epoch."""

    async def session_ended(self, channel_id: str, session_id: str, at_ms: int) -> None:
        """Close the session and every open pin at PDT `at_ms`.

        To be awaited before the playlists end, so that ENDLIST finds every range closed.
        """
        await self._shows.ended(channel_id, session_id, at_ms)

    async def recover(self, going_on: Collection[str] = ()) -> None:
        """Put the pins of sessions `going_on` on stage again; end what else was left open.

        Called once by the server, before anyone goes live.
        """
        for show in await self._shows.recover(going_on):
            async with self._shows.turn(show.channel.id):
                await self._pins.restage(show)

    async def forget(self, channel_id: str) -> None:
        """Let go of a channel that was removed."""
        await self._shows.forget(channel_id)

    async def close(self) -> None:
        await self._shows.close()

    async def _channel(self, channel_id: str) -> Channel:
        channel = await self._store.channel(channel_id)
        if channel is None:
            raise NotFound("channel", channel_id[:64])
        return channel

    async def _put_one(self, channel: Channel, new: NewProduct, actor: str) -> Put:
        (put,) = await self._put(channel, [new], actor)
        if isinstance(put, Invalid):
            raise put
        return put

    async def _put(
        self, channel: Channel, products: Sequence[NewProduct], actor: str
    ) -> list[Put | Invalid]:
        async with self._shows.turn(channel.id):
            show = await self._shows.current(channel)
            puts = await self._revisions.put(channel.id, show, products, actor)
        self._news.products(channel.id, [put for put in puts if isinstance(put, Put)])
        return puts


def _interval(show: Show | None, pin: str) -> Interval:
    item = show.timeline.get(pin) if show else None
    if item is None:
        raise NotFound("pin", pin[:64])
    return item
