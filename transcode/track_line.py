"""One track's side of the timeline: how far it got, and how long it is waited for. Pure."""

from __future__ import annotations

from ingest.unit import TICKS_PER_MS, TICKS_PER_SECOND

PATIENCE = 500 * TICKS_PER_MS
"""How far a track may lag before it is made up for, until more is known of it."""
MARGIN = 250 * TICKS_PER_MS
"""Waited beyond the lateness that was seen."""
MAX_PATIENCE = 8 * TICKS_PER_SECOND
GIVEN_UP = 3 * TICKS_PER_SECOND
"""A track made up for so long without a break is not waited for any more."""
AT_ONCE = 20 * TICKS_PER_MS
"""Sound so far from its place is put right at once: a lost AAC packet is longer than that."""
ON_AVERAGE = 5 * TICKS_PER_MS
"""Sound so far from its place on average has drifted."""
SMOOTHING = 64


def ticks_of_samples(samples: int, sample_rate: int) -> int:
    """Give the time of `samples` in ticks, rounded half up."""
    return (2 * samples * TICKS_PER_SECOND + sample_rate) // (2 * sample_rate)


class TrackLine:
    """Remembers the newest time seen and learns how late this track comes."""

    def __init__(self) -> None:
        self.last: int | None = None
        """Position, in ticks, of the newest block or picture."""
        self._patience = PATIENCE
        self._made_up = 0
        self._overtaken = False

    @property
    def patience(self) -> int:
        """Ticks that this track may lag behind the other now."""
        return 0 if self._made_up >= GIVEN_UP else self._patience

    def leaps_back(self, position: int, least: int) -> bool:
        """Tell whether `position` is more than `least` ticks before the newest one."""
        return self.last is not None and position < self.last - least

    def saw(self, position: int) -> None:
        """Note the newest position, in ticks."""
        self.last = position

    def filled(self, ticks: int) -> None:
        """Count `ticks` that were made up for this track."""
        self._made_up += ticks
        self._overtaken = True

    def came_late(self, lateness: int) -> None:
        """Note a block too late for its place, which had been made up for: wait longer."""
        if self._overtaken:
            self._patience = min(MAX_PATIENCE, max(self._patience, lateness + MARGIN))
            self._made_up = 0

    def came_in_time(self) -> None:
        """Note a block that found its place."""
        self._made_up = 0
        self._overtaken = False


class SoundLine(TrackLine):
    """Counts samples, and keeps the count true to the timestamps."""

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        self.count = 0
        """Samples placed so far, silence included."""
        self._error = 0.0
        self._anchored = False

    @property
    def end(self) -> int:
        return ticks_of_samples(self.count, self.sample_rate)

    def forget(self) -> None:
        """Take the next block as the first: its place is exact."""
        self.last = None
        self._anchored = False

    def fill(self, until: int) -> int:
        """Make up for missing sound until tick `until`; give the samples of silence."""
        samples = max(0, until * self.sample_rate // TICKS_PER_SECOND - self.count)
        self.count += samples
        self.filled(ticks_of_samples(samples, self.sample_rate))
        self._anchored = False
        return samples

    def place(self, position: int, samples: int, video_end: int) -> tuple[int, int]:
        """Place a block that begins at tick `position`; give silence before, samples to skip."""
        self.saw(position)
        error = self._correction(position - self.end)
        shift = round(error * self.sample_rate / TICKS_PER_SECOND)
        silence, skip = max(0, shift), min(samples, max(0, -shift))
        if skip:
            self.came_late(video_end - position)
        if skip < samples:
            self.came_in_time()
            self._anchored = True
            self.count += silence + samples - skip
        return silence, skip

    def _correction(self, error: int) -> float:
        """Give by how many ticks the next block is to be moved, given how far off it is."""
        if not self._anchored or abs(error) >= AT_ONCE:
            self._error = 0.0
            return error
        self._error += (error - self._error) / SMOOTHING
        if abs(self._error) < ON_AVERAGE:
            return 0
        drifted, self._error = self._error, 0.0
        return drifted
