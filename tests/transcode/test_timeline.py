"""The timeline against publishers as they are: ingest.md, media."""

from __future__ import annotations

import itertools
import random
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.publisher_clock import (
    SAMPLES,
    Output,
    Stamp,
    milliseconds,
    pictures,
    run,
    sounds,
)
from transcode.timeline import AudioSlot, Jump, Timeline, VideoSlot

SKEW = Fraction(40, 1000)
MS = Fraction(1, 1000)
RATES = [
    Fraction(15), Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30000, 1001),
    Fraction(30), Fraction(50), Fraction(60000, 1001), Fraction(60),
]  # fmt: skip


def in_sync(output: Output, within: Fraction = SKEW) -> None:
    skews = output.skews()
    assert skews
    assert max(map(abs, skews)) <= within


def in_step(output: Output, seconds: float, tolerance: float = 0.05) -> None:
    """As many frames and samples as the time asks for."""
    assert output.jump is None
    assert abs(len(output.shown) / output.frame_rate - Fraction(seconds)) <= tolerance + 1 / 15


@pytest.mark.parametrize("rate", RATES, ids=str)
def test_a_steady_source_passes_untouched(rate: Fraction) -> None:
    output = run([*pictures(rate, 20), *sounds(20)], rate)
    in_step(output, 20)
    assert (output.repeated, output.dropped, output.silence, output.skipped) == (0, 0, 0, 0)
    in_sync(output, 3 * MS)


@pytest.mark.parametrize("rate", RATES, ids=str)
@pytest.mark.parametrize("drift", [Fraction(-5, 1000), Fraction(-1, 1000), Fraction(5, 1000)])
def test_a_source_off_its_nominal_rate_is_corrected_a_frame_at_a_time(
    rate: Fraction, drift: Fraction
) -> None:
    output = run([*pictures(rate * (1 + drift), 25), *sounds(25)], rate)
    in_step(output, 25)
    expected = abs(25 * rate * drift)
    assert abs(output.repeated + output.dropped - expected) <= 1
    assert min(output.repeated, output.dropped) == 0, "never both: no chatter on the border"
    assert (output.silence, output.skipped) == (0, 0)
    in_sync(output)


@pytest.mark.parametrize(("source", "rate"), [(60, 30), (50, 25), (48, 24), (120, 60), (90, 45)])
def test_every_other_picture_goes_and_motion_stays_even(source: int, rate: int) -> None:
    output = run([*pictures(Fraction(source), 20), *sounds(20)], Fraction(rate))
    in_step(output, 20)
    assert output.repeated == 0
    steps = {
        round((b.true - a.true) * source)
        for a, b in zip(output.shown, output.shown[1:], strict=False)
    }
    assert steps == {2}
    in_sync(output, 12 * MS)


@pytest.mark.parametrize(("source", "rate"), [(15, 30), (24, 30), (20, 60), (10, 20), (25, 30)])
def test_a_slower_source_is_repeated(source: int, rate: int) -> None:
    output = run([*pictures(Fraction(source), 20), *sounds(20)], Fraction(rate))
    in_step(output, 20, 0.1)
    assert output.dropped == 0
    assert abs(output.repeated - 20 * (rate - source)) <= rate // source + 1
    in_sync(output)


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    rate=st.sampled_from([Fraction(24), Fraction(30), Fraction(30000, 1001), Fraction(60)]),
    picture_ms=st.integers(0, 8),
    sound_ms=st.integers(0, 12),
)
def test_jitter_is_not_passed_on(seed: int, rate: Fraction, picture_ms: int, sound_ms: int) -> None:
    shake = random.Random(seed)
    video = pictures(
        rate, 30, noise=lambda n: Fraction(shake.uniform(-picture_ms, picture_ms) if n else 0) * MS
    )
    audio = sounds(
        30, noise=lambda n: Fraction(shake.uniform(-sound_ms, sound_ms) if n else 0) * MS
    )
    output = run([*video, *audio], rate)
    in_step(output, 30)
    assert (output.silence, output.skipped) == (0, 0), "sound is never torn for jitter"
    in_sync(output)
    if picture_ms * MS <= 1 / rate / 4:
        assert (output.repeated, output.dropped) == (0, 0)


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    share=st.floats(min_value=0.0, max_value=0.6),
    sound_drift=st.integers(min_value=-300, max_value=300),
)
def test_a_phone_whose_frame_rate_wanders(seed: int, share: float, sound_drift: int) -> None:
    shake = random.Random(seed)
    video = pictures(
        Fraction(30),
        30,
        noise=lambda n: Fraction(shake.uniform(-4, 4) if n else 0) * MS,
        keep=lambda n: n == 0 or shake.random() >= share,
    )
    rate = Fraction(48_000) * (1 + Fraction(sound_drift, 1_000_000))
    output = run([*video, *sounds(30, rate=rate)], Fraction(30))
    in_step(output, 30, 0.4)
    in_sync(output)


