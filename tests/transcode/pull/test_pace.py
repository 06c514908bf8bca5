"""Media time is held to the clock, whatever the source does."""

from __future__ import annotations

import pytest

from transcode.pull.pace import JUMP, LATE, LEAD, Pacer


def test_a_file_is_sent_at_the_speed_of_the_clock_with_a_small_lead() -> None:
    pacer, now = Pacer(), 100.0
    for number in range(300):
        now += pacer.wait(number / 30, now)
    assert now == pytest.approx(100 + 299 / 30 - LEAD)


def test_what_comes_late_is_not_held_up() -> None:
    pacer = Pacer()
    assert pacer.wait(0.0, 0.0) == 0
    assert pacer.wait(1.0, 1.9) == 0


def test_a_short_stall_is_caught_up_a_long_one_is_not() -> None:
    pacer = Pacer(lead=0.0)
    pacer.wait(0.0, 0.0)
    pacer.wait(0.1, 0.1 + LATE)
    assert pacer.wait(2.0, 0.2) == pytest.approx(1.8), "the clock did not wait"
    pacer.wait(2.1, 2.1 + LATE + 3.0)
    assert pacer.wait(3.1, 6.0) == pytest.approx(0.1), "the clock waited 3 s"


@pytest.mark.parametrize("to", [1_000.0, -1_000.0])
def test_a_jump_in_time_is_not_waited_for(to: float) -> None:
    pacer = Pacer(lead=0.0)
    pacer.wait(0.0, 0.0)
    assert pacer.wait(to, 1.0) == 0
    assert pacer.wait(to + 1, 1.0) == pytest.approx(1.0)
    assert pacer.wait(to + 1 + JUMP, 1.0) == pytest.approx(1.0 + JUMP)
