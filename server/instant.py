"""UTC milliseconds to and from RFC 3339 text. Standard library only."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHAPE = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def rfc3339(ms: int) -> str:
    """Write UTC milliseconds as `2026-01-02T03:04:05.678Z` (RFC 3339 5.6)."""
    moment = _EPOCH + timedelta(milliseconds=ms)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


def parse_rfc3339(text: str) -> int:
    """Read an RFC 3339 date-time with a zone as UTC milliseconds; finer digits are cut.

    Raises ValueError.
    """
    if len(text) > 40 or _SHAPE.fullmatch(text) is None:
        raise ValueError("not an RFC 3339 date and time with a zone, like 2026-01-02T03:04:05.678Z")
    moment = datetime.fromisoformat(text.upper())
    try:
        return (moment - _EPOCH) // timedelta(milliseconds=1)
    except OverflowError as error:
        raise ValueError("date out of range") from error
