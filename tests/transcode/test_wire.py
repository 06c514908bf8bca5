"""The pipe's framing: whole, byte by byte, damaged."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.unit import (
    AudioCodec,
    AudioConfig,
    AudioUnit,
    StreamInfo,
    VideoCodec,
    VideoConfig,
    VideoUnit,
)
from overlay.scene import Card, Corner, Money, Motion, Rect, Scene
from transcode.errors import WireError
from transcode.ladder import DEFAULT, Profile, Rung
from transcode.part import Epoch, Part, Track
from transcode.wire import (
    MAX_MESSAGE,
    Close,
    Closed,
    Decoder,
    Feed,
    Health,
    Interrupt,
    Message,
    Open,
    Show,
    Shown,
    Splice,
    Tick,
    encode,
)

CARD = Card(
    "p1", "手作りの陶器 “Vase”", Money(1_980, "JPY"), Money(2_480, "JPY"), b"\x00\xff\x89", 2
)
PLAIN = Card("p2", "", Money(-1, "KWD"))
MESSAGES: list[Message] = [
    Open(DEFAULT, 1_700_000_000_123),
    Open(
        Profile(
            "own",
            (Rung(540, 900_000),),
            Fraction(1, 4),
            Fraction(3, 2),
            "libx264",
            "faster",
            (("tune", "film"),),
            96_000,
            Fraction(30000, 1001),
        ),
        -5,
    ),
    Feed(StreamInfo("obs", 1920, 1080, Fraction(30000, 1001), 6_000_000, 160_000), 1),
    Feed(StreamInfo(), 2),
    Feed(VideoConfig(VideoCodec.H264, b"\x01\x64\x00"), 3),
    Feed(AudioConfig(AudioCodec.AAC, b"\x11\x90", 48_000, 2), 4),
    Feed(VideoUnit(-90, 2**40, True, b"\x00" * 3_000), 5),
    Feed(VideoUnit(1, 2, False, b""), 6),
    Feed(AudioUnit(-(2**40), b"sound"), 7),
    Show(Scene("s1", (CARD, PLAIN), "ar", Corner.TOP_LEFT, Motion.SLIDE), 8),
    Show(Scene("s2"), 9),
    Splice(),
    Interrupt(slate=True, title="Käse & Brot", width=1080, height=1920),
    Interrupt(slate=False, title=""),
    Tick(1_700_000_000_123),
    Close(),
    Epoch(
        2,
        -9,
        10,
        31_950,
        180_480,
        (
            Track("720p", "avc1.64001f,mp4a.40.2", 4_000_000, 1280, 720, Fraction(30), b"ftyp"),
            Track("audio", "mp4a.40.2", 176_000),
        ),
    ),
    Part(2, "720p", 7, 5, 2**41, 30_000, True, False, b"moof" * 999),
    Part(0, "", 0, 0, 0, 1, False, True, b""),
    Shown("s1", 11, (("p1", Rect(0.05, 0.5, 1.0, 0.25)),), ("no picture",)),
    Health(width=1920, fps=29.97, video="High 4.1", b_frames=True, keyframe_interval=2.0),
    Closed("the decoder gave up"),
]
STREAM = b"".join(encode(message) for message in MESSAGES)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_every_message_comes_back_the_same(message: Message) -> None:
    assert Decoder().feed(encode(message)) == [message]


def test_a_whole_stream_at_once() -> None:
    assert Decoder().feed(STREAM) == MESSAGES


def test_a_stream_byte_by_byte() -> None:
    decoder = Decoder()
    found = [
        message for byte in range(len(STREAM)) for message in decoder.feed(STREAM[byte : byte + 1])
    ]
    assert found == MESSAGES


@given(cuts=st.lists(st.integers(min_value=0, max_value=len(STREAM)), max_size=12))
def test_a_stream_in_any_pieces(cuts: list[int]) -> None:
    decoder = Decoder()
    edges = [0, *sorted(cuts), len(STREAM)]
    found = [
        message for begin, end in pairwise(edges) for message in decoder.feed(STREAM[begin:end])
    ]
    assert found == MESSAGES


def test_bytes_of_the_next_message_are_kept() -> None:
    decoder = Decoder()
    first, second = encode(Closed("a")), encode(Closed("b"))
    assert decoder.feed(first + second[:3]) == [Closed("a")]
    assert decoder.feed(second[3:]) == [Closed("b")]


@given(at=st.integers(min_value=0, max_value=len(STREAM) - 1), value=st.integers(0, 255))
def test_a_damaged_byte_is_another_message_or_a_wire_error(at: int, value: int) -> None:
    damaged = bytearray(STREAM)
    damaged[at] = value
    with suppress(WireError):
        Decoder().feed(bytes(damaged))


@given(noise=st.binary(max_size=200), kind=st.integers(0, 255))
def test_noise_in_a_frame_is_refused_and_nothing_else(noise: bytes, kind: int) -> None:
    with suppress(WireError):
        Decoder().feed(len(noise).to_bytes(4, "big") + bytes((kind,)) + noise)


@pytest.mark.parametrize(
    "broken",
    [
        (MAX_MESSAGE + 1).to_bytes(4, "big") + b"\x11",
        b"\x00\x00\x00\x00\xff",
        b"\x00\x00\x00\x02\x11ab",
        b"\x00\x00\x00\x02\x01ab",
        b"\x00\x00\x00\x08\x01" + b"\x00\x00\x00\x04null",
        b"\x00\x00\x00\x09\x14" + b"\x00\x00\x00\x05[NaN]",
        b"\x00\x00\x00\x09\x14" + b"\x00\x00\x00\x04" + b'[""]' + b"x",
    ],
)
def test_broken_frames(broken: bytes) -> None:
    decoder = Decoder()
    with pytest.raises(WireError):
        decoder.feed(broken)
    with pytest.raises(WireError, match="broken"):
        decoder.feed(encode(Close()))


def test_a_size_over_the_cap_is_refused_before_it_is_held() -> None:
    decoder = Decoder(max_message=100)
    with pytest.raises(WireError, match="cap"):
        decoder.feed((101).to_bytes(4, "big") + b"\x11")


def test_what_is_too_large_is_not_written() -> None:
    with pytest.raises(WireError, match="too large"):
        encode(Feed(VideoUnit(0, 0, True, bytes(MAX_MESSAGE)), 0))
    with pytest.raises(WireError):
        encode(Feed(VideoUnit(2**70, 0, True, b""), 0))
    with pytest.raises(WireError):
        encode(Part(-1, "720p", 0, 0, 0, 1, True, False, b""))


def test_a_profile_out_of_bounds_does_not_get_through() -> None:
    good = encode(Open(DEFAULT, 0))
    with pytest.raises(WireError, match="audio_bitrate"):
        Decoder().feed(good.replace(b"128000", b"900000"))
