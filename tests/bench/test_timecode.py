"""The clock in the pixels."""

from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bench import timecode


def read(luma: np.ndarray) -> int:
    """Read the code as the page does: the strip at 320 x 20, each bit against its inverse."""
    strip = luma[: round(luma.shape[0] * timecode.STRIP)]
    small = cv2.resize(strip, (320, 20), interpolation=cv2.INTER_LINEAR).astype(int)
    bits = [small[5, 10 * bit + 5] > small[15, 10 * bit + 5] for bit in range(timecode.BITS)]
    return sum(int(bit) << 31 - place for place, bit in enumerate(bits))


@given(ms=st.integers(0, 2**48), smaller=st.sampled_from([(1280, 720), (854, 480), (640, 360)]))
def test_is_read_back_from_every_rung(ms: int, smaller: tuple[int, int]):
    luma = np.full((720, 1280), 128, np.uint8)
    timecode.draw(luma, ms)
    scaled = cv2.resize(luma, smaller, interpolation=cv2.INTER_AREA)
    assert read(np.asarray(scaled)) == ms % timecode.PERIOD_MS


@given(ms=st.integers(0, 2**48), later=st.integers(-1_000, 14_999))
def test_ages_are_signed_and_outlive_the_clip(ms: int, later: int):
    assert timecode.age(ms % 16_000, ms + later, 16_000, 1_000) == later
