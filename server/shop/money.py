"""Amounts of money as people and feeds write them, read into minor units. Pure.

Decimal places come from CLDR by way of Babel, the same table the cards are drawn by.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from babel.numbers import get_currency_precision, list_currencies

from overlay.scene import Money

MAX_AMOUNT = 10**12
_TEXT = re.compile(r"(?P<number>\d{1,15}(\.\d{1,6})?)\s*(?P<currency>[A-Za-z]{3})", re.ASCII)
_KEYS = frozenset({"amount", "currency"})
# Read at import: Babel loads its tables from disk at the first question.
_CURRENCIES = frozenset(list_currencies())


def parse_money(value: object) -> Money:
    """Read `{"amount": 1290, "currency": "EUR"}` (minor units) or `"12.90 EUR"`.

    Raises ValueError with a reason: unknown currency, negative, too large, or more decimal
    places than the currency has.
    """
    if isinstance(value, str):
        return _from_text(value)
    if isinstance(value, Mapping):
        return _from_mapping(value)
    raise ValueError('must be {"amount": minor units, "currency": "EUR"} or text like "12.90 EUR"')


def _from_mapping(value: Mapping[object, object]) -> Money:
    unknown = sorted(str(key) for key in value if key not in _KEYS)
    if unknown:
        raise ValueError(f"has unknown keys: {', '.join(unknown)}")
    amount, currency = value.get("amount"), value.get("currency")
    if isinstance(amount, bool) or not isinstance(amount, int):
        raise ValueError("amount must be a whole number of minor units")
    if not isinstance(currency, str):
        raise ValueError("currency must be an ISO 4217 code like EUR")
    return _checked(amount, currency)


def _from_text(text: str) -> Money:
    found = _TEXT.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text[:40]!r} is not an amount with its currency, like 12.90 EUR")
    currency = found["currency"].upper()
    try:
        number = Decimal(found["number"])
    except InvalidOperation as error:
        raise ValueError(f"{text[:40]!r} is not a number") from error
    places = get_currency_precision(currency)
    minor = number.scaleb(places)
    if minor != minor.to_integral_value():
        raise ValueError(f"{currency} has {places} decimal places, {found['number']} has more")
    return _checked(int(minor), currency)


def _checked(amount: int, currency: str) -> Money:
    code = currency.upper()
    if code not in _CURRENCIES:
        raise ValueError(f"currency {currency[:10]!r} is not in ISO 4217")
    if not 0 <= amount <= MAX_AMOUNT:
        raise ValueError(f"amount must be from 0 to {MAX_AMOUNT} minor units")
    return Money(amount, code)
