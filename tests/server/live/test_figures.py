"""What is counted of a publisher's units."""

from __future__ import annotations

import pytest

from ingest.unit import AudioUnit, VideoCodec, VideoConfig, VideoUnit
from server.live.figures import Figures

WINDOW_MS = 4_000
HOUR = 3_600 * 90_000


def picture(pts: int, size: int = 100) -> VideoUnit:
    return VideoUnit(pts, pts, keyframe=False, data=bytes(size))


def newest_after(*stamps: int) -> int | None:
    figures = Figures()
    for pts in stamps:
        figures.saw(picture(pts), 0)
    return figures.newest_pts


def test_the_newest_picture_is_the_last_one_shown_not_the_last_one_sent() -> None:
    assert newest_after(0, 9_000, 3_000, 6_000) == 9_000


@pytest.mark.parametrize("stamps", [(HOUR, 0, 3_000), (0, 3_000 - HOUR, 6_000 - HOUR)])
def test_a_clock_that_was_set_back_is_followed(stamps: tuple[int, ...]) -> None:
    assert newest_after(*stamps) == stamps[-1]


def test_a_clock_that_leaps_ahead_is_followed() -> None:
    assert newest_after(0, HOUR) == HOUR


def test_sound_tells_the_time_only_where_there_is_no_picture() -> None:
    figures = Figures()
    figures.saw(AudioUnit(5_000, b"x"), 0)
    assert figures.newest_pts == 5_000
    figures.saw(VideoConfig(VideoCodec.H264, b""), 0)
    figures.saw(picture(3_000), 0)
    figures.saw(AudioUnit(9_000, b"x"), 0)
    assert figures.newest_pts == 5_000


def test_the_bit_rate_is_of_the_last_seconds_only() -> None:
    figures = Figures()
    for at_ms in range(0, 2 * WINDOW_MS, 100):
        figures.saw(picture(at_ms, size=12_500 if at_ms < WINDOW_MS else 1_250), at_ms)
    assert figures.bitrate(2 * WINDOW_MS) == pytest.approx(100_000, rel=0.05)
    assert figures.bytes == 40 * 12_500 + 40 * 1_250
    assert figures.bitrate(60_000) == 0


def test_what_the_server_leaves_out_later_is_counted_as_sent() -> None:
    figures = Figures()
    config = VideoConfig(VideoCodec.H264, b"a")
    for second in range(4):
        figures.saw(config, second * 1_000)
        for n in range(30):
            number = second * 30 + n
            unit = VideoUnit(number * 3_000, number * 3_000, number % 60 == 0, b"x")
            figures.saw(unit, number * 33)
            figures.saw(AudioUnit(number * 3_000, b"x"), number * 33)
    beat = figures.pace.beat()
    assert (beat.lost, beat.key_longest, beat.start_offset) == (0, 2, 0)
    assert beat.fps == pytest.approx(30)
    figures.saw(VideoConfig(VideoCodec.H264, b"b"), 4_000)
    assert figures.pace.beat().fps == 0, "another configuration, another rhythm"
