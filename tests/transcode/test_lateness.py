"""When pictures are spared, and when time is."""

from __future__ import annotations

import pytest

from transcode.lateness import (
    BUSY,
    CAUGHT_UP_MS,
    LATE_MS,
    LOOK_MS,
    LOST_MS,
    NONSENSE_MS,
    VERY_LATE_MS,
    Lateness,
)

NOW_MS = 1_700_000_000_000


def after(*lags_ms: int, queue: int = BUSY) -> Lateness:
    """Work on units that are so late, each for a look's time, at half the clock's speed."""
    lateness = Lateness()
    now_ms = NOW_MS
    for lag in lags_ms:
        for _ in range(2):
            lateness.saw(now_ms - lag, now_ms // 2, now_ms, queue)
            now_ms += LOOK_MS
    return lateness


def spared(lateness: Lateness) -> int:
    """Count how many of eighty pictures are spared."""
    return sum(lateness.spares() for _ in range(80))


@pytest.mark.parametrize("lag", [0, CAUGHT_UP_MS, LATE_MS])
def test_who_keeps_up_spares_nothing(lag: int) -> None:
    assert spared(after(lag)) == 0
    assert not after(lag).lost


def test_who_falls_behind_spares_half_then_most_then_gives_time_up() -> None:
    assert spared(after(LATE_MS + 1)) == 40
    assert spared(after(VERY_LATE_MS + 1)) == 70
    assert not after(LOST_MS).lost
    assert after(LOST_MS + 1).lost


def test_who_makes_up_for_a_late_start_spares_nothing() -> None:
    lateness = Lateness()
    for number in range(100):
        now_ms = NOW_MS + number * 33
        lateness.saw(NOW_MS - VERY_LATE_MS, number * 40, now_ms, BUSY)  # all of it came at once
        assert not lateness.spares()


def test_it_lasts_until_caught_up_and_no_longer() -> None:
    almost = after(LOST_MS + 1, CAUGHT_UP_MS)
    assert almost.lost
    assert spared(almost) == 40
    again = after(LOST_MS + 1, CAUGHT_UP_MS - 1)
    assert not again.lost
    assert spared(again) == 0


@pytest.mark.parametrize("lag", [-NONSENSE_MS, -1, NONSENSE_MS, 10**12])
def test_recorded_units_and_set_clocks_are_not_late(lag: int) -> None:
    assert spared(after(lag)) == 0
    assert not after(lag).lost


def test_where_encoders_wait_for_work_nothing_is_spared() -> None:
    idle = after(VERY_LATE_MS + 1, LOST_MS + 1, queue=BUSY - 1)
    assert spared(idle) == 0
    assert not idle.lost
