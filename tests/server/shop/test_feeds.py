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


def json_feed(*items: object) -> Feed:
    return read(json.dumps(items).encode(), Format.JSON)


@pytest.mark.parametrize(
    ("price", "currency", "amount"),
    [
        ("130", "EUR", 13000),
        ("129.90", "EUR", 12990),
        ("129,90", "EUR", 12990),
        ("129.9", "eur", 12990),
        ("0", "EUR", 0),
        ("130", "JPY", 130),
        ("1.5", "KWD", 1500),
        ("5 JPY", "EUR", 5),
    ],
)
def test_a_price_beside_its_currency_is_in_major_units(
    price: str, currency: str, amount: int
) -> None:
    sheet = csv("id;title;price;sale_price;currency", f"a;A;{price};{price};{currency}")
    listed = json_feed(
        {"id": "a", "title": "A", "price": price, "sale_price": price, "currency": currency}
    )
    for feed in (sheet, listed):
        assert feed.rejected == ()
        product = feed.rows[0].draft.product
        assert (product.price.amount, product.sale_price) == (amount, product.price)


def test_numbers_of_json_are_major_units_and_the_apis_object_minor_ones() -> None:
    feed = json_feed(
        {"id": "a", "title": "A", "price": 130, "currency": "EUR"},
        {"id": "b", "title": "B", "price": 129.9, "sale_price": 99, "currency": "EUR"},
        {"id": "c", "title": "C", "price": {"amount": 130, "currency": "EUR"}},
        {"id": "d", "title": "D", "price_minor": 130, "sale_price_minor": 99, "currency": "EUR"},
    )
    products = [row.draft.product for row in feed.rows]
    assert [product.price.amount for product in products] == [13000, 12990, 130, 130]
    assert [product.sale_price and product.sale_price.amount for product in products] == [
        None, 9900, None, 99
    ]  # fmt: skip


def test_minor_units_have_a_column_of_their_own() -> None:
    feed = csv("id,title,price_minor,sale_price_minor,currency", "a,A,1290,990,EUR", "b,B,5,,JPY")
    assert [row.draft.product.price for row in feed.rows] == [Money(1290, "EUR"), Money(5, "JPY")]
    assert feed.rows[0].draft.product.sale_price == Money(990, "EUR")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"price": "130"}, 'price: 130 has no currency; write "130 EUR"'),
        ({"price": 130}, 'price: 130 has no currency; write "130 EUR"'),
        ({"price": "129.905", "currency": "EUR"}, "price: EUR has 2 decimal places"),
        ({"price": "1.5", "currency": "JPY"}, "price: JPY has 0 decimal places"),
        ({"price": "1,290", "currency": "EUR"}, "price: '1,290' has a comma"),
        ({"price": "1.290,50", "currency": "EUR"}, "price: '1.290,50' has a comma"),
        ({"price": "-1", "currency": "EUR"}, "price: "),
        ({"price": True, "currency": "EUR"}, "price: "),
        ({"price": "1", "currency": "QQQ"}, "price: currency 'QQQ'"),
        ({"price": "1", "currency": 5}, "currency: must be"),
        ({"price_minor": "12.90", "currency": "EUR"}, "price_minor: must be a whole number"),
        ({"price_minor": True, "currency": "EUR"}, "price_minor: must be a whole number"),
        ({"price_minor": 1290}, "price_minor: needs a `currency`"),
        ({"price": "1 EUR", "price_minor": 1, "currency": "EUR"}, "price_minor: "),
        ({"price": "2 EUR", "sale_price": "1"}, "sale_price: 1 has no currency"),
        ({"price": "2 EUR", "sale_price_minor": "1"}, "sale_price_minor: needs"),
    ],
)
def test_a_price_that_may_mean_two_things_is_refused(fields: dict[str, object], said: str) -> None:
    feed = json_feed({"id": "a", "title": "A", **fields})
    assert feed.rows == ()
    assert said in feed.rejected[0].reason
    assert "is missing" not in feed.rejected[0].reason


def test_every_problem_of_a_row_is_told() -> None:
    feed = csv("id,title,price,stock", "a,,130,many")
    assert [name in feed.rejected[0].reason for name in ("price:", "title:", "stock:")] == [
        True
    ] * 3


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_columns_may_be_apart_by_what_spreadsheets_write(delimiter: str) -> None:
    lines = (("id", "title", "price", "url"), ("a", "A", "1 EUR", "https://shop.example/?a,b;c"))
    quoted = [delimiter.join(f'"{cell}"' for cell in line) for line in lines]
    product = csv(*quoted).rows[0].draft.product
    assert (product.id, product.link) == ("a", "https://shop.example/?a,b;c")


def test_url_is_another_name_of_link() -> None:
    one, other = "https://shop.example/1", "https://shop.example/2"
    feed = csv(
        "id,title,price,link,url",
        f"a,A,1 EUR,{one},",
        f"b,B,1 EUR,,{one}",
        f"c,C,1 EUR,{one},{one}",
        f"d,D,1 EUR,{one},{other}",
    )
    assert [row.draft.product.link for row in feed.rows] == [one] * 3
    assert "url: is another name of link" in feed.rejected[0].reason


def test_a_bad_address_is_told_under_the_name_that_the_feed_has_for_it() -> None:
    for name in ("url", "link"):
        told = csv(f"id,title,price,{name}", "a,A,1 EUR,ftp://shop.example/1").rejected[0]
        assert told.reason.startswith(f"{name}: "), told.reason
    both = csv("id,title,price,link,url", "a,A,1 EUR,ftp://x/1,").rejected[0]
    assert both.reason.startswith("link: ")


def test_places_are_lines_in_a_sheet_and_items_in_a_list() -> None:
    assert [kind.place for kind in (Format.CSV, Format.JSON)] == ["line", "item"]


def test_bad_rows_are_told_and_good_rows_stay() -> None:
    feed = csv(
        "id,title,price,stock",
        "a,A,1 EUR,1",
        "b,B,free,1",
        "c,C,1 EUR",
        "d,D,1 EUR,many",
        "e,E,1 EUR,",
    )
    assert [row.draft.product.id for row in feed.rows] == ["a", "e"]
    reasons = {item.line: item.reason for item in feed.rejected}
    assert sorted(reasons) == [3, 4, 5]
    assert "price" in reasons[3]
    assert "3 cells, the header has 4" in reasons[4]
    assert "stock" in reasons[5]


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
