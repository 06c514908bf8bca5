"""Products change while they are pinned: the card is judged first, then drawn anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from overlay.scene import Card
from server.errors import Invalid
from server.shop.catalogue import Product, same_offer
from server.shop.pins import Pins
from server.shop.show import Show
from server.shop.timeline import Interval
from server.store.port import Change, NewProduct, Put, Store


class Revisions:
    def __init__(self, store: Store, pins: Pins, max_products: int) -> None:
        self._store = store
        self._pins = pins
        self._max_products = max_products

    async def put(
        self, channel_id: str, show: Show | None, products: Sequence[NewProduct], actor: str
    ) -> list[Put | Invalid]:
        """Put products and renew the pins of those whose offer changed.

        In the order of `products`: what was put, or why it was not. A pinned product whose new
        card cannot be drawn is refused. Called in the channel's turn. Raises TooLarge, NotFound.
        """
        cards: dict[str, Card] = {}
        refused: dict[str, Invalid] = {}
        for new in products:
            try:
                drawn = await self._card(channel_id, show, new)
                if drawn is not None:
                    cards[new.product.id] = drawn
            except Invalid as error:
                refused[new.product.id] = error
        good = [new for new in products if new.product.id not in refused]
        stored = await self._store.put_products(channel_id, good, self._max_products)
        puts = {put.product.id: put for put in stored}
        for put in stored:
            if show is not None and put.change is not Change.UNCHANGED:
                await self._renew(show, put, cards.get(put.product.id), actor)
        return [refused.get(new.product.id) or puts[new.product.id] for new in products]

    async def _renew(self, show: Show, put: Put, drawn: Card | None, actor: str) -> None:
        product = put.product
        if drawn is not None and not (put.before and same_offer(put.before, product)):
            await self._pins.revise(show, product, drawn, actor)
        elif product.id in show.products:
            show.products[product.id] = product

    async def _card(self, channel_id: str, show: Show | None, new: NewProduct) -> Card | None:
        """Return the new card of a product that is pinned and whose offer changes, else None."""
        pinned = _pin_of(show, new.product.id)
        if show is None or pinned is None:
            return None
        before = await self._store.product(channel_id, new.product.id)
        after = _with_image(new, before)
        if before is not None and same_offer(before, after):
            return None
        picture = new.image.data if new.image else None
        return await self._pins.card(show, after, self._pins.new_card_id(), pinned.slot, picture)


def _pin_of(show: Show | None, product_id: str) -> Interval | None:
    pins = show.timeline.open if show else ()
    return next((item for item in pins if item.product_id == product_id), None)


def _with_image(new: NewProduct, before: Product | None) -> Product:
    keeps = new.keeps_image and before is not None
    return replace(new.product, image=before.image) if keeps and before else new.product
