"""A clock that a test moves."""

from __future__ import annotations

START_MS = 1_767_225_600_000
"""2026-01-01T00:00:00Z."""


class ManualClock:
    def __init__(self, ms: int = START_MS) -> None:
        self.ms = ms

    def wall_ms(self) -> int:
        return self.ms

    def monotonic(self) -> float:
        return self.ms / 1000

    def advance(self, ms: int) -> None:
        self.ms += ms
