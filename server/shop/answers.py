"""The shop's values as the API and the event stream write them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from overlay.scene import Money, Rect
from server.instant import rfc3339
from server.shop.catalogue import Product
from server.shop.timeline import Event, Interval

Json = dict[str, object]


def money_json(money: Money) -> Json:
    return {"amount": money.amount, "currency": money.currency}


def product_json(product: Product) -> Json:
    """Write a product; what is empty is left out, so that what is read can be PUT back."""
    answer: Json = {"id": product.id, "title": product.title, "price": money_json(product.price)}
    if product.sale_price is not None:
        answer["sale_price"] = money_json(product.sale_price)
    for name in ("description", "brand", "image", "link"):
        text = getattr(product, name)
        if text:
            answer[name] = text
    if product.images:
        answer["images"] = list(product.images)
    if product.stock is not None:
        answer["stock"] = product.stock
    if product.attributes:
        answer["attributes"] = dict(product.attributes)
    answer["availability"] = product.availability.value
    answer["kind"] = product.kind.value
    answer["revision"] = product.revision
    return answer


def rect_json(rect: Rect) -> Json:
    return {"x": rect.x, "y": rect.y, "width": rect.width, "height": rect.height}


def interval_json(interval: Interval, product: Product | None = None) -> Json:
    """Write a pin's interval, with the product as it is now when that is given."""
    answer: Json = {
        "id": interval.id,
        "kind": "pin",
        "product_id": interval.product_id,
        "revision": interval.revision,
        "slot": interval.slot,
        "t_media": rfc3339(interval.t_media),
        "start": rfc3339(interval.start),
        "end": None if interval.end is None else rfc3339(interval.end),
        "late": interval.late,
        "exact": interval.start_exact,
        "rect": None if interval.rect is None else rect_json(interval.rect),
    }
    if interval.price is not None:
        answer["price_then"] = money_json(interval.price)
    if interval.sale_price is not None:
        answer["sale_price_then"] = money_json(interval.sale_price)
    if product is not None:
        answer["product"] = product_json(product)
    return answer


def event_json(event: Event) -> Json:
    return {
        "seq": event.seq,
        "id": event.id,
        "kind": event.kind.value,
        "pin": event.pin,
        "product_id": event.product_id,
        "revision": event.revision,
        "t_media": rfc3339(event.t_media),
        "t_wall": rfc3339(event.t_wall),
        "late": event.late,
    }


def intervals_json(intervals: Iterable[Interval], products: Mapping[str, Product]) -> list[Json]:
    return [interval_json(item, products.get(item.product_id)) for item in intervals]
