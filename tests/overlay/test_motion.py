from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overlay.motion import DURATION, FIRST_OPACITY, Pose, pose
from overlay.scene import Motion

MOVING = [Motion.FADE, Motion.SLIDE]


@pytest.mark.parametrize("motion", Motion)
def test_nothing_is_seen_before_it_enters(motion: Motion) -> None:
    assert pose(999, 1000, None, motion) is None


def test_without_motion_a_card_is_whole_at_once_and_gone_at_once() -> None:
    assert pose(1000, 1000, 5000, Motion.NONE, Motion.NONE) == Pose(1.0, 0.0)
    assert pose(4999, 1000, 5000, Motion.NONE, Motion.NONE) == Pose(1.0, 0.0)
    assert pose(5000, 1000, 5000, Motion.NONE, Motion.NONE) is None


@pytest.mark.parametrize("motion", MOVING)
def test_the_very_first_frame_shows_it_already(motion: Motion) -> None:
    first = pose(1000, 1000, None, motion)
    assert first is not None
    assert first.opacity == pytest.approx(FIRST_OPACITY)
    assert FIRST_OPACITY >= 0.12


@pytest.mark.parametrize("motion", MOVING)
def test_it_comes_to_rest_after_a_quarter_second(motion: Motion) -> None:
    assert DURATION == 90_000 // 4
    assert pose(DURATION, 0, None, motion) == Pose(1.0, 0.0)


@pytest.mark.parametrize("motion", MOVING)
def test_the_first_frame_after_its_end_differs_and_the_last_is_gone(motion: Motion) -> None:
    end = 100_000
    assert pose(end - 1, 0, end, motion, motion) == Pose(1.0, 0.0)
    leaving = pose(end, 0, end, motion, motion)
    assert leaving is not None
    assert 0 < leaving.opacity <= 0.88
    assert pose(end + DURATION, 0, end, motion, motion) is None


def test_only_a_slide_shifts() -> None:
    sliding = pose(3000, 0, None, Motion.SLIDE)
    fading = pose(3000, 0, None, Motion.FADE)
    assert sliding is not None
    assert fading is not None
    assert sliding.shift > 0
    assert fading.shift == 0
    assert sliding.opacity == fading.opacity


@given(st.sampled_from(MOVING), st.integers(0, DURATION - 1), st.integers(1, DURATION))
def test_opacity_only_grows_while_entering_and_only_falls_while_leaving(
    motion: Motion, now: int, step: int
) -> None:
    before, after = pose(now, 0, None, motion), pose(now + step, 0, None, motion)
    assert before is not None
    assert after is not None
    assert after.opacity >= before.opacity
    assert after.shift <= before.shift
    going, later = pose(now, -DURATION, 0, motion, motion), pose(now + step, -DURATION, 0, motion)
    assert going is None or later is None or later.opacity <= going.opacity


@given(st.sampled_from(Motion), st.sampled_from(Motion), st.integers(), st.integers(0, 50_000))
def test_opacity_stays_in_its_bounds(
    entering: Motion, leaving: Motion, now: int, length: int
) -> None:
    stance = pose(now, 0, length, entering, leaving)
    assert stance is None or (0 < stance.opacity <= 1 and stance.shift >= 0)
