from __future__ import annotations

import pytest

from server.webhooks.schedule import JITTER, LONGEST_WISH, Settings, next_try_ms

SETTINGS = Settings()


def test_waits_grow_to_hours_and_stay_there() -> None:
    waits = [next_try_ms(SETTINGS, tries, 0, 0.5) for tries in range(1, 20)]
    assert waits == sorted(waits)
    assert waits[0] == 5_000
    assert waits[-1] == waits[-2] == 36_000_000
    tries, age = 0, 0
    while age < SETTINGS.give_up * 1_000:
        tries += 1
        age = next_try_ms(SETTINGS, tries, age, 0.5)
    assert 10 < tries < 30, "before it is given up"


@pytest.mark.parametrize("chance", [0.0, 0.3, 1.0])
def test_waits_are_spread(chance: float) -> None:
    wait = next_try_ms(SETTINGS, 2, 1_000, chance) - 1_000
    assert 30_000 * (1 - JITTER) <= wait <= 30_000 * (1 + JITTER)


def test_a_wish_is_granted_within_bounds() -> None:
    assert next_try_ms(SETTINGS, 1, 0, 0.5, wish=60) == 60_000
    assert next_try_ms(SETTINGS, 1, 0, 0.5, wish=1) == 5_000
    assert next_try_ms(SETTINGS, 1, 0, 0.5, wish=1e9) == LONGEST_WISH * 1_000
