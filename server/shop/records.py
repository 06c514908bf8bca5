"""The shop's values as the JSON texts that stores keep. Pure; both stores share it.

A record that a later version wrote with further keys is still read.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from overlay.scene import Corner, Money, Motion, Rect
from server.channel import OverlayMode, OverlaySettings
from server.shop.catalogue import Availability, Kind, Product
from server.shop.timeline import Event, EventKind


def product_record(product: Product) -> str:
    return _text(asdict(product))


def read_product(record: str) -> Product:
    fields: dict[str, Any] = json.loads(record)
    return Product(
        id=fields["id"],
        title=fields["title"],
        price=Money(**fields["price"]),
        sale_price=Money(**fields["sale_price"]) if fields["sale_price"] else None,
        description=fields["description"],
        brand=fields["brand"],
        availability=Availability(fields["availability"]),
        stock=fields["stock"],
        image=fields["image"],
        images=tuple(fields["images"]),
        link=fields["link"],
        kind=Kind(fields["kind"]),
        attributes=tuple((name, value) for name, value in fields["attributes"]),
        revision=fields["revision"],
    )


def event_record(event: Event) -> str:
    return _text(asdict(event))


def read_event(record: str) -> Event:
    fields: dict[str, Any] = json.loads(record)
    return Event(
        id=fields["id"],
        kind=EventKind(fields["kind"]),
        pin=fields["pin"],
        product_id=fields["product_id"],
        revision=fields["revision"],
        t_media=fields["t_media"],
        t_wall=fields["t_wall"],
        actor=fields["actor"],
        slot=fields["slot"],
        late=fields["late"],
        burned=fields["burned"],
        rect=Rect(**fields["rect"]) if fields["rect"] else None,
        price=_money(fields.get("price")),
        sale_price=_money(fields.get("sale_price")),
        seq=fields["seq"],
    )


def overlay_record(overlay: OverlaySettings) -> str:
    return _text(asdict(overlay))


def read_overlay(record: str) -> OverlaySettings:
    fields: dict[str, Any] = json.loads(record)
    return OverlaySettings(
        mode=OverlayMode(fields["mode"]),
        corner=Corner(fields["corner"]),
        motion=Motion(fields["motion"]),
        locale=fields["locale"],
    )


def _money(fields: dict[str, Any] | None) -> Money | None:
    return Money(**fields) if fields else None


def _text(fields: dict[str, object]) -> str:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
