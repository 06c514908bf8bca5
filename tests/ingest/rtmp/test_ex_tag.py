"""Enhanced RTMP's tag headers, byte by byte."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import PeerError
from ingest.rtmp.ex_tag import (
    AudioPacketType,
    Multitrack,
    Packet,
    VideoPacketType,
    read_ex_audio,
    read_ex_video,
)
from tests.helpers import ex_tags

VIDEO_TYPES = [
    t for t in VideoPacketType if t not in {VideoPacketType.MULTITRACK, VideoPacketType.MOD_EX}
]
AUDIO_TYPES = [
    t for t in AudioPacketType if t not in {AudioPacketType.MULTITRACK, AudioPacketType.MOD_EX}
]
FOUR_CC = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=4, max_size=4)
MODIFIERS = st.lists(
    st.builds(ex_tags.mod_ex, st.binary(min_size=1, max_size=300), st.integers(1, 15)), max_size=3
).map(tuple)
MANY = [Multitrack.MANY_TRACKS, Multitrack.MANY_TRACKS_MANY_CODECS]


def test_the_wire_is_as_ffmpeg_writes_it() -> None:
    """Libavformat 62.12: HEVC's header, an inter picture, and track 1 of two."""
    start = read_ex_video(bytes.fromhex("90687663310101"))
    assert start.packet_type is VideoPacketType.SEQUENCE_START
    assert start.packets == (Packet(0, "hvc1", b"\x01\x01"),)
    inter = read_ex_video(bytes.fromhex("a36876633100000018"))
    assert (inter.packet_type, inter.frame_type) == (VideoPacketType.CODED_FRAMES_X, 2)
    second = read_ex_video(bytes.fromhex("a60161766331010000a60102"))
    assert second.packet_type is VideoPacketType.CODED_FRAMES
    assert second.packets == (Packet(1, "avc1", b"\x00\x00\xa6\x01\x02"),)


@given(st.sampled_from(VIDEO_TYPES), st.integers(1, 4), FOUR_CC, st.binary(), MODIFIERS)
def test_video_round_trips(
    kind: VideoPacketType,
    frame_type: int,
    four_cc: str,
    data: bytes,
    modifiers: tuple[tuple[bytes, int], ...],
) -> None:
    tag = ex_tags.video(kind, four_cc, data, frame_type=frame_type, modifiers=modifiers)
    read = read_ex_video(tag)
    assert (read.packet_type, read.frame_type, read.nanoseconds) == (kind, frame_type, 0)
    assert read.packets == (Packet(0, four_cc, data),)


@given(st.sampled_from(AUDIO_TYPES), FOUR_CC, st.binary(), st.integers(0, 999_999))
def test_audio_round_trips(
    kind: AudioPacketType, four_cc: str, data: bytes, nanoseconds: int
) -> None:
    read = read_ex_audio(ex_tags.audio(kind, four_cc, data, modifiers=(ex_tags.nano(nanoseconds),)))
    assert (read.packet_type, read.nanoseconds) == (kind, nanoseconds)
    assert read.packets == (Packet(0, four_cc, data),)


@given(
    st.sampled_from(MANY),
    st.dictionaries(st.integers(0, 255), st.tuples(FOUR_CC, st.binary(max_size=40)), min_size=1),
)
def test_many_tracks_round_trip_in_order_of_their_numbers(
    layout: Multitrack, said: dict[int, tuple[str, bytes]]
) -> None:
    shared = next(iter(said.values()))[0]
    tracks = [
        (number, shared if layout == Multitrack.MANY_TRACKS else four_cc, data)
        for number, (four_cc, data) in said.items()
    ]
    expected = tuple(Packet(*track) for track in sorted(tracks))
    video = read_ex_video(ex_tags.video_tracks(layout, VideoPacketType.CODED_FRAMES, tracks))
    assert (video.packet_type, video.packets) == (VideoPacketType.CODED_FRAMES, expected)
    audio = read_ex_audio(ex_tags.audio_tracks(layout, AudioPacketType.CODED_FRAMES, tracks))
    assert (audio.packet_type, audio.packets) == (AudioPacketType.CODED_FRAMES, expected)


def test_one_track_takes_the_rest_of_the_message() -> None:
    tag = ex_tags.audio_tracks(
        Multitrack.ONE_TRACK, AudioPacketType.CODED_FRAMES, [(7, "Opus", b"xyz")]
    )
    assert read_ex_audio(tag).packets == (Packet(7, "Opus", b"xyz"),)


@pytest.mark.parametrize("layout", MANY)
def test_every_cut_inside_a_track_is_refused(layout: Multitrack) -> None:
    tracks = [(0, "avc1", b"abc"), (1, "avc1", b"defg")]
    tag = ex_tags.video_tracks(layout, VideoPacketType.CODED_FRAMES, tracks)
    first = ex_tags.video_tracks(layout, VideoPacketType.CODED_FRAMES, tracks[:1])
    empty = 2 if layout == Multitrack.MANY_TRACKS_MANY_CODECS else 6
    for size in range(len(tag)):
        if size in {empty, len(first)}:
            assert len(read_ex_video(tag[:size]).packets) == (size == len(first))
        else:
            with pytest.raises(PeerError, match="ends inside"):
                read_ex_video(tag[:size])
    with pytest.raises(PeerError, match="ends inside"):
        read_ex_video(tag + b"\x02")


