"""Money to text by the CLDR rules of a locale (Babel). Pure.

Grouping, decimals, the symbol and its place, and bidi marks all come from CLDR. The
text keeps no-break spaces and bidi marks; who draws it decides about them.
"""

from __future__ import annotations

import re
from decimal import Decimal

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency, format_percent

from overlay.errors import BadPrice
from overlay.scene import Money

# ISO 4217, the currencies whose minor unit is not a hundredth. Not CLDR's digits: CLDR
# says what is usual to print (IQD 0), ISO what an amount in minor units counts (IQD 3).
_WHOLE_UNITS = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"}
    | {"UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"}
)
_THOUSANDTHS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
_TEN_THOUSANDTHS = frozenset({"CLF", "UYW"})
_CURRENCY = re.compile(r"[A-Z]{3}")
# CLDR's currencySpacing, which Babel leaves out: a symbol ending in a letter keeps off the digits.
_LETTER_MEETS_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
_MAX_AMOUNT = 10**15


def parse_locale(tag: str) -> Locale:
    """Resolve a BCP 47 tag to the nearest locale known to CLDR; English when none is.

    Subtags are dropped from the right: `ar-AE-u-nu-latn`, `ar-AE`, `ar`.
    """
    parts = tag.replace("_", "-").split("-")
    for count in range(min(len(parts), 3), 0, -1):
        try:
            return Locale.parse("-".join(parts[:count]), sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale.parse("en")


def is_rtl(tag: str) -> bool:
    """Tell whether a BCP 47 locale is written from right to left."""
    return parse_locale(tag).text_direction == "rtl"


def major_units(money: Money) -> Decimal:
    """Give the amount in whole units of its currency, exactly.

    Raises BadPrice for a currency that is not three capitals, or an amount outside
    0 .. 10**15 minor units.
    """
    if _CURRENCY.fullmatch(money.currency) is None:
        raise BadPrice(f"{money.currency!r} is not an ISO 4217 currency code")
    if not 0 <= money.amount <= _MAX_AMOUNT:
        raise BadPrice(f"amount {money.amount} is not 0 .. {_MAX_AMOUNT} minor units")
    return Decimal(money.amount).scaleb(-_minor_digits(money.currency))


def price_text(money: Money, locale: str) -> str:
    """Write a price as the locale does: `$129.00`, `129,00 €`, `￥1,980`.

    Never rounds: a fraction that CLDR would not print is printed. Raises BadPrice as
    `major_units` does.
    """
    text = format_currency(
        major_units(money), money.currency, locale=parse_locale(locale), decimal_quantization=False
    )
    return _LETTER_MEETS_DIGIT.sub("\N{NO-BREAK SPACE}", text)


def plain_price_text(money: Money) -> str:
    """Write a price with its ISO code and Latin digits only (`AED 129.00`).

    For fonts that lack the locale's currency symbol. Raises BadPrice as `major_units` does.
    """
    return format_currency(
        major_units(money),
        money.currency,
        "¤¤ #,##0.00",
        locale=Locale.parse("en"),
        decimal_quantization=False,
    )


def discount(price: Money, was: Money) -> int:
    """Give the discount in whole percent, rounded down so that it never promises too much.

    Raises BadPrice unless `was` is in the same currency and higher than `price`.
    """
    now, before = major_units(price), major_units(was)
    if price.currency != was.currency:
        raise BadPrice(f"old price in {was.currency}, price in {price.currency}")
    if before <= now:
        raise BadPrice(f"old price {before} is not higher than the price {now}")
    return int((before - now) * 100 // before)


def discount_text(percent: int, locale: str) -> str:
    """Write a discount as the locale does: `-20%`, `-20 %`."""
    return format_percent(Decimal(-percent) / 100, locale=parse_locale(locale))


def _minor_digits(currency: str) -> int:
    if currency in _WHOLE_UNITS:
        return 0
    if currency in _THOUSANDTHS:
        return 3
    return 4 if currency in _TEN_THOUSANDTHS else 2
