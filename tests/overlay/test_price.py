from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overlay.errors import BadPrice
from overlay.price import (
    discount,
    discount_text,
    is_rtl,
    major_units,
    parse_locale,
    plain_price_text,
    price_text,
)
from overlay.scene import Money

NBSP = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("amount", "currency", "locale", "text"),
    [
        (12_900, "USD", "en", "$129.00"),
        (1_234_567, "USD", "en-US", "$12,345.67"),
        (12_900, "EUR", "de-DE", f"129,00{NBSP}€"),
        (1_290_000, "EUR", "fr", f"12\N{NARROW NO-BREAK SPACE}900,00{NBSP}€"),
        (1980, "JPY", "ja-JP", "￥1,980"),
        (1980, "JPY", "en", "¥1,980"),
        (19_900, "CNY", "zh-Hans-CN", "¥199.00"),
        (1_299_000, "KRW", "ko", "₩1,299,000"),
        (1_234_500, "KWD", "en", f"KWD{NBSP}1,234.500"),
        (123_456_789, "INR", "hi-IN", "₹12,34,567.89"),
        (0, "GBP", "en-GB", "£0.00"),
    ],
)
def test_prices_read_as_the_locale_writes_them(
    amount: int, currency: str, locale: str, text: str
) -> None:
    assert price_text(Money(amount, currency), locale) == text


def test_bidi_marks_are_kept_for_shaping() -> None:
    assert "\N{RIGHT-TO-LEFT MARK}" in price_text(Money(129_000, "AED"), "ar-AE")


def test_minor_units_are_counted_by_iso_4217_not_by_what_cldr_prints() -> None:
    assert major_units(Money(1_999_950, "IQD")) == Decimal("1999.95")
    assert major_units(Money(1980, "JPY")) == 1980
    assert major_units(Money(12_345, "CLF")) == Decimal("1.2345")


def test_a_fraction_is_never_rounded_away() -> None:
    assert price_text(Money(1_999_950, "IQD"), "en") == f"IQD{NBSP}1,999.95"
    assert price_text(Money(2_000_000, "IQD"), "en") == f"IQD{NBSP}2,000"


def test_the_plain_price_needs_no_symbol() -> None:
    assert plain_price_text(Money(12_900, "AED")) == "AED 129.00"
    assert plain_price_text(Money(1980, "JPY")) == "JPY 1,980"


@pytest.mark.parametrize("currency", ["", "usd", "US", "USDT", "U$D", "日本円"])
def test_what_is_no_currency_code_is_refused(currency: str) -> None:
    with pytest.raises(BadPrice, match="ISO 4217"):
        price_text(Money(100, currency), "en")


@pytest.mark.parametrize("amount", [-1, 10**15 + 1])
def test_amounts_out_of_bounds_are_refused(amount: int) -> None:
    with pytest.raises(BadPrice, match="minor units"):
        price_text(Money(amount, "USD"), "en")


@given(st.text(max_size=30))
def test_any_locale_tag_gives_a_price(tag: str) -> None:
    assert "5" in price_text(Money(500, "USD"), tag)


def test_the_nearest_known_locale_is_taken() -> None:
    assert str(parse_locale("ar-AE-u-nu-arab")) == "ar_AE"
    assert str(parse_locale("de-XX")) == "de"
    assert str(parse_locale("qqq")) == "en"


def test_writing_direction() -> None:
    assert is_rtl("ar-EG")
    assert is_rtl("he")
    assert not is_rtl("zh-CN")
    assert not is_rtl("")


@pytest.mark.parametrize(
    ("now", "before", "percent"), [(80, 100, 20), (667, 1000, 33), (999, 1000, 0), (0, 100, 100)]
)
def test_a_discount_is_rounded_down(now: int, before: int, percent: int) -> None:
    assert discount(Money(now, "USD"), Money(before, "USD")) == percent


def test_an_old_price_must_be_higher_and_in_the_same_currency() -> None:
    with pytest.raises(BadPrice, match="not higher"):
        discount(Money(100, "USD"), Money(100, "USD"))
    with pytest.raises(BadPrice, match="old price in EUR"):
        discount(Money(100, "USD"), Money(200, "EUR"))


def test_discounts_read_as_the_locale_writes_them() -> None:
    assert discount_text(20, "en") == "-20%"
    assert discount_text(20, "de") == f"-20{NBSP}%"
