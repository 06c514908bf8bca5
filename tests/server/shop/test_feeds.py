from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overlay.scene import Money
from server.errors import Invalid, TooLarge
from server.shop import feeds
from server.shop.feeds import Feed, Format, format_of, read


def csv(*lines: str) -> Feed:
    return read("\n".join(lines).encode(), Format.CSV)


def test_csv_with_everything() -> None:
    feed = csv(
        "\ufeffID,Title,price,sale_price,stock,images,attributes.size,image",
        'a,"Tea, ""green""\nfrom Hangzhou",12.90 EUR,9 EUR,3,https://a.example/1 https://a.example/2,L,p/a.png',
        "",
        "b,Cup,1 EUR,,,,,https://a.example/b.png",
    )
    assert feed.rejected == ()
    one, two = feed.rows
    tea = one.draft.product
    assert (one.line, two.line) == (2, 5), "as an editor counts"
    assert tea.title == 'Tea, "green" from Hangzhou'
    assert (tea.price, tea.sale_price, tea.stock) == (Money(1290, "EUR"), Money(900, "EUR"), 3)
    assert tea.images == ("https://a.example/1", "https://a.example/2")
    assert tea.attributes == (("size", "L"),)
    assert one.image_file == "p/a.png"
    assert (two.image_file, two.draft.product.image) == ("", "https://a.example/b.png")


def test_minor_units_beside_a_currency_column() -> None:
    feed = csv("id,title,price,sale_price,currency", "a,A,1290,990,EUR", "b,B,5 JPY,,EUR")
    assert [row.draft.product.price for row in feed.rows] == [Money(1290, "EUR"), Money(5, "JPY")]
    assert feed.rows[0].draft.product.sale_price == Money(990, "EUR")


def test_bad_rows_are_told_and_good_rows_stay() -> None:
    feed = csv(
        "id,title,price,stock",
        "a,A,1 EUR,1",
        "b,B,free,1",
        "c,C,1 EUR",
        "d,D,1 EUR,many",
        "a,Again,1 EUR,1",
        "e,E,1 EUR,",
    )
    assert [row.draft.product.id for row in feed.rows] == ["a", "e"]
    reasons = {item.line: item.reason for item in feed.rejected}
    assert sorted(reasons) == [3, 4, 5, 6]
    assert "price" in reasons[3]
    assert "3 cells, the header has 4" in reasons[4]
    assert "stock" in reasons[5]
    assert "already in line 2" in reasons[6]


def test_a_quote_never_closed_costs_what_it_swallowed_only() -> None:
    feed = csv("id,title,price", "a,A,1 EUR", 'b,"B,1 EUR', "c,C,1 EUR")
    assert [row.draft.product.id for row in feed.rows] == ["a"]
    assert feed.rejected[0].line == 3


def test_json_lists_and_objects() -> None:
    item = {"id": "a", "title": "A", "price": {"amount": 5, "currency": "EUR"}}
    for document in ([item, 5, {}], {"products": [item, 5, {}]}):
        feed = read(json.dumps(document).encode(), Format.JSON)
        assert [row.line for row in feed.rows] == [1]
        assert [item.line for item in feed.rejected] == [2, 3]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", Format.CSV),
        (b"name,price\na,b", Format.CSV),
        (b"id,id,title\na,b,c", Format.CSV),
        (b"id\xff", Format.CSV),
        (b"{", Format.JSON),
        (b'{"a": 1}', Format.JSON),
        (b"5", Format.JSON),
        (b"[" * 100_000, Format.JSON),
    ],
)
def test_what_is_no_feed_at_all(data: bytes, kind: Format) -> None:
    with pytest.raises(Invalid) as caught:
        read(data, kind)
    assert caught.value.problems[0].field == "file"


def test_feeds_have_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "MAX_ROWS", 2)
    csv("id,title,price", "a,A,1 EUR", "b,B,1 EUR")
    with pytest.raises(TooLarge, match="2 rows"):
        csv("id,title,price", "a,A,1 EUR", "b,B,1 EUR", "c,C,1 EUR")
    monkeypatch.setattr(feeds, "MAX_BYTES", 10)
    with pytest.raises(TooLarge, match="10 bytes"):
        csv("id,title,price")


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.csv", Format.CSV), ("A.JSON", Format.JSON), ("a.xml", None), ("csv", None)],
)
def test_the_format_shows_in_the_name(name: str, kind: Format | None) -> None:
    assert format_of(name) is kind


@given(st.binary(max_size=200), st.sampled_from(Format))
def test_any_bytes_give_a_feed_or_a_reason(data: bytes, kind: Format) -> None:
    for sent in (data, b"id,title,price\n" + data):
        with contextlib.suppress(Invalid):
            read(sent, kind)
