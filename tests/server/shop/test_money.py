from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overlay.scene import Money
from server.shop.money import MAX_AMOUNT, parse_money


@pytest.mark.parametrize(
    ("written", "money"),
    [
        ("12.90 EUR", Money(1290, "EUR")),
        ("12.9EUR", Money(1290, "EUR")),
        (" 12 eur ", Money(1200, "EUR")),
        ("1500 JPY", Money(1500, "JPY")),
        ("1.234 KWD", Money(1234, "KWD")),
        ("0 USD", Money(0, "USD")),
        ({"amount": 1290, "currency": "EUR"}, Money(1290, "EUR")),
        ({"amount": 0, "currency": "jpy"}, Money(0, "JPY")),
    ],
)
def test_amounts_are_read_to_the_minor_unit(written: object, money: Money) -> None:
    assert parse_money(written) == money


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("12.905 EUR", "2 decimal places"),
        ("1.5 JPY", "0 decimal places"),
        ("12,90 EUR", "not an amount"),
        ("-1 EUR", "not an amount"),
        ("1e9 EUR", "not an amount"),
        ("٣ EUR", "not an amount"),
        ("12.90", "not an amount"),
        ("EUR 12", "not an amount"),
        ("5 QQQ", "ISO 4217"),
        ("99999999999999 EUR", "from 0 to"),
        (12.9, "minor units"),
        (None, "minor units"),
        ({"amount": 12.9, "currency": "EUR"}, "whole number"),
        ({"amount": True, "currency": "EUR"}, "whole number"),
        ({"amount": -1, "currency": "EUR"}, "from 0 to"),
        ({"amount": 1}, "currency"),
        ({"amount": 1, "currency": "EUR", "tax": 2}, "unknown keys: tax"),
    ],
)
def test_what_is_no_amount_says_why(written: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_money(written)


@given(st.integers(0, MAX_AMOUNT), st.sampled_from(["EUR", "JPY", "KWD", "CNY"]))
def test_text_and_minor_units_agree(amount: int, currency: str) -> None:
    places = {"JPY": 0, "KWD": 3}.get(currency, 2)
    text = f"{amount // 10**places}"
    if places:
        text += f".{amount % 10**places:0{places}d}"
    assert parse_money(f"{text} {currency}") == parse_money(
        {"amount": amount, "currency": currency}
    )
