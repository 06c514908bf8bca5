"""What an operator may set of the shop. Values; standard library only."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ShowSettings:
    shown_deadline: float = 2.0
    """Seconds that a command waits for the worker's report; a later one still counts."""
    max_events: int = 50_000
    """Per session."""
    date_range_class: str = "com.vitrine.pin"
    """EXT-X-DATERANGE's CLASS: reverse DNS."""
    planned_pin_ms: int = 4 * 3_600_000
    """EXT-X-DATERANGE's PLANNED-DURATION while a pin is open."""


@dataclass(frozen=True, slots=True)
class ShopSettings:
    max_products: int = 5_000
    """Per channel."""
    pin_ahead_ms: int = 600_000
    """How far in the future `at` may lie."""
    command_deadline: float = 10.0
    """Seconds that a command waits for those before it."""
    show: ShowSettings = field(default_factory=ShowSettings)
