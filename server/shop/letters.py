"""What webhooks say of sessions and pins. Pure: `write` makes the messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from server.channel import Session
from server.instant import rfc3339
from server.shop.answers import Json, product_json
from server.shop.catalogue import Product
from server.shop.timeline import Event, EventKind
from server.webhooks.message import Message, Write

_KINDS = {EventKind.PIN: "product.pinned", EventKind.UNPIN: "product.unpinned"}


def session_data(channel: str, session: str, at_ms: int) -> Json:
    """Write what every event says of where and when; `at_ms` on the PDT axis."""
    return {"channel": channel, "session": session, "at": rfc3339(at_ms)}


def started(write: Write, channel: str, session: Session) -> tuple[Message, ...]:
    """Tell that a session begins."""
    return write("stream.started", session_data(channel, session.id, session.started_ms))


def ended(
    write: Write, channel: str, session: str, at_ms: int, events: Sequence[Event]
) -> tuple[Message, ...]:
    """Tell that a session ends, after the pins that end with it."""
    unpinned = pins(write, channel, session, events, {})
    return unpinned + write("stream.ended", session_data(channel, session, at_ms))


def pins(
    write: Write,
    channel: str,
    session: str,
    events: Sequence[Event],
    products: Mapping[str, Product],
) -> tuple[Message, ...]:
    """Tell of the commands among `events`; a product pinned as it is in `products`."""
    return tuple(
        message
        for event in events
        if event.kind in _KINDS
        for message in write(_KINDS[event.kind], _pin(channel, session, event, products))
    )


def _pin(channel: str, session: str, event: Event, products: Mapping[str, Product]) -> Json:
    told: Json = {
        **session_data(channel, session, event.t_media),
        "pin": event.pin,
        "product_id": event.product_id,
        "revision": event.revision,
    }
    product = products.get(event.product_id)
    if event.kind is EventKind.PIN and product is not None:
        told["product"] = product_json(product)
    return told
