"""How a product is read from what someone sent: JSON-like data, field by field. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

from overlay.scene import Money
from server.errors import Invalid, Problem
from server.shop.catalogue import Availability, Kind, Product, is_product_id, stored_image_name
from server.shop.money import parse_money

MAX_TITLE = 200
MAX_TEXT = 5_000
MAX_URL = 2_000
MAX_IMAGES = 10
MAX_ATTRIBUTES = 50
MAX_STOCK = 10**9

_DATA_URL = re.compile(r"data:image/(?:jpeg|png|webp);base64,(?P<data>[A-Za-z0-9+/=\s]+)", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Draft:
    """A product as someone sent it, and what its picture shall be."""

    product: Product
    picture: bytes | None = None
    """A picture that came along, not yet judged."""
    keeps_image: bool = False
    """The sender did not speak of an image: what is stored stays."""


def parse(data: Mapping[str, object]) -> Draft:
    """Read a product from JSON-like data; `image` may be http(s), stored here, or data:.

    `revision` and `updated_at` are ignored, so that what GET gave can be PUT back. Raises
    Invalid naming every wrong field.
    """
    reader = _Fields(data)
    product = reader.product()
    picture = reader.read("image", _picture, None)
    reader.refuse_unknown()
    if reader.problems:
        raise Invalid(*reader.problems)
    return Draft(product, picture, keeps_image="image" not in data)


class _Fields:
    """Reads field after field and remembers every problem instead of stopping at one."""

    def __init__(self, data: Mapping[str, object]) -> None:
        self.data = data
        self.problems: list[Problem] = []
        self.known = {"revision", "updated_at"}

    def read(self, name: str, convert: Callable[[object], _T], default: _T) -> _T:
        self.known.add(name)
        value = self.data.get(name)
        if value is None:
            return default
        try:
            return convert(value)
        except ValueError as error:
            self.problems.append(Problem(name, str(error)))
            return default

    def require(self, name: str, convert: Callable[[object], _T], default: _T) -> _T:
        if self.data.get(name) is None:
            self.problems.append(Problem(name, "is missing"))
        return self.read(name, convert, default)

    def product(self) -> Product:
        price = self.require("price", parse_money, Money(0, "XXX"))
        sale_price = self.read("sale_price", _optional_money, None)
        if sale_price is not None and price.currency not in (sale_price.currency, "XXX"):
            problem = f"must be in {price.currency}, as the price"
            self.problems.append(Problem("sale_price", problem))
        return Product(
            id=self.require("id", _product_id, ""),
            title=self.require("title", _title, ""),
            price=price,
            sale_price=sale_price,
            description=self.read("description", _text, ""),
            brand=self.read("brand", _short_text, ""),
            availability=self.read("availability", _availability, Availability.IN_STOCK),
            stock=self.read("stock", _stock, None),
            image=self.read("image", _image_url, ""),
            images=self.read("images", _image_urls, ()),
            link=self.read("link", _http_url, ""),
            kind=self.read("kind", _kind, Kind.GOODS),
            attributes=self.read("attributes", _attributes, ()),
        )

    def refuse_unknown(self) -> None:
        unknown = sorted(str(name) for name in self.data if name not in self.known)
        self.problems += [Problem(name[:64], "is not a field of a product") for name in unknown]


def _string(value: object, limit: int) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text")
    if len(value) > limit:
        raise ValueError(f"is longer than {limit} characters")
    if _CONTROL.search(value):
        raise ValueError("holds control characters")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError("is not valid Unicode") from error
    return value.strip()


def _text(value: object) -> str:
    return _string(value, MAX_TEXT)


def _short_text(value: object) -> str:
    return _string(value, MAX_TITLE)


def _title(value: object) -> str:
    text = " ".join(_string(value, MAX_TITLE).split())
    if not text:
        raise ValueError("must not be empty")
    return text


def _product_id(value: object) -> str:
    if not isinstance(value, str) or not is_product_id(value):
        raise ValueError("must be 1 to 64 of A-Z a-z 0-9 . _ ~ -, beginning with a letter or digit")
    return value


def _optional_money(value: object) -> Money | None:
    return parse_money(value)


def _availability(value: object) -> Availability:
    # Google Merchant writes `in stock` or `in_stock`, schema.org `https://schema.org/InStock`.
    word = _string(value, 64).rsplit("/", 1)[-1].replace(" ", "_").lower()
    known = {item.value.replace("_", ""): item for item in Availability}
    found = known.get(word.replace("_", ""))
    if found is None:
        raise ValueError(f"must be one of {', '.join(Availability)}")
    return found


def _kind(value: object) -> Kind:
    try:
        return Kind(_string(value, 64))
    except ValueError as error:
        raise ValueError(f"must be one of {', '.join(Kind)}") from error


def _stock(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_STOCK:
        raise ValueError(f"must be a whole number from 0 to {MAX_STOCK}")
    return value


def _http_url(value: object) -> str:
    url = _string(value, MAX_URL)
    parts = urlsplit(url)  # ValueError on its own for broken brackets
    if url and (parts.scheme not in ("http", "https") or not parts.hostname or " " in url):
        raise ValueError("must be an http or https URL")
    return url


def _image_url(value: object) -> str:
    if isinstance(value, str) and value.startswith("data:"):
        return ""  # becomes the picture, see `_picture`
    if isinstance(value, str) and stored_image_name(value):
        return value
    return _http_url(value)


def _image_urls(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or len(value) > MAX_IMAGES:
        raise ValueError(f"must be a list of at most {MAX_IMAGES} URLs")
    return tuple(_http_url(item) for item in value)


def _picture(value: object) -> bytes | None:
    if not isinstance(value, str) or not value.startswith("data:"):
        return None
    found = _DATA_URL.fullmatch(value)
    if found is None:
        raise ValueError("must be data:image/jpeg, png or webp in base64")
    try:
        return base64.b64decode(found["data"])
    except binascii.Error as error:
        raise ValueError("is not valid base64") from error


def _attributes(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping) or len(value) > MAX_ATTRIBUTES:
        raise ValueError(f"must be an object of at most {MAX_ATTRIBUTES} texts")
    pairs = ((_string(name, 64), _string(text, MAX_TITLE)) for name, text in value.items())
    return tuple(sorted(pairs))
