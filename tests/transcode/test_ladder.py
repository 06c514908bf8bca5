"""The ladder and its grid: hls.md rules 1, 2 and 11."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcode.errors import MediaError, ProfileError
from transcode.ladder import (
    AAC_FRAME,
    DEFAULT,
    FULL_HD,
    Ladder,
    Profile,
    Rung,
    frame_ticks,
    resolve,
)

STANDARD_RATES = [
    Fraction(15), Fraction(20), Fraction(24000, 1001), Fraction(24), Fraction(25),
    Fraction(30000, 1001), Fraction(30), Fraction(48), Fraction(50), Fraction(60000, 1001),
    Fraction(60),
]  # fmt: skip
RATES = st.one_of(
    st.sampled_from(STANDARD_RATES),
    st.fractions(min_value=1, max_value=240, max_denominator=1001),
)


def audio_parts(ladder: Ladder, segments: int = 40) -> list[tuple[int, bool]]:
    """Durations in ticks of the audio-only rendition's parts, and whether each is the last
    of its segment: whole AAC packets, each in the part in which it starts."""
    packet = Fraction(AAC_FRAME * 90_000, ladder.sample_rate)
    parts = []
    begin = 0
    for number in range(segments * ladder.parts_per_segment):
        end_frame = (number + 1) * ladder.frames_per_part
        end = -floor(-(Fraction(end_frame * 90_000) / ladder.frame_rate) / packet)
        last = (number + 1) % ladder.parts_per_segment == 0
        parts.append((round((end - begin) * packet), last))
        begin = end
    return parts


def video_parts(ladder: Ladder, segments: int = 40) -> list[int]:
    step = ladder.frames_per_part
    count = segments * ladder.parts_per_segment
    return [ladder.frame_ticks((n + 1) * step) - ladder.frame_ticks(n * step) for n in range(count)]


@given(rate=RATES, profile=st.sampled_from([DEFAULT, FULL_HD]))
def test_parts_stay_between_85_percent_and_the_target(rate: Fraction, profile: Profile) -> None:
    ladder = resolve(profile, 1920, 1080, rate)
    for duration in video_parts(ladder):
        assert 0.85 * ladder.part_target <= duration <= ladder.part_target
    for duration, last in audio_parts(ladder):
        assert duration <= ladder.part_target
        assert last or duration >= 0.85 * ladder.part_target


@given(
    rate=RATES,
    part=st.fractions(min_value=Fraction(1, 5), max_value=1, max_denominator=100),
    parts=st.integers(min_value=2, max_value=10),
)
def test_any_profile_has_a_grid(rate: Fraction, part: Fraction, parts: int) -> None:
    segment = min(Fraction(10), max(Fraction(1), part * parts))
    profile = Profile("any", DEFAULT.rungs, part_seconds=part, segment_seconds=segment)
    try:
        ladder = resolve(profile, 1920, 1080, rate)
    except MediaError:
        pytest.fail(f"no grid for {rate}, {part}, {segment}")
    durations = [*video_parts(ladder, 10), *(d for d, last in audio_parts(ladder, 10) if not last)]
    assert max(durations) <= ladder.part_target
    assert min(durations) >= 0.85 * ladder.part_target


@given(rate=RATES)
def test_segments_round_to_one_target_duration_at_every_rate(rate: Fraction) -> None:
    ladder = resolve(DEFAULT, 1920, 1080, rate)
    longest = ladder.frame_ticks(ladder.frames_per_segment)
    assert longest <= ladder.segment_target
    assert floor(Fraction(ladder.segment_target, 90_000) + Fraction(1, 2)) == 2
    per_segment = ladder.parts_per_segment
    audio = [duration for duration, _ in audio_parts(ladder)]
    for begin in range(0, len(audio), per_segment):
        assert sum(audio[begin : begin + per_segment]) <= ladder.segment_target + 1


@pytest.mark.parametrize("rate", STANDARD_RATES, ids=str)
def test_the_usual_rates_come_near_what_was_asked_for(rate: Fraction) -> None:
    ladder = resolve(DEFAULT, 1920, 1080, rate)
    assert ladder.frame_rate == rate
    assert abs(ladder.frames_per_part / rate - Fraction(1, 3)) <= Fraction(2, 100)
    assert abs(ladder.frames_per_segment / rate - 2) <= Fraction(11, 100)


def test_the_part_target_does_not_depend_on_the_usual_rate() -> None:
    rates = [rate for rate in STANDARD_RATES if rate != 20]
    assert len({resolve(DEFAULT, 1280, 720, rate).part_target for rate in rates}) == 1


@pytest.mark.parametrize(
    ("source", "output"),
    [(30, 30), (60, 60), (120, 60), (144, 48), (61, Fraction(61, 2)), (10, 20), (5, 15), (1, 15)],
)
def test_rates_are_brought_in_bounds_by_a_whole_factor(source: int, output: Fraction) -> None:
    assert resolve(DEFAULT, 1280, 720, Fraction(source)).frame_rate == output


@given(rate=RATES, count=st.integers(min_value=0, max_value=10_000_000))
def test_frame_ticks_never_drift(rate: Fraction, count: int) -> None:
    assert abs(frame_ticks(rate, count) - count * 90_000 / rate) <= Fraction(1, 2)


def test_frame_ticks_of_common_rates() -> None:
    assert [frame_ticks(Fraction(30000, 1001), n) for n in range(3)] == [0, 3003, 6006]
    assert [frame_ticks(Fraction(60000, 1001), n) for n in range(3)] == [0, 1502, 3003]


@pytest.mark.parametrize(
    ("width", "height", "sar", "expected"),
    [
        (1920, 1080, 1, [("1080p", 1920, 1080), ("720p", 1280, 720), ("480p", 854, 480),
                         ("360p", 640, 360)]),
        (1080, 1920, 1, [("1080p", 1080, 1920), ("720p", 720, 1280), ("480p", 480, 854),
                         ("360p", 360, 640)]),
        (1280, 720, 1, [("720p", 1280, 720), ("480p", 854, 480), ("360p", 640, 360)]),
        (720, 720, 1, [("720p", 720, 720), ("480p", 480, 480), ("360p", 360, 360)]),
        (640, 360, 1, [("360p", 640, 360)]),
        (320, 240, 1, [("240p", 320, 240)]),
        (241, 135, 1, [("134p", 240, 134)]),
        (1440, 1080, Fraction(4, 3), [("1080p", 1920, 1080), ("720p", 1280, 720),
                                      ("480p", 854, 480), ("360p", 640, 360)]),
        (720, 480, Fraction(8, 9), [("480p", 640, 480), ("360p", 480, 360)]),
    ],
)  # fmt: skip
def test_renditions(
    width: int, height: int, sar: Fraction, expected: list[tuple[str, int, int]]
) -> None:
    ladder = resolve(FULL_HD, width, height, Fraction(30), Fraction(sar))
    found = [(rendition.name, rendition.width, rendition.height) for rendition in ladder.renditions]
    assert found == expected


@given(
    width=st.integers(min_value=2, max_value=8192), height=st.integers(min_value=2, max_value=8192)
)
def test_sizes_are_even_named_apart_and_never_upscaled(width: int, height: int) -> None:
    renditions = resolve(FULL_HD, width, height, Fraction(30)).renditions
    assert renditions
    assert len({rendition.name for rendition in renditions}) == len(renditions)
    for rendition in renditions:
        assert rendition.width % 2 == rendition.height % 2 == 0
        assert min(rendition.width, rendition.height) <= min(width, height)
        assert rendition.width <= width + 1
        assert rendition.height <= height + 1
        assert (rendition.width > rendition.height) <= (width >= height)
        assert rendition.bitrate >= 50_000


def test_bandwidth_bounds_what_the_rate_control_may_send_in_a_segment() -> None:
    ladder = resolve(DEFAULT, 1280, 720, Fraction(30))
    best = ladder.renditions[0]
    seconds = ladder.frames_per_segment / ladder.frame_rate
    bits = best.max_rate * seconds + best.buffer_size + ladder.audio_bitrate * seconds
    assert ladder.bandwidth(best) >= bits / seconds
    assert ladder.bandwidth(best) < 1.5 * best.bitrate
    assert ladder.bandwidth(None) > ladder.audio_bitrate


@pytest.mark.parametrize(
    ("width", "height", "rate"),
    [(0, 0, 30), (1920, 1, 30), (100_000, 100, 30), (1280, 720, 0), (1280, 720, -1)],
)
def test_unusable_sources_are_refused(width: int, height: int, rate: int) -> None:
    with pytest.raises(MediaError):
        resolve(DEFAULT, width, height, Fraction(rate))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"rungs": ()}, "rungs"),
        ({"rungs": (Rung(720, 2_000_000), Rung(720, 1_000_000))}, "rungs"),
        ({"rungs": (Rung(721, 2_000_000),)}, "rungs"),
        ({"rungs": (Rung(720, 10),)}, "bitrate"),
        ({"part_seconds": Fraction(1, 10)}, "part_seconds"),
        ({"segment_seconds": Fraction(1, 2)}, "segment_seconds"),
        ({"segment_seconds": Fraction(11)}, "segment_seconds"),
        ({"audio_bitrate": 0}, "audio_bitrate"),
        ({"max_frame_rate": Fraction(1)}, "max_frame_rate"),
    ],
)
def test_a_profile_names_the_field_that_is_wrong(wrong: dict[str, object], field: str) -> None:
    with pytest.raises(ProfileError, match=field):
        Profile(**({"name": "p", "rungs": DEFAULT.rungs} | wrong))  # type: ignore[arg-type]