@pytest.mark.parametrize("parts_per_million", [-500, -100, 100, 500])
def test_a_sound_card_that_drifts_is_kept_in_sync(parts_per_million: int) -> None:
    rate = Fraction(48_000) * (1 + Fraction(parts_per_million, 1_000_000))
    output = run([*pictures(Fraction(30), 100), *sounds(100, rate=rate)], Fraction(30))
    in_sync(output, 10 * MS)
    expected = 100 * 48_000 * abs(parts_per_million) / 1_000_000
    corrected = output.skipped if parts_per_million > 0 else output.silence
    assert abs(corrected - expected) <= 600
    assert min(output.silence, output.skipped) == 0


@pytest.mark.parametrize("later", [0.3, 1.0, 5.0])
@pytest.mark.parametrize("track", ["audio", "video"])
def test_tracks_that_begin_apart(track: str, later: float) -> None:
    """One track begins later than the other, in time and in arrival."""
    late = Fraction(later)
    if track == "audio":
        video, audio = pictures(Fraction(30), 20), sounds(20 - later, begin=late)
    else:
        video, audio = pictures(Fraction(30), 20 - later, begin=late), sounds(20)
    output = run([*video, *audio], Fraction(30))
    assert output.jump is None
    in_sync(output, 5 * MS)
    assert (output.repeated, output.dropped) == (0, 0)
    lead = later * 48_000
    if track == "audio":
        assert abs(output.silence - output.skipped - lead) <= 100
        # After three seconds nobody waits for the sound; it starts under way.
        assert output.skipped <= (2 * SAMPLES if later > 3 else 0)
    else:
        assert abs(output.skipped - lead) <= SAMPLES
        assert output.silence == 0


@pytest.mark.parametrize("delay", [0.3, 1.0, 5.0])
@pytest.mark.parametrize("track", ["audio", "video"])
def test_tracks_whose_packets_arrive_apart(track: str, delay: float) -> None:
    """Both begin at once and stay in sync, but one reaches us later by seconds."""
    late = Fraction(delay)
    video = pictures(Fraction(30), 30, delay=late if track == "video" else Fraction(0))
    audio = sounds(30, delay=late if track == "audio" else Fraction(0))
    output = run([*video, *audio], Fraction(30))
    assert output.jump is None
    in_sync(output, 5 * MS)
    assert output.most_held <= late + Fraction(1, 2)
    if track == "audio":
        assert output.skipped <= delay * 48_000 + 2 * SAMPLES, "lost once, then waited for"
        assert output.dropped == output.repeated == 0
    tail = Fraction(48_000 * 12)
    heard_late = [piece for piece in output.heard if piece[0] > 48_000 * 30 - tail]
    assert all(before[1] == after[0] for before, after in itertools.pairwise(heard_late))


@pytest.mark.parametrize("rate", [Fraction(30), Fraction(25)])
def test_a_dead_sound_track_never_holds_the_picture(rate: Fraction) -> None:
    audio = sounds(60, keep=lambda n: n * SAMPLES < 48_000 * 10 or n * SAMPLES > 48_000 * 40)
    output = run([*pictures(rate, 60), *audio], rate)
    in_step(output, 60)
    assert output.most_held <= Fraction(1, 2) + 2 / rate
    assert abs(output.silence - 48_000 * 30) <= 3 * SAMPLES
    assert output.skipped <= SAMPLES * 2
    in_sync(output, 25 * MS)


