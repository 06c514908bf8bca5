"""The frame rate is told by the publisher or measured from rounded timestamps."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcode.frame_rate import ENOUGH, FrameRateProbe


def milliseconds(rate: Fraction, frames: int, origin: int = 0) -> list[int]:
    """Times as RTMP has them: whole milliseconds, in ticks."""
    return [origin + round(n * 1000 / rate) * 90 for n in range(frames)]


def measured(stamps: list[int]) -> Fraction | None:
    probe = FrameRateProbe(None)
    for stamp in stamps:
        probe.observe(stamp)
    return probe.rate


@pytest.mark.parametrize(
    ("hint", "rate"),
    [
        (Fraction(30), Fraction(30)),
        (Fraction("29.97"), Fraction(30000, 1001)),
        (Fraction("59.940059940059939"), Fraction(60000, 1001)),
        (Fraction("23.976"), Fraction(24000, 1001)),
        (Fraction(27), Fraction(27)),
        (Fraction(5), Fraction(5)),
    ],
)
def test_a_sane_hint_is_believed_at_once(hint: Fraction, rate: Fraction) -> None:
    assert FrameRateProbe(hint).rate == rate


@pytest.mark.parametrize("hint", [None, Fraction(0), Fraction(-30), Fraction(1000)])
def test_an_insane_hint_is_not(hint: Fraction | None) -> None:
    probe = FrameRateProbe(hint)
    assert probe.rate is None
    for stamp in milliseconds(Fraction(25), ENOUGH + 1):
        probe.observe(stamp)
    assert probe.rate == 25


@pytest.mark.parametrize("rate", [10, 12, 15, 20, 24, 25, 30, 48, 50, 60, 90, 100, 120])
@given(origin=st.integers(min_value=0, max_value=10**12), shift=st.integers(0, 89))
def test_rounded_times_give_the_nominal_rate(rate: int, origin: int, shift: int) -> None:
    stamps = milliseconds(Fraction(rate), ENOUGH + 1, origin)
    assert measured([stamp + shift for stamp in stamps]) == rate


def test_exact_ntsc_times_are_near_enough_to_count_as_whole() -> None:
    # Twelve frames cannot tell 29.97 from 30; whole rates only repeat a frame in 33 s.
    assert measured([n * 3003 for n in range(ENOUGH + 1)]) == 30


def test_a_rate_between_two_is_rounded_up_so_that_no_frame_is_lost() -> None:
    assert measured(milliseconds(Fraction(27), ENOUGH + 1)) == 30


def test_a_hole_does_not_count() -> None:
    stamps = milliseconds(Fraction(30), ENOUGH + 1)
    assert measured([*stamps[:6], *(stamp + 90_000 for stamp in stamps[6:])]) == 30


def test_standing_and_backward_times_do_not_break_it() -> None:
    assert measured([5] * 20) == 30
    assert measured([0, 3000, 1500, 4500, 7500, 10500, 9000] + [12000 + 3000 * n for n in range(6)])


@pytest.mark.parametrize("frames", range(ENOUGH))
def test_settle_decides_from_what_there_is(frames: int) -> None:
    probe = FrameRateProbe(None)
    for stamp in milliseconds(Fraction(25), frames):
        probe.observe(stamp)
    assert probe.rate is None
    probe.settle()
    assert probe.rate == (25 if frames >= 2 else 30)
