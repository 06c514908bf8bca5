"""What a feed's row says of money, made into what a product's own check reads. Pure.

Feeds are written by people: a bare `130` beside a currency is 130 of it, never 130 cents. Minor
units are taken only where they are called so: `price_minor`, or the API's own object.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from server.errors import Problem

_BARE = re.compile(r"\d{1,15}(\.\d{1,15})?", re.ASCII)
_COMMA = re.compile(r"(?P<whole>\d{1,15}),(?P<part>\d{1,2})(?P<rest>\s*[A-Za-z]{0,3})", re.ASCII)
_DIGITS = re.compile(r"\d{1,15}", re.ASCII)
_PRICES = ("price", "sale_price")


def read_prices(fields: Mapping[str, object]) -> tuple[dict[str, object], list[Problem]]:
    """Return `fields` with every price as a product takes it, and the prices that cannot be.

    `price` and `sale_price`: `12.90 EUR`, or a bare number in major units beside `currency`, or
    `{"amount", "currency"}`; `price_minor` and `sale_price_minor`: a whole number of minor units
    beside `currency`. A price that names its own currency keeps it. What is a problem is left
    out of the fields.
    """
    given = dict(fields)
    currency = given.pop("currency", None)
    problems: list[Problem] = []
    if currency is not None and not isinstance(currency, str):
        problems.append(Problem("currency", "must be an ISO 4217 code like EUR"))
        currency = None
    code = currency.strip() if currency else ""
    for name in _PRICES:
        minor = given.pop(f"{name}_minor", None)
        major = given.pop(name, None)
        try:
            if minor is not None and major is not None:
                raise ValueError(f"is given as {name}_minor too; keep one")
            value = _major(major, code) if minor is None else _minor(minor, code)
        except ValueError as error:
            problems.append(Problem(name if minor is None else f"{name}_minor", str(error)))
        else:
            given.update({} if value is None else {name: value})
    return given, problems


def _major(value: object, currency: str) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return value
    text = str(value).strip()
    if comma := _COMMA.fullmatch(text):  # a comma that groups has three digits behind it
        text = f"{comma['whole']}.{comma['part']}{comma['rest']}"
    elif "," in text:
        raise ValueError(f"{text[:40]!r} has a comma; write it like 1290.50, without grouping")
    if not _BARE.fullmatch(text):
        return text
    if not currency:
        raise ValueError(f'{text} has no currency; write "{text} EUR", or fill `currency`')
    return f"{text} {currency}"


def _minor(value: object, currency: str) -> object:
    text = str(value).strip()
    if isinstance(value, bool) or not _DIGITS.fullmatch(text):
        raise ValueError("must be a whole number of minor units (1290 for 12.90 EUR)")
    if not currency:
        raise ValueError("needs a `currency` beside it, like EUR")
    return {"amount": int(text), "currency": currency}
