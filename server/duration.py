"""How long something lasts, as people write it: `90s`, `8h`, `1h30m`, `2d`. Pure."""

from __future__ import annotations

import re
from typing import Final

_SECONDS: Final = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_SHAPE: Final = re.compile(
    "".join(rf"(?:(?P<{unit}>\d{{1,6}}){unit})?" for unit in _SECONDS), re.ASCII
)


def parse_duration(text: str) -> int:
    """Read weeks, days, hours, minutes and seconds, in this order, as seconds; at least 1.

    Raises ValueError.
    """
    found = _SHAPE.fullmatch(text.strip().lower()) if len(text) <= 64 else None
    parts = found.groupdict(default="0") if found else {}
    seconds = sum(int(number) * _SECONDS[unit] for unit, number in parts.items())
    if not seconds:
        raise ValueError("must be a length of time like 90s, 8h, 1h30m or 2d")
    return seconds
