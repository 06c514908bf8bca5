"""What the shop tells its listeners: the bus events of kinds `timeline`, `product`, `stock`."""

from __future__ import annotations

from collections.abc import Sequence

from server.bus import Bus
from server.shop.answers import Json, intervals_json, product_json
from server.shop.catalogue import same_offer
from server.shop.show import Show
from server.shop.timeline import Interval
from server.store.port import Change, Put

ONE_BY_ONE = 32
"""Products changed at once, above which listeners are told to load the list anew."""


class News:
    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    def timeline(
        self, show: Show, changed: tuple[Interval, ...], problems: tuple[str, ...]
    ) -> None:
        """Tell the intervals that changed, whole; a listener replaces those of the same id."""
        data: Json = {
            "session": show.timeline.session,
            "seq": show.timeline.seq,
            "intervals": intervals_json(changed, show.products),
        }
        if problems:
            data["problems"] = list(problems)
        self._bus.publish(show.channel.id, "timeline", data)

    def products(self, channel_id: str, puts: Sequence[Put]) -> None:
        """Tell each product that changed, or only how many when there are too many to tell."""
        changed = [put for put in puts if put.change is not Change.UNCHANGED]
        if len(changed) > ONE_BY_ONE:
            self._bus.publish(channel_id, "product", {"reload": True, "changed": len(changed)})
            return
        for put in changed:
            if put.before is not None and same_offer(put.before, put.product):
                product = put.product
                stock: Json = {
                    "product_id": product.id,
                    "stock": product.stock,
                    "availability": product.availability.value,
                }
                self._bus.publish(channel_id, "stock", stock)
            self._bus.publish(channel_id, "product", product_json(put.product))

    def removed(self, channel_id: str, product_id: str) -> None:
        self._bus.publish(channel_id, "product", {"id": product_id, "removed": True})
