"""When a message is tried again, and when no more. Pure; chance is an argument."""

from __future__ import annotations

from dataclasses import dataclass

_DELAYS = (5.0, 30.0, 120.0, 600.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0)
"""Seconds after the first try, the second, ...; then the last one again and again."""
JITTER = 0.2
"""Of a delay: endpoints that come back are not met by everybody at once."""
LONGEST_WISH = 7_200.0
"""Seconds of a Retry-After that is granted."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Seconds, and how many."""

    timeout: float = 10.0
    """For one try, from looking the name up to the answer's head."""
    give_up: float = 3 * 86_400.0
    """A message so old is dropped."""
    delays: tuple[float, ...] = _DELAYS
    together: int = 16
    """Requests under way, in all."""
    together_per_endpoint: int = 4
    poll: float = 1.0
    """How soon a posted message is seen."""


def next_try_ms(
    settings: Settings, tries: int, now_ms: int, chance: float, wish: float = 0.0
) -> int:
    """Give when to try again after `tries` tries, UTC ms.

    `chance` is from 0 to 1; `wish` is what the endpoint asked for, in seconds.
    """
    delay = settings.delays[min(max(tries, 1), len(settings.delays)) - 1]
    delay *= 1 + JITTER * (2 * chance - 1)
    return now_ms + round(max(delay, min(wish, LONGEST_WISH)) * 1_000)
