from __future__ import annotations

import base64
import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overlay.scene import Money
from server.errors import Invalid
from server.shop.answers import product_json
from server.shop.catalogue import Availability, Kind, Product
from server.shop.draft import MAX_TITLE, parse

WHOLE = Product(
    id="tea-1",
    title="Long jing 龍井",
    price=Money(1290, "EUR"),
    sale_price=Money(990, "EUR"),
    description="Green\ntea",
    brand="West Lake",
    availability=Availability.BACKORDER,
    stock=0,
    image="https://shop.example/1.jpg",
    images=("https://shop.example/2.jpg",),
    link="https://shop.example/tea?a=1&b=2",
    kind=Kind.LEAD_FORM,
    attributes=(("origin", "Hangzhou"),),
)
LEAST = {"id": "a", "title": "A", "price": "1 EUR"}


def problems(fields: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        parse(fields)
    return {item.field: item.problem for item in caught.value.problems}


@pytest.mark.parametrize("product", [WHOLE, Product("a", "A", Money(1, "JPY"))])
def test_what_is_written_is_read_back(product: Product) -> None:
    assert parse(product_json(product)).product == product


def test_every_wrong_field_is_named_at_once() -> None:
    wrong = {
        "id": "no spaces",
        "price": "free",
        "stock": -1,
        "link": "javascript:alert(1)",
        "image": "ftp://a.example/x.png",
        "images": "https://a.example/x.png",
        "kind": "gift",
        "availability": "maybe",
        "attributes": {"size": 3},
        "colour": "red",
    }
    assert set(problems(wrong)) == {*wrong, "title"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", ""),
        ("id", "-a"),
        ("id", "a" * 65),
        ("id", "a/b"),
        ("id", "ä"),
        ("id", 5),
        ("title", "   "),
        ("title", "x" * (MAX_TITLE + 1)),
        ("title", "a\x00b"),
        ("title", "\ud800"),
        ("description", ["x"]),
        ("stock", True),
        ("stock", 1.5),
        ("stock", 10**10),
        ("link", "//host/path"),
        ("link", "https://[broken"),
        ("link", "https://a.example/a b"),
        ("image", "data:image/svg+xml;base64,AAAA"),
        ("image", "data:image/png;base64,A"),
        ("image", "/images/../../etc/passwd"),
        ("images", ["https://a.example"] * 11),
        ("sale_price", "1 USD"),
    ],
)
def test_a_wrong_value_is_refused(field: str, value: object) -> None:
    assert field in problems({**LEAST, field: value})


def test_a_data_url_becomes_the_picture() -> None:
    url = "data:image/webp;base64," + base64.b64encode(b"picture").decode()
    draft = parse({**LEAST, "image": url})
    assert (draft.picture, draft.product.image, draft.keeps_image) == (b"picture", "", False)


def test_silence_keeps_the_image_and_null_removes_it() -> None:
    assert parse(LEAST).keeps_image
    gone = parse({**LEAST, "image": None})
    assert (gone.keeps_image, gone.product.image) == (False, "")


@pytest.mark.parametrize("word", ["in stock", "in_stock", "https://schema.org/InStock", "InStock"])
def test_availability_as_the_feeds_of_others_write_it(word: str) -> None:
    assert parse({**LEAST, "availability": word}).product.availability is Availability.IN_STOCK


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
_FIELDS = st.sampled_from(sorted(product_json(WHOLE)))


@given(st.dictionaries(_FIELDS | st.text(max_size=5), _JSON))
def test_nothing_but_invalid_escapes(fields: dict[str, Any]) -> None:
    with contextlib.suppress(Invalid):
        parse(fields)