def test_a_dead_picture_never_holds_the_sound() -> None:
    video = pictures(Fraction(30), 60, keep=lambda n: n < 300 or n > 1200)
    output = run([*video, *sounds(60)], Fraction(30))
    in_step(output, 60)
    assert abs(output.repeated - 900) <= 3
    assert (output.silence, output.skipped) == (0, 0)
    assert output.most_held <= Fraction(1, 2) + Fraction(2, 30)
    in_sync(output, 20 * MS)


def test_a_track_that_never_comes_costs_half_a_second_and_then_nothing() -> None:
    held = []
    timeline = Timeline(0, Fraction(30), 48_000)
    for number in range(300):
        assert timeline.video(number * 3000) == VideoSlot(0, True)
        timeline.owed()
        held.append(timeline.next_frame / 30 - timeline.next_sample / 48_000)
    assert max(held) <= 0.54
    assert max(held[-60:]) <= 0.001


def test_pictures_that_the_epoch_has_not_are_not_waited_for() -> None:
    audio = run(sounds(5), Fraction(30), has_video=False)
    assert (audio.shown, audio.silence, audio.skipped) == ([], 0, 0)
    assert len(audio.heard) == len(sounds(5))


@pytest.mark.parametrize("lost", [1, 3, 40, 200])
def test_lost_sound_becomes_silence_at_once(lost: int) -> None:
    output = run(
        [
            *pictures(Fraction(30), 20),
            *sounds(20, keep=lambda n: not 400 <= n < 400 + lost),
        ],
        Fraction(30),
    )
    assert abs(output.silence - output.skipped - lost * SAMPLES) <= 100
    # After three seconds of silence nobody waits for the sound; it returns under way.
    assert output.skipped <= (2 * SAMPLES if lost > 140 else 100)
    in_sync(output, 5 * MS)


@pytest.mark.parametrize("lost", [1, 2, 10, 150])
def test_a_hole_in_the_picture_is_filled(lost: int) -> None:
    output = run(
        [*pictures(Fraction(30), 20, keep=lambda n: not 100 <= n < 100 + lost), *sounds(20)],
        Fraction(30),
    )
    in_step(output, 20)
    assert abs(output.repeated - lost) <= 1
    in_sync(output, 20 * MS)


def test_both_tracks_stall_and_go_on() -> None:
    """The uplink was cut for five seconds; the encoder dropped what it had."""
    output = run(
        [
            *pictures(Fraction(30), 30, keep=lambda n: not 300 <= n < 450),
            *sounds(30, keep=lambda n: not 480_000 <= n * SAMPLES < 720_000),
        ],
        Fraction(30),
    )
    in_step(output, 30)
    assert abs(output.repeated - 150) <= 2
    assert abs(output.silence - 240_000) <= 2 * SAMPLES
    in_sync(output, 20 * MS)


@pytest.mark.parametrize("leap", [-3600.0, -60.0, -2.0, 9.0, 60.0, 3600.0])
@pytest.mark.parametrize("first", ["video", "audio"])
def test_a_jump_of_both_tracks_is_told_by_the_picture(leap: float, first: str) -> None:
    offset = round(leap * 90_000)
    ahead = Fraction(2, 10)
    stamps = [
        *pictures(Fraction(30), 10, delay=ahead if first == "audio" else Fraction(0)),
        *sounds(10, delay=ahead if first == "video" else Fraction(0)),
    ]
    moved = [
        Stamp(s.true, s.pts + (offset if s.true >= 5 else 0), s.arrival, s.samples) for s in stamps
    ]
    output = run(moved, Fraction(30))
    assert output.jump is not None
    assert output.jump.samples == 0
    assert output.jump.true == 5
    assert len(output.shown) <= 5 * 30 + 30
    if abs(leap) > 8:
        in_sync(output, 20 * MS)


def test_a_jump_of_sound_alone_in_an_audio_only_epoch() -> None:
    stamps = [
        Stamp(s.true, s.pts + (90_000 * 60 if s.true > 3 else 0), s.arrival, s.samples)
        for s in sounds(6)
    ]
    output = run(stamps, Fraction(30), has_video=False)
    assert output.jump is not None
    assert 3 < output.jump.true < Fraction(31, 10)


