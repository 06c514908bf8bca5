from __future__ import annotations

import pytest

from ingest.unit import AudioCodec, AudioConfig, VideoCodec, VideoConfig, VideoUnit
from server.live.echo import Echo
from server.whep.errors import OffAir, Unfit
from server.whep.sample import LEAP, STEP, Line, check, has_sound, hurried, profile, sample
from transcode.errors import BitstreamError
from transcode.nal import avcc, split_annexb

SPS, PPS = b"\x67\x64\x00\x1f\xac", b"\x68\xee\x3c\x80"
AVC = VideoConfig(VideoCodec.H264, avcc((SPS,), (PPS,)))
BARE = VideoConfig(VideoCodec.H264, b"")
IDR, SLICE, SEI, AUD = b"\x65\x88\x84", b"\x41\x9a\x01", b"\x06\x05\x01", b"\x09\xf0"


def lengths(*nals: bytes) -> bytes:
    return b"".join(len(nal).to_bytes(4, "big") + nal for nal in nals)


def stream(*nals: bytes) -> bytes:
    return b"".join(b"\x00\x00\x00\x01" + nal for nal in nals)


@pytest.mark.parametrize(
    ("config", "data", "key", "nals"),
    [
        pytest.param(AVC, lengths(AUD, SEI, IDR), True, [SPS, PPS, IDR], id="sets-from-avcc"),
        pytest.param(AVC, lengths(SPS, PPS, IDR), True, [SPS, PPS, IDR], id="sets-in-band"),
        pytest.param(AVC, lengths(SLICE, SLICE), False, [SLICE, SLICE], id="slices"),
        pytest.param(AVC, lengths(b"", SLICE), False, [SLICE], id="an-empty-one"),
        pytest.param(BARE, stream(SPS, PPS, IDR), True, [SPS, PPS, IDR], id="byte-stream"),
        pytest.param(BARE, stream(AUD, SLICE), False, [SLICE], id="byte-stream-slice"),
        pytest.param(
            VideoConfig(VideoCodec.H264, stream(SPS, PPS)), stream(IDR), True, [SPS, PPS, IDR],
            id="sets-as-byte-stream",
        ),
    ],
)  # fmt: skip
def test_h264_becomes_a_byte_stream_with_its_sets(
    config: VideoConfig, data: bytes, key: bool, nals: list[bytes]
) -> None:
    assert list(split_annexb(sample(config, VideoUnit(0, 0, key, data)))) == nals


@pytest.mark.parametrize("data", [b"", lengths(AUD), b"\x00\x00\x00\xff" + IDR])
def test_what_holds_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(BitstreamError):
        sample(AVC, VideoUnit(0, 0, True, data))


def test_vp8_is_passed_on_as_it_is() -> None:
    config = VideoConfig(VideoCodec.VP8, b"")
    assert sample(config, VideoUnit(0, 0, True, b"frame")) == b"frame"


def test_what_cannot_be_shown_is_told() -> None:
    for echo in (None, Echo()):
        with pytest.raises(OffAir):
            check(echo)
    echo = Echo()
    echo.saw(AVC)
    assert check(echo) is AVC
    for number, shown in ((1, 1), (2, 4), (3, 2)):
        echo.saw(VideoUnit(number, shown, number == 1, b""))
    with pytest.raises(Unfit, match="B frames") as refused:
        check(echo)
    assert refused.value.code == "b-frames"
    echo.saw(VideoConfig(VideoCodec.HEVC, b""))
    with pytest.raises(Unfit, match=r"HEVC.*H\.264 or VP8"):
        check(echo)
    echo.close("gone")
    with pytest.raises(OffAir):
        check(echo)


def test_only_opus_goes_along() -> None:
    assert has_sound(AudioConfig(AudioCodec.OPUS, b"", 48_000, 2))
    assert not has_sound(AudioConfig(AudioCodec.AAC, b"", 48_000, 2))
    assert not has_sound(None)


def test_the_profile_is_read_where_it_is_told() -> None:
    assert profile(AVC) == 0x64
    assert profile(BARE) is None
    assert profile(VideoConfig(VideoCodec.H264, stream(SPS))) is None


def test_a_leap_of_the_publishers_clock_is_none_for_viewers() -> None:
    line = Line()
    assert [line.at(pts) for pts in (1_000, 4_000, 3_500)] == [1_000, 4_000, 3_500]
    assert line.at(4_000 + 2 * LEAP) == 4_000
    assert line.at(7_000 + 2 * LEAP) == 7_000, "both tracks go on with the new clock"
    assert line.at(100) == 7_000
    assert line.at(3_100) == 10_000


def test_what_is_sent_in_a_hurry_ends_now_and_never_goes_back() -> None:
    assert hurried(3, 1_000, None) == [1_000 - 2 * STEP, 1_000 - STEP, 1_000]
    stamps = hurried(50, 1_000, 990)
    assert stamps[0] == 990 + STEP
    assert stamps == sorted(set(stamps))
    assert hurried(1, 1_000, None) == [1_000]
