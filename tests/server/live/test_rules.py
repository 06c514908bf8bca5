"""Each warning, by what brings it about; and what must not."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.unit import AudioCodec, AudioConfig, VideoCodec
from server.live.coach import Coach, Severity, Sight
from server.live.pace import Beat
from server.live.rules import RULES
from transcode.message import Health

DOCUMENT = Path(__file__).parents[3] / "docs" / "coach.md"
MINUTE = 60

STEREO = AudioConfig(AudioCodec.AAC, b"", 48_000, 2)
FINE = Health(
    width=1280, height=720, fps=30, nominal_fps=30, video="H.264 High 3.1",
    video_bitrate=3_000_000, audio_bitrate=128_000, frames=1_000, speed=3.0,
    pixel_format="yuv420p", peak_left=-9, peak_right=-10, level=-20,
)  # fmt: skip
SOUND_ONLY = Health(peak_left=-9, peak_right=-9)
EVEN = Beat(fps=30, key_interval=2, key_longest=2, key_shortest=2, av_offset=0.01, start_offset=0.0)
WELL = Sight(
    waited_ms=30_000, health=FINE, beat=EVEN, announced_fps=30, bitrate=3_128_000,
    late_ms=80, burst_ms=120,
    video=VideoCodec.H264, audio=STEREO, picture_age_ms=30, sound_age_ms=20,
)  # fmt: skip


def stands(*sights: Sight, seconds: int = MINUTE) -> set[str]:
    """Look once a second, each of `sights` as its turn comes, the last one to the end."""
    coach = Coach(RULES)
    for second in range(seconds):
        coach.look(sights[min(second, len(sights) - 1)], second * 1_000)
    return {notice.code for notice in coach.notices}


def with_health(**changes: object) -> Sight:
    return replace(WELL, health=replace(FINE, **changes))  # type: ignore[arg-type]


def with_beat(**changes: object) -> Sight:
    return replace(WELL, beat=replace(EVEN, **changes))  # type: ignore[arg-type]


def with_lost(second: int) -> Sight:
    health = replace(FINE, frames=1_000 + 30 * second)
    return replace(WELL, health=health, beat=replace(EVEN, lost=2 * second))


def growing(name: str, by: int) -> list[Sight]:
    """A counter that grows each second, beside as many pictures as it should be."""
    return [with_health(frames=1_000 + 30 * n, **{name: by * n}) for n in range(MINUTE)]


def test_a_good_stream_has_no_warning() -> None:
    assert stands(WELL) == set()


@pytest.mark.parametrize(
    "sight",
    [
        pytest.param(with_health(width=1080, height=1920), id="portrait"),
        pytest.param(
            replace(
                replace(with_beat(fps=60), health=replace(FINE, width=1920, height=1080, fps=60)),
                announced_fps=60,
            ),
            id="1080p60-of-3-mbit",
        ),
        pytest.param(replace(with_beat(fps=23.976), announced_fps=23.976), id="film"),
        pytest.param(with_beat(av_offset=-0.07), id="within-what-nobody-notices"),
        pytest.param(with_beat(av_offset=None), id="offset-unknown"),
        pytest.param(with_health(frozen_seconds=4.5, video_bitrate=50_000), id="a-pause"),
        pytest.param(with_health(peak_left=-55, peak_right=-55), id="quiet-but-there"),
        pytest.param(with_health(bars=0.1), id="a-film's-bars"),
        pytest.param(with_health(speed=0.0), id="nothing-encoded-in-that-second"),
        pytest.param(
            replace(WELL, audio=replace(STEREO, sample_rate=44_100), announced_fps=0),
            id="44.1-kHz-and-no-metadata",
        ),
    ],
)
def test_what_is_well_is_left_alone(sight: Sight) -> None:
    assert stands(sight) == set()


@pytest.mark.parametrize(
    ("code", "sight"),
    [
        ("worker-failing", replace(WELL, started=False, restarts=2, last_words="refused: zoom")),
        ("no-picture", replace(WELL, started=False, health=None, video=None)),
        ("video-stopped", replace(WELL, picture_age_ms=4_000)),
        ("encoding-behind", with_health(speed=0.7)),
        ("connection-slow", replace(WELL, late_ms=3_000, burst_ms=2_000)),
        ("bitrate-unstable", replace(WELL, burst_ms=1_500)),
        ("black", with_health(black=True, frozen_seconds=60, video_bitrate=9_000)),
        ("frozen", with_health(frozen_seconds=9, video_bitrate=9_000)),
        ("no-audio", replace(with_beat(av_offset=None), audio=None, sound_age_ms=None)),
        ("audio-stopped", replace(WELL, sound_age_ms=4_000)),
        ("silent", with_health(peak_left=-120, peak_right=-75)),
        ("one-sided", with_health(peak_left=-9, peak_right=-90)),
        ("clipping", with_health(clipped=0.05)),
        ("av-offset", with_beat(av_offset=-0.2)),
        ("keyframe-interval", with_beat(key_longest=8, key_shortest=8)),
        ("keyframe-varies", with_beat(key_longest=4, key_shortest=1)),
        ("bitrate-low", with_health(video_bitrate=300_000)),
        ("bitrate-high", replace(WELL, bitrate=25_000_000)),
        ("fps-low", replace(with_beat(fps=12), announced_fps=12)),
        ("fps-short", with_beat(fps=22)),
        ("fps-uneven", with_beat(uneven=0.4)),
        ("picture-bars", with_health(bars=0.68)),
        ("size-odd", with_health(width=1279)),
        ("size-large", with_health(width=3840, height=2160, video_bitrate=12_000_000)),
        ("pixel-format", with_health(pixel_format="yuv444p")),
        ("b-frames", with_health(b_frames=True)),
        ("sample-rate", replace(WELL, audio=replace(STEREO, sample_rate=8_000))),
        ("mono", replace(WELL, audio=replace(STEREO, channels=1))),
        ("audio-only", replace(WELL, video=None, beat=Beat(), health=SOUND_ONLY)),
        ("card-not-drawn", replace(WELL, problems=("'Cup' has no picture.",))),
    ],
)  # fmt: skip
def test_each_has_its_cause_and_no_other_is_told_with_it(code: str, sight: Sight) -> None:
    assert stands(sight) == {code}
    assert stands(sight, *[WELL] * MINUTE) == set(), "mended"


@pytest.mark.parametrize(
    ("code", "sights"),
    [
        ("frames-lost", [with_lost(n) for n in range(MINUTE)]),
        ("timestamp-jumps", growing("jumps", 1)),
        ("pictures-damaged", growing("damaged", 2)),
        ("encoding-behind", [replace(WELL, unfed=3 * n) for n in range(MINUTE)]),
        ("worker-failing", [replace(WELL, restarts=n // 20) for n in range(MINUTE)]),
        ("two-encoders", [replace(WELL, takeovers=n // 4) for n in range(MINUTE)]),
        (
            "not-decodable",
            [with_health(width=0, height=0, damaged=30 * n, frames=0) for n in range(MINUTE)],
        ),
    ],
)
def test_counters_that_grow(code: str, sights: list[Sight]) -> None:
    assert code in stands(*sights)
    assert stands(*sights[:5], *[sights[4]] * MINUTE, seconds=MINUTE + 40) == set()


def test_a_single_jump_is_told_for_a_while() -> None:
    jumped = with_health(jumps=1)
    assert stands(*[WELL] * 5, jumped, seconds=8) == {"timestamp-jumps"}
    assert stands(*[WELL] * 5, jumped, seconds=50) == set()


def test_a_picture_may_take_a_moment() -> None:
    assert stands(replace(WELL, started=False, health=None, waited_ms=5_000), seconds=2) == set()


def test_an_interval_that_still_runs_is_not_told_as_known() -> None:
    for shortest, words in ((0, "is over 6 s."), (6, "is 6 s.")):
        coach = Coach(RULES)
        for second in range(3):
            coach.look(with_beat(key_longest=6, key_shortest=shortest), second * 1_000)
        assert coach.notices[0].message.endswith(words)


def test_newer_codecs_need_fewer_bits() -> None:
    thin = with_health(video_bitrate=400_000)
    assert stands(thin) == {"bitrate-low"}
    assert stands(replace(thin, video=VideoCodec.AV1)) == set()


def test_the_servers_fault_is_not_put_on_the_anchor() -> None:
    for sight in (with_health(speed=0.5), replace(WELL, started=False, restarts=3)):
        coach = Coach(RULES)
        for second in range(20):
            coach.look(sight, second * 1_000)
        (notice,) = coach.notices
        assert "server" in notice.message.lower()
        assert "OBS" not in notice.advice


def test_a_dead_workers_last_words_have_an_end() -> None:
    coach = Coach(RULES)
    coach.look(replace(WELL, started=False, restarts=2, last_words="x" * 10_000), 0)
    assert len(coach.notices[0].message) < 400
    coach = Coach(RULES)
    coach.look(replace(WELL, started=False, restarts=2), 0)
    assert "no reason given" in coach.notices[0].message


def test_the_document_and_the_rules_are_one() -> None:
    rows = re.findall(
        r"^\| `([a-z-]+)` \| (info|warning|error) \| (.+?) \| (.+?) \| (.+?) \|$",
        DOCUMENT.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    told = [(code, severity) for code, severity, *_ in rows]
    told.remove(("source-unreadable", "error"))  # no rule's: whoever reads the source says it
    assert told == [(rule.code, rule.severity.value) for rule in RULES]
    assert len({rule.code for rule in RULES}) == len(RULES)
    assert {rule.severity for rule in RULES} == set(Severity)


FLOATS = st.floats(-200, 10_000, allow_nan=False)
HEALTHS = st.builds(
    Health,
    width=st.integers(0, 10_000), height=st.integers(0, 10_000),
    video_bitrate=st.integers(0, 10**9), speed=FLOATS, clipped=FLOATS,
    peak_left=FLOATS, peak_right=FLOATS, bars=FLOATS, frozen_seconds=FLOATS,
    pixel_format=st.text(max_size=20), video=st.text(max_size=20), black=st.booleans(),
    frames=st.integers(0, 10**6), damaged=st.integers(0, 10**6),
)  # fmt: skip
BEATS = st.builds(
    Beat,
    fps=FLOATS, uneven=FLOATS, lost=st.integers(0, 10**6), key_longest=FLOATS,
    key_shortest=FLOATS, av_offset=st.none() | FLOATS,
)  # fmt: skip
SIGHTS = st.builds(
    Sight,
    started=st.booleans(), waited_ms=st.integers(0, 10**6), health=st.none() | HEALTHS,
    beat=BEATS,
    announced_fps=FLOATS, bitrate=st.integers(0, 10**9), late_ms=st.integers(-10, 10**6),
    burst_ms=st.integers(-10, 10**6), video=st.none() | st.sampled_from(VideoCodec),
    audio=st.none() | st.builds(
        AudioConfig, st.sampled_from(AudioCodec), st.just(b""), st.integers(0, 400_000),
        st.integers(0, 16),
    ),
    picture_age_ms=st.none() | st.integers(0, 10**6),
    sound_age_ms=st.none() | st.integers(0, 10**6),
    restarts=st.integers(0, 9), last_words=st.text(max_size=50), unfed=st.integers(0, 9_000),
)  # fmt: skip


@given(st.lists(SIGHTS, min_size=1, max_size=5))
def test_whatever_is_measured_is_told_in_sentences(sights: list[Sight]) -> None:
    coach = Coach(RULES)
    for second in range(30):
        coach.look(sights[second % len(sights)], second * 1_000)
        for notice in coach.notices:
            assert notice.message
            assert notice.advice.endswith((".", "?"))
            assert notice.since_ms <= second * 1_000
    order = [list(Severity)[::-1].index(notice.severity) for notice in coach.notices]
    assert order == sorted(order)
