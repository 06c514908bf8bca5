"""Pinning: what may be pinned, at which instant and in which slot, as which card."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from overlay.errors import OverlayError
from overlay.scene import MAX_CARDS, Card
from server.clock import Clock
from server.errors import Conflict, Invalid, NotFound, Problem
from server.shop.catalogue import Product, card, stored_image_name
from server.shop.port import Stage
from server.shop.show import Show, follow_up, new_id
from server.shop.timeline import Anchor, Event, EventKind, Interval
from server.store.port import Store

_log = structlog.get_logger(__name__)
_BEFORE_START_MS = 10_000
"""A session's start is by the wall clock, its first frame may lie a little before."""
RECOVERY = "recovery"
"""The actor of what a restarted server does to pins."""
_OFFLINE = "The channel is offline: start streaming to it, then pin."


@dataclass(frozen=True, slots=True)
class PinRequest:
    product_id: str
    anchor: Anchor = Anchor.NOW
    t_media: int | None = None
    """PDT ms; given with `seen` and `at` only."""


class Pins:
    """Commands on a show. Each is called in the channel's turn."""

    def __init__(
        self,
        store: Store,
        stage: Stage,
        clock: Clock,
        check: Callable[[Card, str], None],
        ahead_ms: int,
    ) -> None:
        self._store = store
        self._stage = stage
        self._clock = clock
        self._check = check
        self._ahead_ms = ahead_ms

    async def pin(self, show: Show | None, channel_id: str, request: PinRequest, actor: str) -> str:
        """Pin a product and return the pin's id.

        Raises NotFound, Invalid (instant, card), Conflict `offline`, `already-pinned`,
        `pins-full`.
        """
        product = await self._store.product(channel_id, request.product_id)
        if product is None:
            raise NotFound("product", request.product_id[:64])
        if show is None:
            raise Conflict("offline", _OFFLINE)
        now = self._now(channel_id)
        instant = self._instant(request, channel_id, now)
        if any(item.product_id == product.id for item in show.timeline.open):
            raise Conflict("already-pinned", f"{product.title!r} is pinned already.")
        slot = show.timeline.free_slot()
        if slot is None:
            raise Conflict("pins-full", f"{MAX_CARDS} products are pinned; unpin one first.")
        pin = new_id(self._clock)
        drawn = await self.card(show, product, pin, slot)
        event = self._begin(show, product, pin, slot, instant, instant < now, actor)
        show.products[product.id] = product
        await show.perform([event], {pin: drawn}, now)
        return pin

    async def unpin(self, show: Show | None, pin: str, actor: str) -> None:
        """End a pin now; one that ended already stays as it is. Raises NotFound."""
        item = show.timeline.get(pin) if show else None
        if show is None or item is None:
            raise NotFound("pin", pin[:64])
        if item.end is None:
            now = self._stage.media_now(show.channel.id) or item.start
            await show.perform([self._end(item, now, actor)], {}, now)
            show.products.pop(item.product_id, None)

    async def revise(self, show: Show, product: Product, drawn: Card, actor: str) -> None:
        """End a product's open pin and begin one of its new revision, in the same slot."""
        show.products[product.id] = product
        for item in show.timeline.open:
            if item.product_id == product.id:
                now = max(self._stage.media_now(show.channel.id) or 0, item.start)
                ending = self._end(item, now, actor)
                begin = self._begin(show, product, drawn.id, item.slot, now, False, actor)
                await show.perform([ending, begin], {drawn.id: drawn}, now)

    async def restage(self, show: Show) -> None:
        """Put the open pins of a session that goes on after a restart on stage again.

        A product that was changed meanwhile is pinned anew; one that is gone, or cannot be
        drawn as it is now, is unpinned.
        """
        now = self._stage.media_now(show.channel.id) or 0
        commands: list[Event] = []
        cards: dict[str, Card] = {}
        for item in show.timeline.open:
            product = await self._store.product(show.channel.id, item.product_id)
            kept = product is not None and product.revision == item.revision
            pin = item.id if kept else self.new_card_id()
            drawn = await self._redrawn(show, product, pin, item.slot)
            if drawn is not None:
                cards[pin] = drawn
                if kept:
                    continue
            instant = max(now, item.start)
            commands.append(self._end(item, instant, RECOVERY))
            if drawn is not None and product is not None:
                begin = self._begin(show, product, pin, item.slot, instant, False, RECOVERY)
                commands.append(begin)
        await show.restage(commands, cards, now)

    async def _redrawn(
        self, show: Show, product: Product | None, pin: str, slot: int
    ) -> Card | None:
        """Make the card of a product as it is now; None where there is none to be drawn."""
        if product is None:
            return None
        try:
            drawn = await self.card(show, product, pin, slot)
        except Invalid as error:
            _log.error("pin ended", channel=show.channel.id, product=product.id, reason=str(error))
            return None
        show.products[product.id] = product
        return drawn

    async def card(
        self, show: Show, product: Product, pin: str, slot: int, picture: bytes | None = None
    ) -> Card:
        """Make the card, judged as the compositor would; its picture given or from the store.

        A picture that is only a link is for pages: the card is drawn without. Raises Invalid
        naming what is wrong.
        """
        name = stored_image_name(product.image)
        if picture is None and name is not None:
            image = await self._store.image(name)
            picture = image.data if image else None
        drawn = card(product, pin, slot, picture)
        if show.burns:
            try:
                await asyncio.to_thread(self._check, drawn, show.channel.overlay.locale)
            except OverlayError as error:
                raise Invalid(Problem("product_id", f"cannot be drawn: {error}")) from error
        return drawn

    def new_card_id(self) -> str:
        return new_id(self._clock)

    def _now(self, channel_id: str) -> int:
        now = self._stage.media_now(channel_id)
        if now is None:
            raise Conflict("offline", "No picture has arrived yet; pin when the stream is seen.")
        return now

    def _instant(self, request: PinRequest, channel_id: str, now: int) -> int:
        live = self._stage.session(channel_id)
        if request.anchor is Anchor.NOW:
            if request.t_media is not None:
                raise Invalid(Problem("t_media", "goes with anchor seen or at only"))
            return now
        if request.t_media is None:
            raise Invalid(Problem("t_media", f"is needed with anchor {request.anchor}"))
        if live is not None and request.t_media < live.started_ms - _BEFORE_START_MS:
            raise Invalid(Problem("t_media", "lies before this session began"))
        if request.t_media > now + self._ahead_ms:
            seconds = self._ahead_ms // 1000
            raise Invalid(Problem("t_media", f"lies more than {seconds} s ahead of the picture"))
        return request.t_media

    def _begin(
        self,
        show: Show,
        product: Product,
        pin: str,
        slot: int,
        instant: int,
        late: bool,
        actor: str,
    ) -> Event:
        return Event(
            id=pin,
            kind=EventKind.PIN,
            pin=pin,
            product_id=product.id,
            revision=product.revision,
            t_media=instant,
            t_wall=self._clock.wall_ms(),
            actor=actor,
            slot=slot,
            late=late,
            burned=show.burns,
            price=product.price,
            sale_price=product.sale_price,
        )

    def _end(self, item: Interval, now: int, actor: str) -> Event:
        return follow_up(EventKind.UNPIN, item, now, self._clock, actor)
