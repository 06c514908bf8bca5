"""Products as a channel offers them. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from overlay.scene import Card, Money

IMAGE_PATH = "/images/"
"""Where stored images are served; the name after it is made from their content."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,63}", re.ASCII)
_IMAGE_NAME = re.compile(r"[0-9a-f]{64}\.(jpg|png|webp)", re.ASCII)


class Availability(StrEnum):
    IN_STOCK = "in_stock"
    OUT_OF_STOCK = "out_of_stock"
    PREORDER = "preorder"
    BACKORDER = "backorder"


class Kind(StrEnum):
    """What buying means: the same card with another call to action."""

    GOODS = "goods"
    BOOKING = "booking"
    CLASS = "class"
    PREORDER = "pre-order"
    LEAD_FORM = "lead-form"


@dataclass(frozen=True, slots=True)
class Product:
    id: str
    title: str
    price: Money
    sale_price: Money | None = None
    description: str = ""
    brand: str = ""
    availability: Availability = Availability.IN_STOCK
    stock: int | None = None
    """None: not counted."""
    image: str = ""
    """A URL: below IMAGE_PATH when the picture is stored here, else http(s); empty for none."""
    images: tuple[str, ...] = ()
    """Further pictures, http(s) URLs."""
    link: str = ""
    kind: Kind = Kind.GOODS
    attributes: tuple[tuple[str, str], ...] = ()
    revision: int = 0
    """Grows with every real change; 0 before it is stored."""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture as it is stored and served; `name` is made from its content."""

    name: str
    content_type: str
    data: bytes


def same(one: Product, other: Product) -> bool:
    """Tell whether two products differ in nothing but their revision."""
    return replace(one, revision=0) == replace(other, revision=0)


def same_offer(one: Product, other: Product) -> bool:
    """Tell whether only what is counted (stock, availability) differs, if anything."""
    return same(replace(one, stock=other.stock, availability=other.availability), other)


def card(product: Product, pin: str, slot: int, picture: bytes | None) -> Card:
    """Make the card that shows `product` under the pin's id."""
    on_sale = product.sale_price is not None and product.sale_price.amount < product.price.amount
    price = product.sale_price if on_sale and product.sale_price else product.price
    return Card(
        id=pin,
        title=product.title,
        price=price,
        was=product.price if on_sale else None,
        image=picture,
        slot=slot,
    )


def stored_image_name(url: str) -> str | None:
    """Return the name in a URL of a stored image, None for any other URL."""
    name = url.removeprefix(IMAGE_PATH)
    return name if name != url and _IMAGE_NAME.fullmatch(name) else None


def is_product_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None
