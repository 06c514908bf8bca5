"""What the timestamps of encoded units tell: frame rate, holes, key intervals, A/V offset.

Pure. Only the publisher's own clock counts; when a unit arrived plays no part. Taken where units
arrive, before any is left out: what the server drops is not the encoder's fault.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from ingest.unit import TICKS_PER_SECOND

STEPS = 120
"""Steps from picture to picture that the typical one is found among."""
FEWEST_STEPS = 8
FRESH_STEPS = 1_000
"""Steps between two beats, at most; no encoder sends more pictures in a second."""
HOLE = 1.6
"""A step of so many typical ones skipped a picture; jitter and rounding stay below."""
UNEVEN = 0.5
"""A step that is off the typical one by such a part of it is uneven."""
LONGEST_HOLE = 8 * TICKS_PER_SECOND
"""A longer step is a jump of the clock, not missing pictures (as `timeline.FORWARD`)."""
KEY_INTERVALS = 4


@dataclass(frozen=True, slots=True)
class Beat:
    """What was found since the last beat; seconds."""

    fps: float = 0.0
    """By the typical step; 0 before it is known."""
    uneven: float = 0.0
    """Share of the last steps that are uneven."""
    lost: int = 0
    """Pictures skipped by the publisher, since the start."""
    key_interval: float = 0.0
    """The last one, or the one still running where that is longer; 0 before the second key."""
    key_longest: float = 0.0
    key_shortest: float = 0.0
    """Of the last KEY_INTERVALS; 0 before the second key."""
    av_offset: float | None = None
    """How far the newest sound is ahead of the newest picture; None without both."""
    start_offset: float | None = None
    """How much later than the picture the sound began."""


class Pace:
    """Watches one publisher's timestamps."""

    def __init__(self) -> None:
        self.lost = 0
        self._steps: deque[int] = deque(maxlen=STEPS)
        self._fresh: deque[int] = deque(maxlen=FRESH_STEPS)
        self._typical = 0.0
        self._first_video: int | None = None
        self._first_audio: int | None = None
        self._audio: int | None = None
        self.reconfigured()

    def reconfigured(self) -> None:
        """Forget the picture's rhythm: another configuration follows."""
        self._dts: int | None = None
        self._key: int | None = None
        self._intervals: deque[int] = deque(maxlen=KEY_INTERVALS)
        self._steps.clear()
        self._fresh.clear()
        self._typical = 0.0
        self._forget_offsets()

    def picture(self, dts: int, keyframe: bool) -> None:
        """Note a picture, in order of decoding."""
        if self._first_video is None:
            self._first_video = dts
        step = 0 if self._dts is None else dts - self._dts
        self._dts = dts
        if not 0 <= step <= LONGEST_HOLE:
            self._key = None
        elif step:
            self._steps.append(step)
            self._fresh.append(step)
        if keyframe:
            if self._key is not None:
                self._intervals.append(dts - self._key)
            self._key = dts
        if self._audio is not None:
            self._at_picture += self._audio - dts
            self._pictures += 1

    def sound(self, pts: int) -> None:
        """Note a piece of sound."""
        if self._first_audio is None:
            self._first_audio = pts
        self._audio = pts
        if self._dts is not None:
            self._at_sound += pts - self._dts
            self._sounds += 1

    def beat(self) -> Beat:
        """Give what was found, and begin the next interval."""
        self._learn()
        intervals = [interval / TICKS_PER_SECOND for interval in self._intervals]
        running = 0.0
        if self._key is not None and self._dts is not None:
            running = (self._dts - self._key) / TICKS_PER_SECOND
        beat = Beat(
            fps=TICKS_PER_SECOND / self._typical if self._typical else 0.0,
            uneven=self._unevenness(),
            lost=self.lost,
            key_interval=max(intervals[-1] if intervals else 0.0, running),
            key_longest=max([running, *intervals]),
            key_shortest=min(intervals, default=0.0),
            av_offset=self._offset(),
            start_offset=self._start_offset(),
        )
        self._forget_offsets()
        return beat

    def _learn(self) -> None:
        if len(self._steps) >= FEWEST_STEPS:
            middle = sorted(self._steps)[len(self._steps) // 2]
            # A container's milliseconds round each step; their mean is the true one.
            near = [step for step in self._steps if abs(step - middle) <= UNEVEN * middle]
            self._typical = sum(near) / len(near)
        if self._typical:
            longest = HOLE * self._typical
            self.lost += sum(
                round(step / self._typical) - 1 for step in self._fresh if step > longest
            )
            self._fresh.clear()

    def _unevenness(self) -> float:
        if not self._typical:
            return 0.0
        limit = UNEVEN * self._typical
        uneven = sum(abs(step - self._typical) > limit for step in self._steps)
        return uneven / len(self._steps)

    def _offset(self) -> float | None:
        """Mean over both tracks' units, each track counting as much: how often a track comes,
        and whose turn it is, then plays no part."""
        if not (self._sounds and self._pictures):
            return None
        ticks = self._at_sound / self._sounds + self._at_picture / self._pictures
        return ticks / 2 / TICKS_PER_SECOND

    def _start_offset(self) -> float | None:
        if self._first_audio is None or self._first_video is None:
            return None
        return (self._first_audio - self._first_video) / TICKS_PER_SECOND

    def _forget_offsets(self) -> None:
        self._at_picture = self._at_sound = self._pictures = self._sounds = 0