@pytest.mark.parametrize("offset", [-3600, -20, 20, 3600])
def test_sound_with_a_clock_of_its_own_is_placed_by_its_arrival(offset: int) -> None:
    audio = [Stamp(s.true, s.pts + offset * 90_000, s.arrival, s.samples) for s in sounds(20)]
    output = run([*pictures(Fraction(30), 20), *audio], Fraction(30))
    assert output.jump is None
    assert len(output.shown) == 600
    assert output.heard[0][0] <= 48_000 * 1.2
    in_sync(output, SKEW)
    assert len(output.heard) >= len(audio) - 50


def test_sound_before_the_first_picture_is_left_out_to_the_sample() -> None:
    timeline = Timeline(90_000, Fraction(30), 48_000)
    assert timeline.video(90_000) == VideoSlot(0, True)
    assert timeline.audio(90_000 - 1920 * 2, 1024) == AudioSlot(0, 1024)
    assert timeline.audio(90_000 - 960, 1024) == AudioSlot(0, 512)
    assert timeline.next_sample == 512
    assert timeline.audio(90_000 + 960, 1024) == AudioSlot(0, 0)


def test_sound_that_starts_later_is_preceded_by_silence_to_the_sample() -> None:
    timeline = Timeline(0, Fraction(30), 48_000)
    timeline.video(0)
    assert timeline.audio(900, 1024) == AudioSlot(480, 0)
    assert timeline.next_sample == 480 + 1024


def test_blocks_of_any_size_count() -> None:
    timeline = Timeline(0, Fraction(30), 48_000)
    timeline.video(0)
    assert timeline.audio(0, 0) == AudioSlot(0, 0)
    assert timeline.audio(0, 100) == AudioSlot(0, 0)
    assert timeline.audio(188, 4000) == AudioSlot(0, 0)
    assert timeline.next_sample == 4100


def test_a_picture_twice_at_one_time_is_shown_once() -> None:
    timeline = Timeline(0, Fraction(30), 48_000)
    assert timeline.video(0) == VideoSlot(0, True)
    assert timeline.video(0) == VideoSlot(0, False)
    assert timeline.video(3000) == VideoSlot(0, True)


def test_the_first_and_the_farthest_time() -> None:
    timeline = Timeline(-(2**40), Fraction(30), 48_000)
    assert timeline.video(-(2**40)) == VideoSlot(0, True)
    assert timeline.video(2**60) == Jump()


@settings(max_examples=200, deadline=None)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["video", "audio", "owed"]),
            st.one_of(
                st.integers(-(2**45), 2**45),
                st.integers(-200_000, 900_000),
                st.integers(0, 6_000),
            ),
        ),
        max_size=60,
    ),
    has_video=st.booleans(),
)
def test_whatever_the_times_are_counts_only_grow_and_stay_close(
    steps: list[tuple[str, int]], has_video: bool
) -> None:
    timeline = Timeline(0, Fraction(30), 48_000, has_video=has_video)
    pts = 0
    for kind, step in steps:
        pts += step
        frames, samples = timeline.next_frame, timeline.next_sample
        if kind == "video" and has_video:
            slot = timeline.video(pts)
            if isinstance(slot, Jump):
                return
            assert timeline.next_frame == frames + slot.repeat + slot.emit
            assert timeline.next_sample == samples
        elif kind == "audio":
            block = timeline.audio(pts, SAMPLES)
            if isinstance(block, Jump):
                assert not has_video
                return
            assert timeline.next_frame == frames
            assert timeline.next_sample == samples + block.silence + SAMPLES - block.skip
            assert block.silence <= 48_000 * 20, "a hole that is filled is a short one"
        else:
            owed = timeline.owed()
            assert timeline.next_frame == frames + owed.frames
            assert timeline.next_sample == samples + owed.samples
            if has_video:
                assert abs(timeline.next_frame / 30 - timeline.next_sample / 48_000) <= 8.1


def test_the_test_publisher_stamps_as_rtmp_does() -> None:
    assert [stamp.pts for stamp in pictures(Fraction(30), 0.2)] == [
        0,
        2970,
        6030,
        9000,
        11970,
        15030,
    ]
    assert milliseconds(Fraction(1, 3)) == 333 * 90
