"""How units arrive: rate, lateness, bursts."""

from __future__ import annotations

import pytest

from server.live.arrival import SECONDS, Arrival

FRAME_MS = 40


def stream(arrival: Arrival, since: int, until: int, late: int = 0, size: int = 5_000) -> None:
    """Pictures of 25 fps, each `late` ms after its time on the publisher's clock."""
    for at in range(since, until, FRAME_MS):
        arrival.picture(size, at * 90, at + late)


def test_the_rate_is_of_whole_seconds() -> None:
    arrival = Arrival()
    stream(arrival, 0, 500)
    assert arrival.bitrate(520) == 13 * 5_000 * 8, "the first second, as far as it came"
    stream(arrival, 500 + 20, 10_000)
    assert arrival.bitrate(10_030) == pytest.approx(1_000_000, rel=0.02)
    stream(arrival, 10_000, 12_000, size=10_000)
    assert arrival.bitrate(12_000) == pytest.approx(1_500_000, rel=0.02)
    assert arrival.bitrate(60_000) == 0


def test_a_slow_line_comes_later_and_later() -> None:
    arrival = Arrival()
    stream(arrival, 0, 10_000)
    assert arrival.late_ms(10_000) == 0
    for second in range(10, 20):
        start = second * 1_000
        stream(arrival, start, start + 1_000, late=300 * (second - 9))
    assert arrival.late_ms(23_000) == 3_000
    assert arrival.burst_ms(23_000) > 1_500


def test_a_stall_is_over_when_it_is_caught_up() -> None:
    arrival = Arrival()
    stream(arrival, 0, 5_000)
    for at in range(5_000, 7_000, FRAME_MS):
        arrival.picture(5_000, at * 90, 7_000)
    stream(arrival, 7_000, 8_000)
    assert arrival.burst_ms(8_000) == 2_000
    stream(arrival, 8_000, 20_000)
    assert (arrival.late_ms(20_000), arrival.burst_ms(20_000)) == (0, 0)


@pytest.mark.parametrize("leap", [3_600_000, -3_600_000])
def test_a_clock_that_leaps_is_not_late(leap: int) -> None:
    arrival = Arrival()
    stream(arrival, 0, 5_000)
    for at in range(5_000, 9_000, FRAME_MS):
        arrival.picture(5_000, (at + leap) * 90, at)
    assert (arrival.late_ms(9_000), arrival.burst_ms(9_000)) == (0, 0)


def test_history_is_a_minute_with_its_holes() -> None:
    arrival = Arrival()
    assert arrival.history(5_000) == ([], [])
    stream(arrival, 2_000, 4_000)
    stream(arrival, 6_000, 7_000)
    bits, pictures = arrival.history(7_500)
    assert pictures == [25, 25, 0, 0, 25]
    assert bits == [1_000_000, 1_000_000, 0, 0, 1_000_000]
    stream(arrival, 7_000, 200_000)
    assert len(arrival.history(200_000)[0]) == SECONDS
    assert set(arrival.history(200_000)[1]) == {25}
