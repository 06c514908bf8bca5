"""When pictures are spared, and when time is."""

from __future__ import annotations

from transcode.lateness import BUSY, CAUGHT_UP_MS, IDLE_SECONDS, LATE_MS, LOST_MS, Lateness

HOUR_MS = 3_600_000


def run(lateness: Lateness, begin: float, seconds: float, speed: float, queue: int) -> float:
    """Work on `seconds` of units, `speed` seconds of them in a second; give the time then."""
    now = begin
    for number in range(round(seconds * 30)):
        now = begin + number / 30 / speed
        lateness.saw(round((begin + number / 30) * 1000), now, queue)
    return now


def given_up(lateness: Lateness) -> bool:
    return lateness.lost


def test_who_keeps_up_spares_nothing() -> None:
    lateness = Lateness()
    run(lateness, 0, 60, 1.0, BUSY)
    assert not lateness.lost
    assert not any(lateness.spares() for _ in range(100))


def test_who_falls_behind_spares_half_then_most_then_gives_time_up() -> None:
    lateness = Lateness()
    run(lateness, 0, LATE_MS / 1000 * 1.5, 0.5, BUSY)
    assert sum(lateness.spares() for _ in range(80)) == 40
    run(lateness, 0, LOST_MS / 1000 * 0.9, 0.5, BUSY)
    assert sum(lateness.spares() for _ in range(80)) == 70
    assert not given_up(lateness)
    run(lateness, 0, LOST_MS / 1000 * 1.1, 0.5, BUSY)
    assert given_up(lateness)


def test_it_ends_once_caught_up() -> None:
    lateness = Lateness()
    run(lateness, 0, 12, 0.5, BUSY)
    assert given_up(lateness)
    lateness.saw(100_000, 100.0, BUSY)
    assert lateness.lag_ms < CAUGHT_UP_MS
    assert not given_up(lateness)
    assert not lateness.spares()


def test_a_wall_clock_that_is_set_back_is_not_lateness() -> None:
    lateness = Lateness()
    end = run(lateness, 0, 10, 1.0, 1)
    for number in range(round(IDLE_SECONDS * 30) + 2):
        now = end + number / 30
        lateness.saw(round(now * 1000) - HOUR_MS, now, 1)
        assert not lateness.lost
    assert lateness.lag_ms == 0
    assert not lateness.spares()


def test_a_wall_clock_that_is_set_on_is_not_lateness() -> None:
    lateness = Lateness()
    end = run(lateness, 0, 10, 1.0, BUSY)
    lateness.saw(round(end * 1000) + HOUR_MS, end, BUSY)
    assert lateness.lag_ms == 0


def test_a_publisher_that_stalls_and_bursts_is_not_late() -> None:
    lateness = Lateness()
    run(lateness, 0, 10, 1.0, 2)
    for number in range(150):
        lateness.saw(15_000 + number % 3, 15.0 + number / 1000, 12)
    assert not lateness.spares()
