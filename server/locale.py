"""Which language tags CLDR knows. Pure."""

from __future__ import annotations

from babel import Locale, UnknownLocaleError

MAX_TAG = 35


def is_locale(tag: str) -> bool:
    """Tell whether CLDR knows this BCP 47 language tag."""
    if len(tag) > MAX_TAG:
        return False
    try:
        Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError, TypeError):
        return False
    return True