def test_every_cut_inside_a_header_is_refused() -> None:
    modifiers = (ex_tags.mod_ex(bytes(300), 9), ex_tags.nano(1))
    tag = ex_tags.video(VideoPacketType.CODED_FRAMES_X, "hvc1", b"", modifiers=modifiers)
    assert read_ex_video(tag).nanoseconds == 1
    for size in range(len(tag)):
        with pytest.raises(PeerError, match="ends inside"):
            read_ex_video(tag[:size])


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 65_536])
def test_a_modifier_has_any_size_that_can_be_said(size: int) -> None:
    tag = ex_tags.audio(1, "Opus", b"x", modifiers=(ex_tags.mod_ex(bytes(size), 3),))
    assert read_ex_audio(tag).packets == (Packet(0, "Opus", b"x"),)


def test_modifiers_are_bounded() -> None:
    """Else one message could hold millions, at three bytes each."""
    assert read_ex_audio(ex_tags.audio(1, "Opus", modifiers=(ex_tags.nano(7),) * 16)).packets
    for many in (17, 100_000):
        tag = ex_tags.audio(1, "Opus", modifiers=(ex_tags.mod_ex(b"x", 5),) * many)
        with pytest.raises(PeerError, match="too many modifiers"):
            read_ex_audio(tag)


def test_tracks_are_bounded() -> None:
    tracks = [(number, "avc1", b"") for number in range(256)]
    tag = ex_tags.video_tracks(Multitrack.MANY_TRACKS, 1, tracks)
    assert len(read_ex_video(tag).packets) == 256
    for more in (b"\x00\x00\x00\x00", bytes(4_000_000)):
        with pytest.raises(PeerError, match="too many tracks"):
            read_ex_video(tag + more)


def test_a_time_offset_of_two_bytes_is_refused() -> None:
    with pytest.raises(PeerError, match="time offset"):
        read_ex_audio(ex_tags.audio(1, "Opus", b"x", modifiers=(ex_tags.mod_ex(b"ab"),)))


def test_a_modifier_may_stand_before_multitrack() -> None:
    plain = ex_tags.video_tracks(Multitrack.ONE_TRACK, 1, [(3, "av01", b"obu")])
    sized, kind = ex_tags.nano(500_000)
    tag = bytes((0x90 | VideoPacketType.MOD_EX,)) + sized + bytes((kind << 4 | 6,)) + plain[1:]
    read = read_ex_video(tag)
    assert (read.nanoseconds, read.packets) == (500_000, (Packet(3, "av01", b"obu"),))


def test_commands_to_seek_have_no_packets() -> None:
    assert read_ex_video(b"\xd0\x00").packets == ()
    assert read_ex_video(b"\xd1\x01").packets == ()


def test_metadata_is_metadata_even_with_the_frame_type_of_a_command() -> None:
    read = read_ex_video(ex_tags.video(4, "hvc1", ex_tags.COLOUR, frame_type=5))
    assert (read.packet_type, read.packets[0].data) == (VideoPacketType.METADATA, ex_tags.COLOUR)


@pytest.mark.parametrize("kind", range(8, 16))
def test_a_video_packet_type_that_is_not_known_is_refused_with_advice(kind: int) -> None:
    with pytest.raises(PeerError, match=rf"video packet type {kind} .*set the encoder to H\.264"):
        read_ex_video(ex_tags.video(kind, "hvc1"))


@pytest.mark.parametrize("kind", [3, 6, *range(8, 16)])
def test_an_audio_packet_type_that_is_not_known_is_refused_with_advice(kind: int) -> None:
    with pytest.raises(PeerError, match=rf"audio packet type {kind} .*set the encoder to H\.264"):
        read_ex_audio(ex_tags.audio(kind, "Opus"))


@pytest.mark.parametrize("second", [0x30, 0xF1, 0x06])
def test_multitrack_that_is_not_known_is_refused_with_advice(second: int) -> None:
    with pytest.raises(PeerError, match="switch multitrack off"):
        read_ex_video(bytes((0x96, second)) + b"avc1\x00")


@given(st.binary(max_size=80))
def test_random_tags_raise_only_peer_error(tag: bytes) -> None:
    for read in (read_ex_video, read_ex_audio):
        with suppress(PeerError):
            read(tag)


@given(st.binary(max_size=40), st.sampled_from([0x90, 0x95, 0x96, 0x97, 0xA6, 0xD4]))
def test_random_headers_raise_only_peer_error(rest: bytes, first: int) -> None:
    for read in (read_ex_video, read_ex_audio):
        with suppress(PeerError):
            read(bytes((first,)) + rest)
