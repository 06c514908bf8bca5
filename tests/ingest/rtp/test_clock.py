"""Two tracks' times on one line: by arrival at first, by the sender's reports then."""

from __future__ import annotations

from itertools import pairwise

import pytest

from ingest.rtp.clock import MOST_APART, MediaClock
from ingest.unit import TICKS_PER_MS, TICKS_PER_SECOND

EPOCH = 3_900_000_000
VIDEO_RATE, AUDIO_RATE = 90_000, 48_000


def ntp(seconds: float) -> int:
    return round((EPOCH + seconds) * 2**32)


class Both:
    """A picture and sound that were sampled at the same true times.

    `video`, `audio`: RTP time at true time 0. The sound's first packet comes `late` seconds
    later than the picture's.
    """

    def __init__(self, late: float = 0.0, video: int = 0xFFFFF000, audio: int = 77) -> None:
        self.clock = MediaClock("video", "audio")
        self.video, self.audio = video, audio
        self.clock.begin("video", VIDEO_RATE, self.rtp("video", 0), 5.0)
        self.clock.begin("audio", AUDIO_RATE, self.rtp("audio", 0), 5.0 + late)

    def rtp(self, track: str, at: float) -> int:
        if track == "video":
            return self.video + round(at * VIDEO_RATE) & 0xFFFFFFFF
        return self.audio + round(at * AUDIO_RATE) & 0xFFFFFFFF

    def report(self, track: str, at: float, *, wall: float | None = None) -> None:
        self.clock.report(track, ntp(at if wall is None else wall), self.rtp(track, at))

    def skew(self, at: float) -> float:
        """Ticks by which the sound is placed later than the picture of the same instant."""
        video = self.clock.ticks("video", self.rtp("video", at))
        return self.clock.ticks("audio", self.rtp("audio", at)) - video


def test_before_any_report_tracks_lie_as_they_arrived() -> None:
    both = Both(late=0.2)
    assert both.clock.ticks("video", both.rtp("video", 0)) == 5 * TICKS_PER_SECOND
    assert both.skew(0.5) == pytest.approx(0.2 * TICKS_PER_SECOND, abs=2)


def test_times_go_on_past_the_wrap() -> None:
    both = Both()
    stamps = [both.clock.ticks("video", both.rtp("video", n / 30)) for n in range(300)]
    assert {b - a for a, b in pairwise(stamps)} == {3_000}
    assert both.rtp("video", 1) < both.rtp("video", 0)


@pytest.mark.parametrize("late", [0.2, -0.2, 3.0])
@pytest.mark.parametrize("first", ["video", "audio"])
def test_reports_put_the_sound_where_it_belongs(late: float, first: str) -> None:
    both = Both(late=late)
    before = both.clock.ticks("video", both.rtp("video", 1.0))
    both.report(first, 1.0)
    assert abs(both.skew(1.1)) > 0.1 * TICKS_PER_SECOND, "one report alone says nothing"
    both.report("audio" if first == "video" else "video", 1.2)
    assert both.skew(1.3) == pytest.approx(0, abs=2)
    assert both.clock.ticks("video", both.rtp("video", 1.0)) == before, "the picture never jumps"


def test_clocks_that_drift_are_followed() -> None:
    both = Both()
    for second in range(1, 3_600, 4):
        both.report("video", second)
        # The sound card runs 50 ppm fast: its stamps are ahead of what they should be.
        wrong = both.audio + round(second * 1.00005 * AUDIO_RATE) & 0xFFFFFFFF
        both.clock.report("audio", ntp(second), wrong)
    at = both.audio + round(3_600 * 1.00005 * AUDIO_RATE) & 0xFFFFFFFF
    video = both.clock.ticks("video", both.rtp("video", 3_600))
    assert abs(both.clock.ticks("audio", at) - video) < 10 * TICKS_PER_MS


def test_reports_that_are_late_by_a_busy_sender_count_least() -> None:
    both = Both(late=0.1)
    for second, busy in enumerate((0.15, 0.0, 0.08, 0.12, 0.09), 1):
        both.report("video", second)
        both.report("audio", second, wall=second + busy)
    assert both.skew(6) == pytest.approx(0, abs=2)


def test_a_wall_clock_that_is_set_moves_nothing() -> None:
    both = Both(late=0.1)
    for second in (1, 2, 3):
        both.report("video", second)
        both.report("audio", second)
    both.report("video", 4, wall=1_000)
    assert both.skew(4.1) == pytest.approx(0, abs=2)
    both.report("audio", 5, wall=1_001)
    both.report("video", 6, wall=1_002)
    assert both.skew(6.1) == pytest.approx(0, abs=2)


@pytest.mark.parametrize("wall", [-EPOCH, 1e6, MOST_APART / TICKS_PER_SECOND + 2])
def test_reports_of_another_clock_are_not_believed(wall: float) -> None:
    both = Both(late=0.1)
    both.report("video", 1)
    both.report("audio", 1, wall=1 + wall)
    assert both.skew(2) == pytest.approx(0.1 * TICKS_PER_SECOND, abs=2)


def test_sound_alone_keeps_its_own_time() -> None:
    clock = MediaClock("video", "audio")
    clock.begin("audio", AUDIO_RATE, 0, 1.0)
    clock.report("audio", ntp(1), 48_000)
    clock.report("video", ntp(1), 0)
    assert clock.ticks("audio", 96_000) == 3 * TICKS_PER_SECOND
