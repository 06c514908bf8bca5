from __future__ import annotations

from contextlib import suppress
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import PeerError
from ingest.rtmp.amf0 import EcmaArray, Value
from ingest.rtmp.asc import parse_asc
from ingest.rtmp.avcc import check_avcc
from ingest.rtmp.flv import FlvReader, read_metadata
from ingest.unit import (
    AudioCodec,
    AudioConfig,
    AudioUnit,
    StreamInfo,
    VideoCodec,
    VideoConfig,
    VideoUnit,
)
from tests.helpers import flv_tags
from tests.helpers.flv_tags import ASC, AVCC, PPS, SPS


def reader() -> FlvReader:
    flv = FlvReader()
    (video,) = flv.video(0, flv_tags.avc_header())
    (audio,) = flv.audio(0, flv_tags.aac_header())
    assert isinstance(video, VideoConfig)
    assert isinstance(audio, AudioConfig)
    return flv


def test_sequence_headers_become_configs_once() -> None:
    flv = FlvReader()
    assert flv.video(0, flv_tags.avc_header()) == (VideoConfig(VideoCodec.H264, AVCC),)
    assert flv.audio(0, flv_tags.aac_header()) == (AudioConfig(AudioCodec.AAC, ASC, 48_000, 2),)
    assert flv.video(900, flv_tags.avc_header()) == ()
    assert flv.audio(900, flv_tags.aac_header()) == ()


def test_a_sequence_header_that_changes_is_a_new_config() -> None:
    flv = reader()
    changed = AVCC.replace(SPS, SPS[:-1] + b"\x81")
    assert flv.video(900, flv_tags.avc_header(changed)) == (VideoConfig(VideoCodec.H264, changed),)
    (audio,) = flv.audio(900, flv_tags.aac_header(b"\x12\x10"))
    assert isinstance(audio, AudioConfig)
    assert audio.sample_rate == 44_100


@pytest.mark.parametrize(("composition", "pts"), [(0, 9000), (67, 9000 + 67 * 90), (-33, 6030)])
def test_frames_carry_a_signed_composition_time(composition: int, pts: int) -> None:
    data = flv_tags.nal(b"\x41abc")
    tag = flv_tags.avc_frame(data, composition_ms=composition)
    assert reader().video(100, tag) == (VideoUnit(9000, pts, False, data),)


def test_keyframes_and_audio_frames() -> None:
    flv = reader()
    (unit,) = flv.video(0, flv_tags.avc_frame(b"\x00\x00\x00\x01\x65", key=True))
    assert isinstance(unit, VideoUnit)
    assert unit.keyframe
    assert flv.audio(21, flv_tags.aac_frame(b"raw")) == (AudioUnit(21 * 90, b"raw"),)


def test_frames_before_their_sequence_header_are_dropped() -> None:
    flv = FlvReader()
    assert flv.video(0, flv_tags.avc_frame(b"\x00\x00\x00\x01\x65", key=True)) == ()
    assert flv.audio(0, flv_tags.aac_frame(b"raw")) == ()


def test_empty_tags_ends_of_sequence_and_video_commands_mean_nothing() -> None:
    flv = reader()
    assert flv.video(0, b"") == ()
    assert flv.audio(0, b"") == ()
    assert flv.video(0, flv_tags.avc_end()) == ()
    assert flv.video(0, b"\x57\x00") == ()
    assert flv.audio(0, flv_tags.aac_frame(b"")) == ()


def test_32_bit_time_unwraps_over_both_tracks() -> None:
    flv = reader()
    times = []
    for step in range(4):
        timestamp = (0x7FFFFFF0 + step * 0x60000000) & 0xFFFFFFFF
        (audio,) = flv.audio(timestamp, flv_tags.aac_frame(b"x"))
        (video,) = flv.video((timestamp + 5) & 0xFFFFFFFF, flv_tags.avc_frame(b"\x00\x00\x00\x00"))
        assert isinstance(audio, AudioUnit)
        assert isinstance(video, VideoUnit)
        times += [audio.pts // 90, video.dts // 90]
    start = 0x7FFFFFF0
    assert times == [start + s * 0x60000000 + d for s in range(4) for d in (0, 5)]


def test_a_backward_jump_stays_a_backward_jump() -> None:
    flv = FlvReader()
    flv.audio(600_000, flv_tags.aac_header())
    assert flv.audio(1_000, flv_tags.aac_frame(b"x")) == (AudioUnit(90_000, b"x"),)


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        (b"\x22" + bytes(8), r"H\.263 is not supported: set the encoder to"),
        (b"\x14" + bytes(8), "VP6"),
        (b"\x18" + bytes(8), "number 8"),
        (b"\x1c\x00\x00\x00\x00", "HEVC sequence header: too short"),
        (b"\x17\x01\x00", "ends inside"),
        (b"\x17\x00\x00\x00\x00", "too short"),
    ],
)
def test_video_that_cannot_be_is_refused_with_a_reason(tag: bytes, reason: str) -> None:
    with pytest.raises(PeerError, match=reason):
        FlvReader().video(0, tag)


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        (b"\xb2" + bytes(8), "Speex is not supported: set the encoder to"),
        (b"\x10" + bytes(8), "ADPCM"),
        (b"\x3d" + bytes(8), "PCM of 8 bits"),
        (b"\xf0" + bytes(8), "number 15"),
        (b"\xaf", "ends inside"),
        (b"\xaf\x00", "too short"),
    ],
)
def test_audio_that_cannot_be_is_refused_with_a_reason(tag: bytes, reason: str) -> None:
    with pytest.raises(PeerError, match=reason):
        FlvReader().audio(0, tag)


