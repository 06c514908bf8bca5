"""Enhanced RTMP's tags, and the rarer legacy ones, to Units: each codec, each packet type."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import PeerError
from ingest.rtmp.ex_tag import AudioPacketType as A
from ingest.rtmp.ex_tag import Multitrack
from ingest.rtmp.ex_tag import VideoPacketType as V
from ingest.rtmp.flv import FlvReader
from ingest.unit import (
    AudioCodec,
    AudioConfig,
    AudioUnit,
    Unit,
    VideoCodec,
    VideoConfig,
    VideoUnit,
)
from tests.helpers import ex_tags, flv_tags
from tests.helpers.ex_tags import (
    AC3_FRAME,
    AV1C,
    COLOUR,
    EAC3_FRAME,
    HVCC,
    MP3_FRAME,
    OPUS_FRAME,
    OPUS_HEAD,
    STREAM_INFO,
    VPCC,
)
from tests.helpers.flv_tags import ASC, AVCC, SPS

VIDEO = {
    "avc1": (VideoCodec.H264, AVCC, AVCC),
    "hvc1": (VideoCodec.HEVC, HVCC, HVCC),
    "av01": (VideoCodec.AV1, AV1C, AV1C),
    "vp09": (VideoCodec.VP9, VPCC, b""),
    "vp08": (VideoCodec.VP8, VPCC, b""),
}
"""FourCC: codec, sequence header, what the decoder is opened with."""
AUDIO = {
    "mp4a": (AudioCodec.AAC, ASC, ASC),
    "Opus": (AudioCodec.OPUS, OPUS_HEAD, OPUS_HEAD),
    "fLaC": (AudioCodec.FLAC, b"fLaC\x80\x00\x00\x22" + STREAM_INFO, STREAM_INFO),
}
SYNC = {
    ".mp3": (AudioCodec.MP3, MP3_FRAME),
    "ac-3": (AudioCodec.AC3, AC3_FRAME),
    "ec-3": (AudioCodec.EAC3, EAC3_FRAME),
}
"""Codecs whose frames say all."""
NAL_UNITS = ("avc1", "hvc1")
TWO = [Multitrack.MANY_TRACKS, Multitrack.MANY_TRACKS_MANY_CODECS]


def started(four_cc: str = "hvc1") -> FlvReader:
    flv = FlvReader()
    (config,) = flv.video(0, ex_tags.video(V.SEQUENCE_START, four_cc, VIDEO[four_cc][1]))
    assert isinstance(config, VideoConfig)
    return flv


@pytest.mark.parametrize("four_cc", VIDEO)
def test_video_sequence_start_is_a_config_once(four_cc: str) -> None:
    codec, record, extradata = VIDEO[four_cc]
    flv, tag = FlvReader(), ex_tags.video(V.SEQUENCE_START, four_cc, record)
    assert flv.video(0, tag) == (VideoConfig(codec, extradata),)
    assert flv.video(900, tag) == ()


@pytest.mark.parametrize("four_cc", VIDEO)
def test_video_coded_frames(four_cc: str) -> None:
    flv = started(four_cc)
    data = ex_tags.avc(33, b"picture") if four_cc in NAL_UNITS else b"picture"
    pts = 9000 + (33 * 90 if four_cc in NAL_UNITS else 0)
    key = ex_tags.video(V.CODED_FRAMES, four_cc, data)
    inter = ex_tags.video(V.CODED_FRAMES, four_cc, data, frame_type=2)
    assert flv.video(100, key) == (VideoUnit(9000, pts, True, b"picture"),)
    assert flv.video(100, inter) == (VideoUnit(9000, pts, False, b"picture"),)


@pytest.mark.parametrize("four_cc", VIDEO)
def test_video_coded_frames_x_have_no_composition_time(four_cc: str) -> None:
    tag = ex_tags.video(V.CODED_FRAMES_X, four_cc, b"picture", frame_type=2)
    assert started(four_cc).video(100, tag) == (VideoUnit(9000, 9000, False, b"picture"),)


def test_a_composition_time_may_be_negative_but_not_cut() -> None:
    flv = started()
    tag = ex_tags.video(V.CODED_FRAMES, "hvc1", ex_tags.avc(-33, b"x"))
    assert flv.video(100, tag) == (VideoUnit(9000, 6030, True, b"x"),)
    for size in range(3):
        with pytest.raises(PeerError, match="ends inside"):
            flv.video(100, tag[: 5 + size])


@pytest.mark.parametrize("kind", [V.SEQUENCE_END, V.METADATA])
@pytest.mark.parametrize("data", [b"", COLOUR, b"\xff\xff"])
def test_ends_and_colours_are_consumed(kind: V, data: bytes) -> None:
    flv = started()
    assert flv.video(100, ex_tags.video(kind, "hvc1", data, frame_type=5 * (kind == 4))) == ()
    following = ex_tags.video(V.CODED_FRAMES_X, "hvc1", b"x")
    assert flv.video(133, following) == (VideoUnit(133 * 90, 133 * 90, True, b"x"),)


def test_commands_to_seek_and_empty_frames_are_consumed() -> None:
    flv = started()
    assert flv.video(0, b"\xd0\x00") == ()
    assert flv.video(0, ex_tags.video(V.CODED_FRAMES_X, "hvc1")) == ()
    assert flv.video(0, ex_tags.video(V.CODED_FRAMES, "hvc1", ex_tags.avc(0, b""))) == ()
    assert flv.audio(0, ex_tags.audio(A.CODED_FRAMES, "Opus")) == ()


def test_mpeg_ts_is_refused_with_advice() -> None:
    with pytest.raises(PeerError, match=r"MPEG-2 TS form .*set the encoder to H\.264"):
        FlvReader().video(0, ex_tags.video(V.MPEG2TS_SEQUENCE_START, "av01", b"\x80\x04\x81"))


@pytest.mark.parametrize("four_cc", ["vvc1", "HVC1", "\x00\x1b[2", "    "])
@pytest.mark.parametrize("kind", [V.SEQUENCE_START, V.CODED_FRAMES_X])
def test_a_codec_that_is_not_known_is_refused_with_advice(four_cc: str, kind: V) -> None:
    with pytest.raises(PeerError, match=r"not supported: set the encoder to H\.264, HEVC") as told:
        FlvReader().video(0, ex_tags.video(kind, four_cc, b"x"))
    assert told.value.reason.isprintable()
    with pytest.raises(PeerError, match="not supported: set the encoder to AAC or Opus"):
        FlvReader().audio(0, ex_tags.audio(A.CODED_FRAMES, four_cc, b"x"))


@pytest.mark.parametrize("four_cc", VIDEO)
def test_a_bad_video_sequence_start_is_refused(four_cc: str) -> None:
    with pytest.raises(PeerError, match="sequence header"):
        FlvReader().video(0, ex_tags.video(V.SEQUENCE_START, four_cc, b"\x00"))


@pytest.mark.parametrize("four_cc", AUDIO)
def test_a_bad_audio_sequence_start_is_refused(four_cc: str) -> None:
    with pytest.raises(PeerError, match="sequence header"):
        FlvReader().audio(0, ex_tags.audio(A.SEQUENCE_START, four_cc, b"\xff"))


def test_a_codec_that_changes_is_a_new_config() -> None:
    flv = started("hvc1")
    (config,) = flv.video(40, ex_tags.video(V.SEQUENCE_START, "av01", AV1C))
    assert config == VideoConfig(VideoCodec.AV1, AV1C)
    assert flv.video(80, ex_tags.video(V.CODED_FRAMES_X, "hvc1", b"late")) == ()
    assert flv.video(80, flv_tags.avc_header()) == (VideoConfig(VideoCodec.H264, AVCC),)


def test_a_header_that_changes_is_a_new_config() -> None:
    flv, changed = started("avc1"), AVCC.replace(SPS, SPS[:-1] + b"\x81")
    tag = ex_tags.video(V.SEQUENCE_START, "avc1", changed)
    assert flv.video(40, tag) == (VideoConfig(VideoCodec.H264, changed),)


def test_the_same_codec_by_id_and_by_four_cc_is_one_track() -> None:
    """Some encoders send the sequence header one way and the frames the other."""
    flv = FlvReader()
    flv.video(0, flv_tags.avc_header())
    assert flv.video(0, ex_tags.video(V.SEQUENCE_START, "avc1", AVCC)) == ()
    tag = ex_tags.video(V.CODED_FRAMES_X, "avc1", b"x")
    assert flv.video(1, tag) == (VideoUnit(90, 90, True, b"x"),)


@pytest.mark.parametrize("four_cc", ["av01", "vp09", "vp08"])
def test_codecs_that_carry_their_header_may_do_without_sequence_start(four_cc: str) -> None:
    flv = FlvReader()
    inter = ex_tags.video(V.CODED_FRAMES, four_cc, b"inter", frame_type=2)
    key = ex_tags.video(V.CODED_FRAMES, four_cc, b"key")
    assert flv.video(0, inter) == ()
    unit = VideoUnit(90, 90, True, b"key")
    assert flv.video(1, key) == (VideoConfig(VIDEO[four_cc][0], b""), unit)
    assert flv.video(1, key) == (unit,)


@pytest.mark.parametrize("four_cc", NAL_UNITS)
def test_nal_units_before_their_sequence_start_are_dropped(four_cc: str) -> None:
    assert FlvReader().video(0, ex_tags.video(V.CODED_FRAMES_X, four_cc, b"x")) == ()


@pytest.mark.parametrize(
    ("nanoseconds", "ticks"),
    [(0, 0), (5_555, 0), (5_556, 1), (500_000, 45), (999_999, 90), (16_777_215, 90)],
)
def test_a_time_offset_counts_as_far_as_ticks_carry_it(nanoseconds: int, ticks: int) -> None:
    flv, modifiers = started(), (ex_tags.nano(nanoseconds),)
    tag = ex_tags.video(V.CODED_FRAMES, "hvc1", ex_tags.avc(10, b"x"), modifiers=modifiers)
    assert flv.video(100, tag) == (VideoUnit(9000 + ticks, 9900 + ticks, True, b"x"),)
    sound = ex_tags.audio(A.CODED_FRAMES, "Opus", OPUS_FRAME, modifiers=modifiers)
    assert flv.audio(100, sound)[-1] == AudioUnit(9000 + ticks, OPUS_FRAME)
    # It is of this message only.
    plain = ex_tags.video(V.CODED_FRAMES_X, "hvc1", b"x")
    assert flv.video(100, plain) == (VideoUnit(9000, 9000, True, b"x"),)


@pytest.mark.parametrize("four_cc", AUDIO)
def test_audio_sequence_start_is_a_config_once(four_cc: str) -> None:
    codec, header, extradata = AUDIO[four_cc]
    flv, tag = FlvReader(), ex_tags.audio(A.SEQUENCE_START, four_cc, header)
    assert flv.audio(0, tag) == (AudioConfig(codec, extradata, 48_000, 2),)
    assert flv.audio(900, tag) == ()
    frame = ex_tags.audio(A.CODED_FRAMES, four_cc, b"sound")
    assert flv.audio(900, frame) == (AudioUnit(81_000, b"sound"),)


@pytest.mark.parametrize("four_cc", ["mp4a", "fLaC"])
def test_audio_before_its_sequence_start_is_dropped(four_cc: str) -> None:
    assert FlvReader().audio(0, ex_tags.audio(A.CODED_FRAMES, four_cc, b"x")) == ()


@pytest.mark.parametrize("header_first", [False, True])
@pytest.mark.parametrize("four_cc", SYNC)
def test_frames_that_say_all_open_their_track(four_cc: str, header_first: bool) -> None:
    codec, frame = SYNC[four_cc]
    flv = FlvReader()
    if header_first:  # FFmpeg sends an empty one
        assert flv.audio(0, ex_tags.audio(A.SEQUENCE_START, four_cc)) == ()
    assert flv.audio(0, ex_tags.audio(A.CODED_FRAMES, four_cc, b"\x00no frame")) == ()
    tag = ex_tags.audio(A.CODED_FRAMES, four_cc, frame)
    assert flv.audio(1, tag) == (AudioConfig(codec, b"", 48_000, 2), AudioUnit(90, frame))
    assert flv.audio(1, tag) == (AudioUnit(90, frame),)


def test_opus_may_do_without_sequence_start() -> None:
    flv, tag = FlvReader(), ex_tags.audio(A.CODED_FRAMES, "Opus", OPUS_FRAME)
    config, unit = flv.audio(1, tag)
    assert isinstance(config, AudioConfig)
    assert (config.codec, config.sample_rate, config.channels) == (AudioCodec.OPUS, 48_000, 2)
    assert unit == AudioUnit(90, OPUS_FRAME)
    assert flv.audio(1, tag) == (unit,)


@pytest.mark.parametrize(
    "data", [b"\x01\x02\x00\x00\x00\x03", b"\x00\x02", b"\x02\x02\x00\x01", b""]
)
def test_where_channels_stand_and_ends_are_consumed(data: bytes) -> None:
    flv = FlvReader()
    flv.audio(0, ex_tags.audio(A.SEQUENCE_START, "Opus", OPUS_HEAD))
    assert flv.audio(0, ex_tags.audio(A.MULTICHANNEL_CONFIG, "Opus", data)) == ()
    assert flv.audio(0, ex_tags.audio(A.SEQUENCE_END, "Opus", data)) == ()
    assert flv.audio(0, ex_tags.audio(A.CODED_FRAMES, "Opus", b"x")) == (AudioUnit(0, b"x"),)


def kinds(units: tuple[Unit, ...]) -> list[type]:
    return [type(unit) for unit in units]


@pytest.mark.parametrize("layout", TWO)
def test_of_many_tracks_in_a_message_the_default_one_is_used(layout: Multitrack) -> None:
    flv = FlvReader()
    head = [(1, "hvc1", HVCC[:-1] + b"\x80"), (0, "hvc1", HVCC), (7, "hvc1", b"never read")]
    pictures = [(1, "hvc1", b"small"), (0, "hvc1", b"large")]
    start = ex_tags.video_tracks(layout, V.SEQUENCE_START, head)
    coded = ex_tags.video_tracks(layout, V.CODED_FRAMES_X, pictures)
    assert flv.video(0, start) == (VideoConfig(VideoCodec.HEVC, HVCC),)
    assert flv.video(1, coded) == (VideoUnit(90, 90, True, b"large"),)
    assert flv.video(1, start) == ()


def test_of_many_codecs_the_default_tracks_is_used_be_the_others_known_or_not() -> None:
    layout = Multitrack.MANY_TRACKS_MANY_CODECS
    tag = ex_tags.audio_tracks(
        layout, A.SEQUENCE_START, [(2, "abcd", b""), (0, "mp4a", ASC), (1, "Opus", b"")]
    )
    flv = FlvReader()
    assert flv.audio(0, tag) == (AudioConfig(AudioCodec.AAC, ASC, 48_000, 2),)
    frames = ex_tags.audio_tracks(
        layout, A.CODED_FRAMES, [(0, "mp4a", b"aac"), (1, "Opus", b"opus")]
    )
    assert flv.audio(1, frames) == (AudioUnit(90, b"aac"),)


def test_plain_messages_are_the_default_track_beside_multitrack_ones() -> None:
    """As OBS and FFmpeg send it: track 0 without multitrack, the others one by one."""
    flv = started("avc1")
    one = Multitrack.ONE_TRACK
    assert flv.video(0, ex_tags.video_tracks(one, V.SEQUENCE_START, [(1, "hvc1", HVCC)])) == ()
    assert flv.video(0, ex_tags.video_tracks(one, V.CODED_FRAMES_X, [(1, "hvc1", b"x")])) == ()
    flv.audio(0, flv_tags.aac_header())
    assert (
        flv.audio(0, ex_tags.audio_tracks(one, A.SEQUENCE_START, [(1, "mp4a", b"\x12\x10")])) == ()
    )
    assert flv.audio(0, ex_tags.audio_tracks(one, A.CODED_FRAMES, [(1, "mp4a", b"x")])) == ()
    assert flv.audio(0, flv_tags.aac_frame(b"y")) == (AudioUnit(0, b"y"),)


def test_without_a_default_track_the_lowest_that_was_heard_of_is_used() -> None:
    flv, one = FlvReader(), Multitrack.ONE_TRACK

    def start(track: int) -> tuple[Unit, ...]:
        record = HVCC + bytes((track,))
        return flv.video(0, ex_tags.video_tracks(one, V.SEQUENCE_START, [(track, "hvc1", record)]))

    def picture(track: int) -> tuple[Unit, ...]:
        return flv.video(0, ex_tags.video_tracks(one, V.CODED_FRAMES_X, [(track, "hvc1", b"x")]))

    assert kinds(start(3)) == [VideoConfig]
    assert kinds(picture(3)) == [VideoUnit]
    assert start(5) == picture(5) == ()
    assert picture(2) == ()  # its header has not come: track 3 goes on
    assert kinds(picture(3)) == [VideoUnit]
    assert kinds(start(0)) == [VideoConfig]
    assert start(3) == picture(3) == ()
    assert kinds(picture(0)) == [VideoUnit]


def test_a_single_track_of_no_known_codec_is_refused() -> None:
    tag = ex_tags.video_tracks(Multitrack.ONE_TRACK, V.SEQUENCE_START, [(1, "vvc1", b"x")])
    with pytest.raises(PeerError, match="vvc1 is not supported"):
        FlvReader().video(0, tag)


def test_hevc_by_codec_id_12() -> None:
    """Forks older than Enhanced RTMP; laid out as AVC is."""
    flv = FlvReader()
    assert flv.video(0, b"\x1c\x00\x00\x00\x00" + HVCC) == (VideoConfig(VideoCodec.HEVC, HVCC),)
    tag = b"\x2c\x01" + ex_tags.avc(20, b"x")
    assert flv.video(10, tag) == (VideoUnit(900, 2700, False, b"x"),)


@pytest.mark.parametrize("head", [0x2F, 0xEE])
def test_legacy_mp3(head: int) -> None:
    flv, tag = FlvReader(), bytes((head,)) + MP3_FRAME
    config, unit = flv.audio(1, tag)
    assert config == AudioConfig(AudioCodec.MP3, b"", 48_000, 2)
    assert flv.audio(1, tag) == (unit,) == (AudioUnit(90, MP3_FRAME),)


@pytest.mark.parametrize(
    ("head", "codec", "rate", "channels"),
    [
        (0x72, AudioCodec.PCM_ALAW, 8_000, 1),
        (0x83, AudioCodec.PCM_MULAW, 8_000, 2),
        (0x3F, AudioCodec.PCM_S16LE, 44_100, 2),
        (0x3A, AudioCodec.PCM_S16LE, 22_050, 1),
        (0x32, AudioCodec.PCM_S16LE, 5_512, 1),
    ],
)
def test_legacy_plain_sound(head: int, codec: AudioCodec, rate: int, channels: int) -> None:
    flv, tag = FlvReader(), bytes((head,)) + b"sound"
    unit = AudioUnit(90, b"sound")
    assert flv.audio(1, tag) == (AudioConfig(codec, b"", rate, channels), unit)
    assert flv.audio(1, tag) == (unit,)
    assert flv.audio(1, bytes((head,))) == ()


def test_time_unwraps_over_legacy_and_enhanced_tags() -> None:
    flv = started()
    before = flv.video(0xFFFFFFF0, ex_tags.video(V.CODED_FRAMES_X, "hvc1", b"x"))
    after = flv.audio(0x10, b"\x2f" + MP3_FRAME)
    assert isinstance(before[0], VideoUnit)
    assert isinstance(after[1], AudioUnit)
    assert after[1].pts - before[0].dts == 0x20 * 90


TAGS = st.one_of(
    st.binary(max_size=64),
    st.builds(
        lambda head, four_cc, data: bytes((head,)) + four_cc + data,
        st.sampled_from(range(0x80, 0x100)),
        st.sampled_from([name.encode() for name in (*VIDEO, *AUDIO, *SYNC)]),
        st.one_of(st.binary(max_size=40), st.sampled_from([HVCC, AV1C, AVCC, OPUS_HEAD])),
    ),
)


@given(st.lists(st.tuples(TAGS, st.integers(0, 2**32 - 1), st.booleans()), max_size=6))
def test_random_tags_raise_only_peer_error(said: list[tuple[bytes, int, bool]]) -> None:
    flv = FlvReader()
    for tag, timestamp, picture in said:
        with suppress(PeerError):
            for unit in (flv.video if picture else flv.audio)(timestamp, tag):
                assert not isinstance(unit, VideoUnit | AudioUnit) or unit.data
