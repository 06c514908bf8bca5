"""Black, frozen, barred; silent, clipping, one-sided: told of real frames and blocks."""

from __future__ import annotations

import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from ingest.unit import TICKS_PER_SECOND
from tests.helpers.clips import picture
from transcode.message import QUIET, Health
from transcode.watch import LOOK_TICKS, Watch, decibels, luma_grid

WIDE, HIGH = 642, 362
"""No multiple of what lines are padded to."""
SECOND = TICKS_PER_SECOND


def frame(planes: NDArray[np.uint8], at: int, pixels: str = "yuv420p") -> VideoFrame:
    made = VideoFrame.from_ndarray(planes, "yuv420p")
    if pixels != "yuv420p":
        made = made.reformat(format=pixels)
    made.pts = at
    return made


def flat(level: int, noise: int = 0, seed: int = 1) -> NDArray[np.uint8]:
    planes = np.full((HIGH * 3 // 2, WIDE), 128, np.uint8)
    luma = np.random.default_rng(seed).integers(-noise, noise + 1, (HIGH, WIDE))
    planes[:HIGH] = level + luma
    return planes


def after(pictures: list[NDArray[np.uint8]], step: int = LOOK_TICKS) -> Health:
    watch = Watch()
    for number, planes in enumerate(pictures):
        watch.picture(frame(planes, number * step))
    return watch.told(Health())


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv420p10le", "nv12", "yuv444p"])
def test_the_grid_is_of_the_luma_whatever_the_format(pixels: str) -> None:
    planes = flat(0)
    planes[:HIGH] = np.linspace(20, 220, WIDE).astype(np.uint8)
    grid = luma_grid(frame(planes, 0, pixels))
    assert grid[0, 0] == pytest.approx(20, abs=2)
    assert grid[-1, -1] == pytest.approx(220, abs=3)
    assert 64 <= grid.shape[0] <= 80
    assert 120 <= grid.shape[1] <= 140


def test_black_is_dark_all_over() -> None:
    assert after([flat(16, noise=3)] * 2).black
    assert not after([flat(60)] * 2).black
    logo = flat(16)
    logo[100:160, 100:220] = 200
    assert not after([logo] * 2).black
    assert not after([flat(16), flat(120)]).black


def test_black_is_told_until_a_picture_says_otherwise() -> None:
    watch = Watch()
    watch.picture(frame(flat(16), 0))
    assert watch.told(Health()).black
    assert watch.told(Health()).black
    watch.picture(frame(flat(99), SECOND))
    assert not watch.told(Health()).black


def test_noise_stands_still_and_a_slow_pan_moves() -> None:
    noisy = [flat(90, noise=3, seed=n) for n in range(13)]
    assert after(noisy).frozen_seconds == 6
    panned = [picture(n, WIDE, HIGH) for n in range(13)]
    assert after(panned).frozen_seconds < 2


def test_pictures_between_looks_cost_nothing_and_say_nothing() -> None:
    watch = Watch()
    for n in range(60):
        watch.picture(frame(flat(90 if n % 15 else 91), n * 3_000))
    assert watch.told(Health()).frozen_seconds == pytest.approx(1.5, abs=0.1)


def test_what_was_between_distant_looks_is_not_claimed() -> None:
    assert after([flat(90)] * 4, step=10 * SECOND).frozen_seconds == 0
    watch = Watch()
    for at in (0, SECOND, 2 * SECOND, -100 * SECOND, -99 * SECOND):
        watch.picture(frame(flat(90), at))
    assert watch.told(Health()).frozen_seconds == 1


def test_another_size_is_another_picture() -> None:
    watch = Watch()
    watch.picture(frame(flat(90), 0))
    watch.picture(frame(flat(90), SECOND))
    small = np.full((180 * 3 // 2, 320), 90, np.uint8)
    watch.picture(frame(small, 2 * SECOND))
    assert watch.told(Health()).frozen_seconds == 0


def test_bars_are_black_at_both_sides() -> None:
    portrait = flat(16)
    portrait[:HIGH, 220:422] = 150
    assert after([portrait]).bars == pytest.approx(1 - 202 / WIDE, abs=0.03)
    letterbox = flat(16)
    letterbox[60:302] = 150
    assert after([letterbox]).bars == pytest.approx(120 / HIGH, abs=0.04)
    one_sided = flat(16)
    one_sided[:HIGH, 220:] = 150
    assert after([one_sided]).bars == 0
    assert after([flat(16)]).bars == 0


def heard(*blocks: NDArray[np.float32]) -> Health:
    watch = Watch()
    for block in blocks:
        watch.sound(block)
    return watch.told(Health())


def sine(size: float, right: float | None = None) -> NDArray[np.float32]:
    wave = np.sin(np.arange(4_800) * 0.05)
    both = np.stack([wave * size, wave * (size if right is None else right)])
    return np.asarray(np.clip(both, -1, 1), np.float32)


def test_levels_are_in_decibels_of_full_scale() -> None:
    health = heard(sine(0.5), sine(0.25))
    assert health.peak_left == health.peak_right == pytest.approx(-6.0, abs=0.1)
    assert health.level == pytest.approx(-11.0, abs=0.2)
    assert health.clipped == 0


def test_silence_has_a_floor() -> None:
    health = heard(np.zeros((2, 1024), np.float32), np.empty((2, 0), np.float32))
    assert (health.peak_left, health.level) == (QUIET, QUIET)
    assert heard() == Health(peak_left=QUIET)
    assert decibels(float("nan")) == QUIET
    assert decibels(float("inf")) < 100


def test_each_channel_is_told_apart() -> None:
    health = heard(sine(0.5, right=0.0))
    assert health.peak_left == pytest.approx(-6.0, abs=0.1)
    assert health.peak_right == QUIET


def test_clipping_is_a_share_of_samples() -> None:
    assert heard(sine(3.0)).clipped > 0.7
    assert heard(sine(0.95)).clipped == 0
    assert heard(sine(3.0, right=0.1)).clipped > 0.7, "one channel is enough"


def test_levels_are_of_the_last_interval_only() -> None:
    watch = Watch()
    watch.sound(sine(3.0))
    watch.told(Health())
    watch.sound(sine(0.1))
    assert watch.told(Health()).clipped == 0
