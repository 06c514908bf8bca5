"""What the decoded pictures and sound are like: black, frozen, barred, silent, clipping.

Imports PyAV and NumPy. Runs in the worker only, on the frame thread, so it is cheap: a grid
of the luma is looked at twice a second, sound is measured by the second.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from ingest.unit import TICKS_PER_SECOND
from transcode.audio import CHANNELS, Samples
from transcode.message import QUIET, Health

LOOK_TICKS = TICKS_PER_SECOND // 2
LONGEST_LOOK = 4 * LOOK_TICKS
"""Nobody knows what was between two looks that are further apart."""
ACROSS, DOWN = 128, 72
"""Points of the grid, at least, where the picture has so many."""
MOVED = 8
"""Levels (of 256) by which a point must change: noise of encoding stays below."""
MOVED_SHARE = 0.001
"""A picture in which fewer of the points changed is the same picture."""
BLACK_LEVEL = 28
"""Limited range's black is 16; noise and a little light above it still look black."""
BLACK_SPREAD = 6.0
BLOCKS = 64
"""Blocks of sound held to be measured together; about a second."""
FULL_SCALE = 0.985
"""Where samples are cut off; AAC rounds the cut a little."""
LOUDEST = 20.0

Luma = NDArray[np.int16]


class Watch:
    """Looks and listens, and adds what it found to the worker's report."""

    def __init__(self) -> None:
        self._looked: int | None = None
        self._still: Luma | None = None
        self._still_ticks = 0
        self._looks = self._dark = 0
        self._black = False
        self._bars = 0.0
        self._format = ""
        self._blocks: list[Samples] = []
        self._rest()

    def picture(self, frame: VideoFrame) -> None:
        """Look at a decoded picture, when the last look is long enough ago."""
        pts = frame.pts or 0
        step = LOOK_TICKS if self._looked is None else pts - self._looked
        if 0 <= step < LOOK_TICKS:
            return
        self._looked = pts
        self._format = frame.format.name
        luma = luma_grid(frame)
        if self._is_still(luma) and 0 < step <= LONGEST_LOOK:
            self._still_ticks += step
        else:
            self._still, self._still_ticks = luma, 0
        self._looks += 1
        dark = float(luma.mean()) < BLACK_LEVEL and float(luma.std()) < BLACK_SPREAD
        self._dark += dark
        self._bars = 0.0 if dark else bars(luma)

    def sound(self, samples: Samples) -> None:
        """Listen to a block of sound, shape (2, n), that nobody changes afterwards."""
        self._blocks.append(samples)
        if len(self._blocks) == BLOCKS:
            self._listen()

    def told(self, health: Health) -> Health:
        """Add what was seen and heard since the last report, and begin the next interval."""
        self._listen()
        if self._looks:
            self._black = self._dark == self._looks
        mean = self._power / (CHANNELS * self._samples) if self._samples else 0.0
        told = replace(
            health,
            pixel_format=self._format,
            black=self._black,
            bars=self._bars,
            frozen_seconds=self._still_ticks / TICKS_PER_SECOND,
            peak_left=decibels(float(self._peaks[0])),
            peak_right=decibels(float(self._peaks[1])),
            level=decibels(math.sqrt(mean) if mean > 0 else 0.0),
            clipped=int(self._clipped.max()) / self._samples if self._samples else 0.0,
        )
        self._looks = self._dark = 0
        self._rest()
        return told

    def _listen(self) -> None:
        """Measure the blocks held, together: NumPy costs by the call."""
        if not self._blocks:
            return
        samples = np.concatenate(self._blocks, axis=1)
        self._blocks.clear()
        if not samples.shape[1]:
            return
        sizes = np.abs(samples)
        np.maximum(self._peaks, sizes.max(axis=1), out=self._peaks)
        self._power += float(np.vdot(samples, samples))
        self._samples += samples.shape[1]
        self._clipped += np.count_nonzero(sizes >= FULL_SCALE, axis=1)

    def _is_still(self, luma: Luma) -> bool:
        """Compare with the picture at which standing still began: slow movement adds up."""
        if self._still is None or self._still.shape != luma.shape:
            return False
        moved = np.count_nonzero(np.abs(luma - self._still) > MOVED)
        return bool(moved < luma.size * MOVED_SHARE)

    def _rest(self) -> None:
        self._peaks = np.zeros(CHANNELS, np.float32)
        self._clipped = np.zeros(CHANNELS, np.int64)
        self._power = 0.0
        self._samples = 0


def luma_grid(frame: VideoFrame) -> Luma:
    """Give some points of the picture's brightness, 0 to 255, in rows."""
    plane = frame.planes[0]
    deep = frame.format.components[0].bits
    points = np.frombuffer(memoryview(plane), np.dtype("<u2" if deep > 8 else "u1"))
    rows = points.reshape(-1, plane.line_size // points.itemsize)
    step_y, step_x = max(1, frame.height // DOWN), max(1, frame.width // ACROSS)
    grid = rows[: frame.height : step_y, : frame.width : step_x]
    return np.asarray(grid >> max(0, deep - 8), np.int16)


def bars(luma: Luma) -> float:
    """Give the share of the picture that is black bars, at both sides or above and below."""
    columns = _edges(luma.max(axis=0) < BLACK_LEVEL + MOVED)
    rows = _edges(luma.max(axis=1) < BLACK_LEVEL + MOVED)
    return max(columns, rows)


def _edges(dark: NDArray[np.bool_]) -> float:
    bright = np.flatnonzero(~dark)
    if not bright.size:
        return 0.0
    first, last = int(bright[0]), dark.size - 1 - int(bright[-1])
    return (first + last) / dark.size if first and last else 0.0


def decibels(size: float) -> float:
    """Give a sample's size in dBFS, never below QUIET; what is no number is silent."""
    if not size > 0:
        return QUIET
    return round(min(LOUDEST, max(QUIET, 20 * math.log10(size))), 1)
