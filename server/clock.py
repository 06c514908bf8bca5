"""Where the server gets its time from, so that tests can hand in their own.

Standard library only.
"""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    def wall_ms(self) -> int:
        """Return UTC milliseconds since 1970."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back; for deadlines and rates."""
        ...


class SystemClock:
    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()
