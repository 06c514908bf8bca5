"""Timestamps mended one track at a time."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.unit import TICKS_PER_SECOND
from transcode.ladder import SAMPLE_RATE
from transcode.stamps import LEAP, STANDING, Stamps
from transcode.timeline import Timeline, VideoSlot
from transcode.track_line import ticks_of_samples

STEP = 3000


def run(stamps: list[int]) -> list[tuple[int, int]]:
    """Give time and number of every item, in the order in which they came out."""
    mend: Stamps[int] = Stamps(STEP)
    out: list[tuple[int, int]] = []
    for number, at in enumerate(stamps):
        out += mend.take(at, number)
    return out + mend.flush()


def test_an_even_track_passes_at_once() -> None:
    mend: Stamps[int] = Stamps(STEP)
    for number in range(100):
        assert mend.take(number * STEP, number) == [(number * STEP, number)]
    assert mend.flush() == []


def test_a_leap_is_believed_when_the_next_agrees() -> None:
    stamps = [0, 3000, 6000, 10**9, 10**9 + 3000, 10**9 + 6000]
    assert run(stamps) == [(at, number) for number, at in enumerate(stamps)]


def test_a_slip_takes_the_place_after_the_one_before() -> None:
    assert [at for at, _ in run([0, 3000, 10**9, 9000, 12_000])] == [0, 3000, 6000, 9000, 12_000]


def test_a_leap_at_the_very_end_is_not_believed() -> None:
    assert [at for at, _ in run([0, 3000, 10**9])] == [0, 3000, 6000]


def test_a_slow_track_is_not_held_up() -> None:
    mend: Stamps[int] = Stamps(STEP)
    for number in range(20):
        at = number * LEAP
        assert mend.take(at, number) == [(at, number)], "two seconds a picture"


@pytest.mark.parametrize("gap", [2.5, 3, 5, 8])
def test_a_track_that_becomes_slow_is_believed(gap: float) -> None:
    long = int(gap * TICKS_PER_SECOND)
    fast = [number * STEP for number in range(30)]
    slow = [fast[-1] + number * long for number in range(1, 20)]
    again = [slow[-1] + number * STEP for number in range(1, 60)]
    assert [at for at, _ in run([*fast, *slow, *again, again[-1] + long])][:-1] == [
        *fast,
        *slow,
        *again,
    ]


def test_pictures_of_a_share_that_stands_still_are_shown_beside_the_sound() -> None:
    long = 3 * TICKS_PER_SECOND
    stamps = [number * STEP for number in range(30)]
    stamps += [stamps[-1] + number * long for number in range(1, 20)]
    mend: Stamps[int] = Stamps(STEP)
    timeline = Timeline(0, Fraction(30), SAMPLE_RATE)
    shown, heard = [], 0
    for number, at in enumerate(stamps):
        while ticks_of_samples(heard, SAMPLE_RATE) <= at:
            timeline.audio(ticks_of_samples(heard, SAMPLE_RATE), 1024)
            heard += 1024
            timeline.owed()
        for placed, which in mend.take(at, number):
            slot = timeline.video(placed)
            assert isinstance(slot, VideoSlot)
            shown += [which] if slot.emit else []
    assert shown == [*range(30), *range(31, 49)], "all but the one that nothing confirmed in time"


def test_one_slip_of_some_seconds_is_still_a_slip() -> None:
    stamps = [0, 3000, 3 * TICKS_PER_SECOND, 9000, 12_000]
    assert [at for at, _ in run(stamps)] == [0, 3000, 6000, 9000, 12_000]


def test_a_clock_that_stands_is_replaced_by_counting() -> None:
    out = run([500] * 100)
    assert [number for _, number in out] == list(range(100))
    assert [at for at, _ in out[: STANDING + 1]][:2] == [500, 500]
    assert all(b - a == STEP for (a, _), (b, _) in pairwise(out[STANDING:]))


@given(st.lists(st.integers(-(2**60), 2**60) | st.integers(0, 10) | st.just(7), max_size=80))
def test_nothing_is_lost_or_reordered_whatever_the_stamps_are(stamps: list[int]) -> None:
    out = run(stamps)
    assert [number for _, number in out] == list(range(len(stamps)))


@given(st.lists(st.integers(-(2**40), 2**40), min_size=40, max_size=80, unique=True))
def test_nonsense_moves_on_at_the_tracks_own_pace(places: list[int]) -> None:
    # So far apart that no two of them agree with each other, nor with the track's own pace.
    out = run([place * 10 * LEAP for place in places])
    assert [b - a for (a, _), (b, _) in pairwise(out)] == [STEP] * (len(places) - 1)