def test_avcc_takes_trailing_bytes_and_no_cut() -> None:
    check_avcc(AVCC)
    check_avcc(AVCC + b"\xfd\xf8\xf8\x00")
    for size in range(len(AVCC)):
        with pytest.raises(PeerError):
            check_avcc(AVCC[:size])


@pytest.mark.parametrize(
    ("avcc", "reason"),
    [
        (b"\x00\x00\x00\x01" + SPS, "version"),
        (AVCC[:4] + b"\xfe" + AVCC[5:], "3 bytes"),
        (AVCC[:5] + b"\xe0" + b"\x01" + AVCC[-7:], "no SPS"),
        (AVCC[: -len(PPS) - 3] + b"\x00", "no PPS"),
        (AVCC.replace(PPS, SPS[:5]), "where PPS belongs"),
    ],
)
def test_avcc_faults_have_names(avcc: bytes, reason: str) -> None:
    with pytest.raises(PeerError, match=reason):
        check_avcc(avcc)


@pytest.mark.parametrize(
    ("asc", "rate", "channels"),
    [
        ("1190", 48_000, 2),
        ("1210", 44_100, 2),
        ("118856e500", 48_000, 1),
        ("11b0", 48_000, 6),
        ("1780bb8010", 96_000, 2),  # the rate written out in 24 bits
        ("2b118800", 48_000, 2),  # explicit SBR: 24 kHz core
        ("eb098800", 48_000, 2),  # parametric stereo: one coded channel
    ],
)
def test_asc(asc: str, rate: int, channels: int) -> None:
    config = parse_asc(bytes.fromhex(asc))
    assert (config.sample_rate, config.channels) == (rate, channels)
    assert config.extradata.hex() == asc


@pytest.mark.parametrize(
    ("asc", "reason"),
    [("", "short"), ("11", "short"), ("1690", "rate"), ("1180", "channel"), ("0190", "type 0")],
)
def test_asc_faults_have_names(asc: str, reason: str) -> None:
    with pytest.raises(PeerError, match=reason):
        parse_asc(bytes.fromhex(asc))


SAID: dict[str, Value] = {
    "width": 1080.0,
    "height": 1920.0,
    "framerate": 30.0,
    "videodatarate": 6000.0,
    "audiodatarate": 160.0,
    "encoder": "obs-output module (libobs version 30.0.2)",
    "stereo": True,
}
INFO = StreamInfo(
    "obs-output module (libobs version 30.0.2)", 1080, 1920, Fraction(30), 6_000_000, 160_000
)


@pytest.mark.parametrize("said", [SAID, EcmaArray(SAID)], ids=["object", "ecma-array"])
@pytest.mark.parametrize("frame", [("@setDataFrame",), ()], ids=["set-data-frame", "bare"])
def test_metadata(said: dict[str, Value], frame: tuple[Value, ...]) -> None:
    assert read_metadata((*frame, "onMetaData", said)) == INFO


@pytest.mark.parametrize(
    ("value", "rate"),
    [
        (25.0, Fraction(25)),
        (29.97, Fraction(30000, 1001)),
        (30000 / 1001, Fraction(30000, 1001)),
        (23.976, Fraction(24000, 1001)),
        (59.94, Fraction(60000, 1001)),
        (12.5, Fraction(25, 2)),
        (0.0, None),
        (-30.0, None),
        (float("nan"), None),
        (float("inf"), None),
        (1e300, None),
        ("30", None),
        (None, None),
    ],
)
def test_frame_rate_is_exact_or_unknown(value: Value, rate: Fraction | None) -> None:
    info = read_metadata(("onMetaData", {"framerate": value}))
    assert info is not None
    assert info.frame_rate == rate


@pytest.mark.parametrize("width", [float("nan"), float("inf"), -1.0, 1e9, "1280", [], True])
def test_absurd_figures_are_not_known(width: Value) -> None:
    assert read_metadata(("onMetaData", {"width": width, "videodatarate": width})) == StreamInfo()


def test_an_encoders_name_is_kept_printable_and_short() -> None:
    info = read_metadata(("onMetaData", {"encoder": "a\x1b[2J\n" + "b" * 500}))
    assert info is not None
    assert info.encoder.isprintable()
    assert len(info.encoder) <= 128


@pytest.mark.parametrize("values", [(), ("onMetaData",), ("onMetaData", 1.0), ("onCuePoint", {})])
def test_other_data_is_no_stream_info(values: tuple[Value, ...]) -> None:
    assert read_metadata(values) is None


@given(st.binary(max_size=64), st.integers(0, 2**32 - 1))
def test_random_tags_raise_only_peer_error(tag: bytes, timestamp: int) -> None:
    flv = reader()
    for take in (flv.video, flv.audio):
        with suppress(PeerError):
            take(timestamp, tag)
