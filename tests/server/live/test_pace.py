"""What timestamps alone tell of a publisher."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.unit import TICKS_PER_SECOND
from server.live.pace import Pace

FRAME = TICKS_PER_SECOND // 30
SOUND = 1_920  # 1024 samples at 48 kHz


def paced(
    pictures: list[int], key_every: int = 60, sound_at: int | None = None, seconds: float = 0
) -> Pace:
    """Feed both tracks in the order of their stamps, sound shifted by `sound_at` ticks."""
    units: list[tuple[int, int, bool]] = [
        (dts, dts, number % key_every == 0) for number, dts in enumerate(pictures)
    ]
    keys = {dts for dts, _, key in units if key}
    stamps = [(dts, "picture") for dts in pictures]
    if sound_at is not None:
        stamps += [(n * SOUND, "sound") for n in range(int(seconds * TICKS_PER_SECOND) // SOUND)]
    pace = Pace()
    for stamp, kind in sorted(stamps):
        if kind == "picture":
            pace.picture(stamp, stamp in keys)
        else:
            pace.sound(stamp + (sound_at or 0))
    return pace


def steady(count: int, step: int = FRAME) -> list[int]:
    return [n * step for n in range(count)]


def test_an_even_stream_is_even() -> None:
    beat = paced(steady(150)).beat()
    assert beat.fps == pytest.approx(30)
    assert (beat.uneven, beat.lost) == (0, 0)
    assert (beat.key_interval, beat.key_longest, beat.key_shortest) == (2, 2, 2)
    assert beat.av_offset is None
    assert beat.start_offset is None


def test_milliseconds_of_a_container_are_no_holes() -> None:
    stamps = [round(n * 1000 / 59.94) * 90 for n in range(400)]
    beat = paced(stamps).beat()
    assert beat.fps == pytest.approx(59.94, rel=0.002)
    assert (beat.uneven, beat.lost) == (0, 0)


def test_holes_are_counted_in_pictures_and_over_beats() -> None:
    pace = paced([dts for n, dts in enumerate(steady(120)) if n not in {40, 80, 81, 82}])
    assert pace.beat().lost == 4
    pace.picture(125 * FRAME, False)
    assert pace.beat().lost == 9
    assert pace.beat().lost == 9


def test_a_jump_of_the_clock_is_no_hole_and_no_key_interval() -> None:
    pace = paced(steady(90))
    for start in (10_000 * FRAME, 0):
        for n in range(90):
            pace.picture(start + n * FRAME, n % 60 == 0)
    beat = pace.beat()
    assert beat.lost == 0
    assert beat.key_longest == 2


def test_a_key_picture_that_does_not_come_is_missed_before_it_comes() -> None:
    pace = paced(steady(1), key_every=1)
    for n in range(1, 241):
        pace.picture(n * FRAME, False)
    beat = pace.beat()
    assert (beat.key_interval, beat.key_longest, beat.key_shortest) == (8, 8, 0)


def test_intervals_that_vary_are_told_by_their_extremes() -> None:
    pace = Pace()
    for n in range(250):
        pace.picture(n * FRAME, n in {0, 30, 120, 240})
    beat = pace.beat()
    assert (beat.key_interval, beat.key_longest, beat.key_shortest) == (4, 4, 1)


def test_frames_of_varying_length_are_uneven() -> None:
    stamps, now = [], 0
    for n in range(100):
        now += FRAME if n % 3 else 3 * FRAME
        stamps.append(now)
    assert paced(stamps).beat().uneven == pytest.approx(1 / 3, abs=0.05)


@pytest.mark.parametrize("ahead_ms", [0, 200, -400])
def test_the_offset_is_of_the_stamps_and_not_of_the_order_within_a_frame(ahead_ms: int) -> None:
    beat = paced(steady(90), sound_at=ahead_ms * 90, seconds=3).beat()
    assert beat.av_offset == pytest.approx(ahead_ms / 1000, abs=0.012)


def test_a_track_that_starts_later_is_told_whatever_is_configured_anew() -> None:
    pace = Pace()
    for n in range(30):
        pace.picture(n * FRAME, n == 0)
    for n in range(30, 60):
        pace.sound(n * FRAME)
        pace.picture(n * FRAME, False)
    assert pace.beat().start_offset == 1
    pace.reconfigured()
    beat = pace.beat()
    assert (beat.start_offset, beat.fps, beat.key_longest) == (1, 0, 0)


STAMPS = st.integers(-(2**40), 2**40)


@given(st.lists(st.tuples(st.booleans(), STAMPS, st.booleans()), max_size=60))
def test_no_stamps_break_it(units: list[tuple[bool, int, bool]]) -> None:
    pace = Pace()
    for sound, stamp, key in units:
        if sound:
            pace.sound(stamp)
        else:
            pace.picture(stamp, key)
    for _ in range(2):
        beat = pace.beat()
        assert beat.fps >= 0
        assert 0 <= beat.uneven <= 1
        assert beat.lost >= 0
        assert 0 <= beat.key_shortest <= max(beat.key_longest, beat.key_shortest)
        offsets = [o for o in (beat.av_offset, beat.start_offset) if o is not None]
        assert all(math.isfinite(value) for value in (beat.fps, beat.key_interval, *offsets))
