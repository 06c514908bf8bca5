"""Parts and segments: hls.md rules 2, 11, 13 and 18."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.mp4_boxes import runs
from transcode.cutter import Cutter
from transcode.errors import MediaError
from transcode.fmp4 import AUDIO_TRACK, VIDEO_TRACK, AudioTrack, VideoTrack
from transcode.ladder import AAC_FRAME, AAC_TICKS, DEFAULT, Ladder, resolve
from transcode.part import Part

VIDEO = VideoTrack(b"", 640, 360)
AUDIO = AudioTrack(b"\x11\x90", 48_000, 2)
RATES = [
    Fraction(30), Fraction(30000, 1001), Fraction(24000, 1001), Fraction(25), Fraction(60000, 1001)
]  # fmt: skip


def ladder_of(rate: Fraction) -> Ladder:
    return resolve(DEFAULT, 640, 360, rate)


def cutter(ladder: Ladder, video: bool = True, audio: bool = True) -> Cutter:
    return Cutter("360p", 3, ladder, VIDEO if video else None, AUDIO if audio else None)


def frame(cut: Cutter, ladder: Ladder, number: int) -> list[Part]:
    return cut.video(b"v%d" % number, number % ladder.frames_per_segment == 0)


def packets_for(ladder: Ladder, frames: int) -> int:
    """AAC packets that start before frame `frames` does, and the one that reaches it."""
    samples = Fraction(frames) / ladder.frame_rate * ladder.sample_rate
    return -(-samples // AAC_FRAME)


def check_chain(parts: list[Part], ladder: Ladder) -> None:
    """Nothing is missing, nothing twice, everything where the grid says."""
    assert parts[0].start == 0
    video_time = audio_time = 0
    for number, part in enumerate(parts):
        assert (part.segment, part.index) == divmod(number, ladder.parts_per_segment)
        assert (part.epoch, part.rendition) == (3, "360p")
        # A whole part was given before anyone knew that no more would come.
        assert part.last == (part.index == ladder.parts_per_segment - 1) or part is parts[-1]
        for run in runs(part.data):
            if run.track == VIDEO_TRACK:
                assert run.decode_time == video_time == part.start
                assert run.duration == part.duration
                assert part.independent == run.samples[0].sync == (part.index == 0)
                video_time += run.duration
            else:
                assert run.decode_time == audio_time
                audio_time += run.duration
        if part is not parts[-1]:
            assert parts[number + 1].start == ladder.frame_ticks(
                (number + 1) * ladder.frames_per_part
            )
            slack = 0 if video_time else AAC_TICKS
            assert abs(part.start + part.duration - parts[number + 1].start) <= slack
            assert 0.85 * ladder.part_target <= part.duration <= ladder.part_target or part.last


def samples(parts: Iterable[Part], track: int) -> list[bytes]:
    return [
        sample.data
        for part in parts
        for run in runs(part.data)
        if run.track == track
        for sample in run.samples
    ]


@pytest.mark.parametrize("rate", RATES, ids=str)
def test_muxed_parts_follow_the_grid(rate: Fraction) -> None:
    ladder = ladder_of(rate)
    cut = cutter(ladder)
    frames = 3 * ladder.frames_per_segment
    parts: list[Part] = []
    heard = 0
    for number in range(frames):
        parts += frame(cut, ladder, number)
        while heard * AAC_FRAME * rate < (number + 1) * ladder.sample_rate:
            parts += cut.audio(b"a%d" % heard)
            heard += 1
    assert len(parts) == 3 * ladder.parts_per_segment
    assert cut.flush() == []
    check_chain(parts, ladder)
    assert samples(parts, VIDEO_TRACK) == [b"v%d" % n for n in range(frames)]
    count = packets_for(ladder, frames)
    assert samples(parts, AUDIO_TRACK) == [b"a%d" % n for n in range(count)]
    for part in parts:
        audio = next(run for run in runs(part.data) if run.track == AUDIO_TRACK)
        offset = Fraction(audio.decode_time, 48_000) - Fraction(part.start, 90_000)
        assert 0 <= offset < Fraction(AAC_FRAME, 48_000) + Fraction(1, 90_000)


@settings(max_examples=25, deadline=None)
@given(
    rate=st.sampled_from(RATES),
    order=st.lists(st.integers(min_value=-60, max_value=60), min_size=1, max_size=30),
    extra=st.integers(min_value=0, max_value=40),
)
def test_the_order_of_arrival_changes_nothing(rate: Fraction, order: list[int], extra: int) -> None:
    ladder = ladder_of(rate)
    frames = 2 * ladder.frames_per_segment + extra
    sounds = packets_for(ladder, frames)

    def cut_in(turns: Iterable[int]) -> list[Part]:
        cut, parts, seen, heard = cutter(ladder), [], 0, 0
        for turn in [*turns, frames, -sounds]:
            for _ in range(abs(turn)):
                if turn > 0 and seen < frames:
                    parts += frame(cut, ladder, seen)
                    seen += 1
                elif turn < 0 and heard < sounds:
                    parts += cut.audio(b"a%d" % heard)
                    heard += 1
        return parts + cut.flush()

    assert cut_in(order) == cut_in([1, -2] * max(frames, sounds))
    check_chain(cut_in(order), ladder)


def test_a_part_waits_for_its_last_sound() -> None:
    ladder = ladder_of(Fraction(30))
    cut = cutter(ladder)
    for number in range(10):
        assert frame(cut, ladder, number) == []
    for number in range(15):
        assert cut.audio(b"a") == [], f"packet {number} ends before the part does"
    (part,) = cut.audio(b"a")
    assert (part.start, part.duration, part.index) == (0, 30_000, 0)


@pytest.mark.parametrize("rate", RATES, ids=str)
def test_audio_only_parts_lie_on_the_same_grid(rate: Fraction) -> None:
    ladder = ladder_of(rate)
    cut = cutter(ladder, video=False)
    parts: list[Part] = []
    for number in range(300):
        parts += cut.audio(b"a%d" % number)
    check_chain(parts + cut.flush(), ladder)
    packet = AAC_FRAME * 90_000 // 48_000
    for number, part in enumerate(parts):
        grid = ladder.frame_ticks(number * ladder.frames_per_part)
        assert 0 <= part.start - grid <= packet
        assert part.duration % packet == 0
        assert part.independent


def test_video_only() -> None:
    ladder = ladder_of(Fraction(25))
    cut = cutter(ladder, audio=False)
    parts = [part for number in range(50) for part in frame(cut, ladder, number)]
    parts += cut.flush()
    check_chain(parts, ladder)
    assert [part.duration for part in parts] == [28_800] * 6 + [7_200]


def test_flush_gives_what_is_whole_though_the_sound_stopped() -> None:
    ladder = ladder_of(Fraction(30))
    cut = cutter(ladder)
    for _ in range(20):
        assert cut.audio(b"a") == []
    early = [part for number in range(23) for part in frame(cut, ladder, number)]
    assert len(early) == 1
    parts = early + cut.flush()
    check_chain(parts, ladder)
    assert [part.duration for part in parts] == [30_000, 30_000, 9_000]
    assert [part.last for part in parts] == [False, False, True]
    assert len(samples(parts, AUDIO_TRACK)) == 20
    with pytest.raises(MediaError):
        cut.audio(b"a")
    assert cut.flush() == []


def test_sound_after_the_last_picture_is_left_out() -> None:
    ladder = ladder_of(Fraction(30))
    cut = cutter(ladder)
    frame(cut, ladder, 0)
    for _ in range(10):
        cut.audio(b"a")
    (part,) = cut.flush()
    assert len(samples([part], AUDIO_TRACK)) == 2, "two packets start before the frame ends"


def test_a_segment_that_would_not_begin_with_a_key_picture_is_refused() -> None:
    ladder = ladder_of(Fraction(30))
    cut = cutter(ladder)
    with pytest.raises(MediaError, match="key"):
        cut.video(b"v", False)


def test_a_key_picture_off_the_grid_is_marked_and_does_not_cut() -> None:
    ladder = ladder_of(Fraction(30))
    cut = cutter(ladder, audio=False)
    parts = [part for n in range(20) for part in cut.video(b"v", n in {0, 13})]
    assert [part.independent for part in parts] == [True, False]
    assert [sample.sync for sample in runs(parts[1].data)[0].samples].index(True) == 3


@pytest.mark.parametrize("silent", ["audio", "video"])
def test_a_track_that_never_comes_is_not_waited_for_without_end(silent: str) -> None:
    ladder = ladder_of(Fraction(30))
    cut = cutter(ladder)

    def go_on() -> None:
        for number in range(100 * 60):
            _ = frame(cut, ladder, number) if silent == "audio" else cut.audio(b"a")

    with pytest.raises(MediaError, match="apart"):
        go_on()


def test_tracks_that_were_not_announced_are_refused() -> None:
    ladder = ladder_of(Fraction(30))
    with pytest.raises(MediaError):
        Cutter("x", 0, ladder, None, None)
    with pytest.raises(MediaError):
        cutter(ladder, audio=False).audio(b"a")
    with pytest.raises(MediaError):
        cutter(ladder, video=False).video(b"v", True)


def test_composition_offsets_are_kept() -> None:
    ladder = ladder_of(Fraction(30))
    cut = cutter(ladder, audio=False)
    parts = [part for n in range(10) for part in cut.video(b"v", n == 0, cts=3000 * (n % 3 - 1))]
    assert [sample.cts for sample in runs(parts[0].data)[0].samples[:3]] == [-3000, 0, 3000]
