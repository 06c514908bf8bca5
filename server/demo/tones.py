"""The anchor's sound: a quiet chord, and a bell on every second of the wall clock. NumPy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 48_000
LOOP_SECONDS = 8
"""All tones fit a whole number of times into the loop: it has no seam."""


class Tones:
    def __init__(self) -> None:
        t = np.arange(LOOP_SECONDS * SAMPLE_RATE) / SAMPLE_RATE
        swell = 0.75 + 0.25 * np.sin(2 * np.pi * t / LOOP_SECONDS)
        left = sum(np.sin(2 * np.pi * hertz * t) for hertz in (110.0, 164.875, 220.0, 277.125))
        right = sum(np.sin(2 * np.pi * hertz * t) for hertz in (110.125, 165.0, 220.25, 329.625))
        chord = np.stack([left, right]) * 0.018 * swell
        self._loop = (chord + _bells(t)).astype(np.float32)

    def samples(self, wall_sample: int, count: int) -> NDArray[np.float32]:
        """Return `count` stereo samples, 2 x count, from that sample of the wall clock on."""
        places = np.arange(wall_sample, wall_sample + count) % self._loop.shape[1]
        return np.ascontiguousarray(self._loop[:, places])


def _bells(t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Strike on each second, brighter on every fourth, and let it ring into the next."""
    within = t % 1.0
    pitch = np.where(t % 4.0 < 1.0, 1318.5, 880.0)
    attack = np.minimum(within / 0.002, 1.0)
    ring = np.sin(2 * np.pi * pitch * within) + 0.4 * np.sin(2 * np.pi * 2.76 * pitch * within)
    return ring * attack * np.exp(-within * 11) * 0.11
