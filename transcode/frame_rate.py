"""The source's nominal frame rate, from what it says or from its first timestamps. Pure."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from ingest.unit import TICKS_PER_MS, TICKS_PER_SECOND

NOMINAL: tuple[Fraction, ...] = tuple(
    sorted(
        [
            *(Fraction(rate) for rate in (10, 12, 15, 20, 24, 25, 30, 48, 50, 60, 90, 100, 120)),
            *(Fraction(rate * 1000, 1001) for rate in (24, 30, 60)),
        ]
    )
)
"""The rates that cameras and encoders run at."""
LOWEST, HIGHEST = 1, 240
SNAP = Fraction(1, 500)
"""A hint this near to a nominal rate means it: 29.97 is 30000/1001."""
ENOUGH = 12
"""Frames to measure over."""
LONG_ENOUGH = 3 * TICKS_PER_SECOND // 2
"""Nor is there a longer wait for a source that is slow."""
LONGEST_STEP = 8 * TICKS_PER_SECOND
"""Beyond it a clock has leapt."""
STILL = Fraction(30)
"""For a source slower than any camera: a screen on which nothing moves, until something does."""
STRAY = 3
"""A step so many times the median is a hole or a jump and not a frame."""


class FrameRateProbe:
    """Tells the nominal frame rate of one video track."""

    def __init__(self, hint: Fraction | None) -> None:
        """`hint`: what the publisher claims; believed at once when it is a possible rate."""
        sane = hint is not None and LOWEST <= hint <= HIGHEST
        self.rate: Fraction | None = _snap(hint) if hint is not None and sane else None
        """None until it is known; then it stays."""
        self._stamps: list[int] = []
        self._span = 0

    def observe(self, dts: int) -> None:
        """Take the decoding time, in ticks, of the next frame."""
        if self.rate is None:
            step = dts - self._stamps[-1] if self._stamps else 0
            self._span += step if 0 < step <= LONGEST_STEP else 0
            self._stamps.append(dts)
            if len(self._stamps) > ENOUGH or self._span >= LONG_ENOUGH:
                self.rate = _measured(self._stamps)
                self._stamps.clear()

    def settle(self) -> None:
        """Decide now, from whatever was seen; 30 when that was nothing."""
        if self.rate is None:
            self.rate = _measured(self._stamps)


def _snap(rate: Fraction) -> Fraction:
    nearest = min(NOMINAL, key=lambda nominal: abs(nominal - rate))
    return nearest if abs(nearest - rate) <= rate * SNAP else rate.limit_denominator(1001)


def _measured(stamps: list[int]) -> Fraction:
    """Choose the nominal rate for these times; between two, the higher, which loses no frame."""
    steps = sorted(b - a for a, b in pairwise(stamps) if b > a)
    if not steps:
        return Fraction(30)
    median = steps[len(steps) // 2]
    usual = [step for step in steps if step < STRAY * median]
    span = sum(usual)
    rate = Fraction(len(usual) * TICKS_PER_SECOND, span)
    # RTMP rounds both ends to milliseconds; so near, 29.97 and 30 look the same.
    slack = rate * max(Fraction(2 * TICKS_PER_MS, span), SNAP)
    near = [nominal for nominal in NOMINAL if abs(nominal - rate) <= slack]
    if near:
        return min(near, key=lambda nominal: (nominal.denominator > 1, abs(nominal - rate)))
    if rate < NOMINAL[0]:
        return STILL
    whole = (nominal for nominal in NOMINAL if nominal > rate and nominal.denominator == 1)
    return next(whole, NOMINAL[-1])
