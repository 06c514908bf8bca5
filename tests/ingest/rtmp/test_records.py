"""The records that open a decoder: whole, cut, wrong, random."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import PeerError
from ingest.rtmp.av1c import check_av1c
from ingest.rtmp.avcc import check_avcc
from ingest.rtmp.hvcc import check_hvcc
from ingest.rtmp.opus_head import assume_opus, parse_opus_head
from ingest.rtmp.stream_info import parse_stream_info
from ingest.rtmp.sync_frame import begin_ac3, begin_mp3
from ingest.rtmp.vpcc import check_vpcc
from ingest.unit import AudioCodec, AudioConfig
from tests.helpers.ex_tags import (
    AC3_FRAME,
    AV1C,
    EAC3_FRAME,
    HVCC,
    MP3_FRAME,
    OPUS_FRAME,
    OPUS_HEAD,
    STREAM_INFO,
    VPCC,
)
from tests.helpers.flv_tags import AVCC

CHECKS: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "avcC": (check_avcc, AVCC),
    "hvcC": (check_hvcc, HVCC),
    "av1C": (check_av1c, AV1C),
    "vpcC": (check_vpcc, VPCC),
    "OpusHead": (parse_opus_head, OPUS_HEAD),
    "STREAMINFO": (parse_stream_info, STREAM_INFO),
}
ALSO_WHOLE = {"av1C": 4, "OpusHead": 0}
"""Cuts that are whole records too: no OBU yet, no header at all."""


@pytest.mark.parametrize("name", CHECKS)
def test_a_record_is_whole_or_refused(name: str) -> None:
    check, record = CHECKS[name]
    check(record)
    for size in range(len(record)):
        if size == ALSO_WHOLE.get(name):
            check(record[:size])
        else:
            with pytest.raises(PeerError, match="sequence header"):
                check(record[:size])


@pytest.mark.parametrize("name", sorted(CHECKS.keys() - {"av1C"}))
def test_bytes_after_a_record_are_let_be(name: str) -> None:
    check, record = CHECKS[name]
    check(record + b"\x00\x01\x02")


@pytest.mark.parametrize("name", CHECKS)
@given(data=st.binary(max_size=80), at=st.integers(0, 200), value=st.integers(0, 255))
def test_random_records_raise_only_peer_error(name: str, data: bytes, at: int, value: int) -> None:
    check, record = CHECKS[name]
    wrong = bytearray(record)
    wrong[at % len(wrong)] = value
    for tried in (data, record[: at % len(record)] + data, bytes(wrong)):
        with suppress(PeerError):
            check(tried)


SPS_ARRAY = HVCC[HVCC.index(b"\x21\x00\x01") : HVCC.index(b"\x22\x00\x01")]


@pytest.mark.parametrize(
    ("hvcc", "reason"),
    [
        (b"\x00\x00\x00\x01\x40\x01" + bytes(20), "Annex B"),
        (HVCC[:21] + b"\x0e" + HVCC[22:], "3 bytes"),
        (HVCC[:22] + b"\x00" + HVCC[23:], "no VPS"),
        (HVCC[:22] + b"\x02" + HVCC[23:], "no PPS"),
        (HVCC.replace(SPS_ARRAY, b"\x21\x00\x00"), "no SPS"),
        (HVCC.replace(b"\x21\x00\x01", b"\x22\x00\x01", 1), "type 33 where PPS belongs"),
        (HVCC[:22] + b"\x04" + HVCC[23:], "array of NAL units is cut short"),
        (HVCC[:26] + b"\x00\x01" + HVCC[28:], "VPS runs past its end"),
    ],
)
def test_hvcc_faults_have_names(hvcc: bytes, reason: str) -> None:
    with pytest.raises(PeerError, match=reason):
        check_hvcc(hvcc)


def test_hvcc_may_hold_other_nal_units() -> None:
    sei = b"\x27\x00\x01\x00\x03\x4e\x01\x05"
    check_hvcc(HVCC[:22] + b"\x04" + HVCC[23:] + sei)


@pytest.mark.parametrize(
    ("av1c", "reason"),
    [
        (b"\x01" + AV1C[1:], "0x01"),
        (AV1C[:1] + b"\xe0" + AV1C[2:], "profile 7"),
        (AV1C[:4] + b"\x08" + AV1C[5:], "without its size"),
        (AV1C[:4] + b"\x8a" + AV1C[5:], "without its size"),
        (AV1C[:5] + b"\x0c" + AV1C[6:], "past its end"),
        (AV1C[:5] + b"\xff" * 8, "too long"),
    ],
)
def test_av1c_faults_have_names(av1c: bytes, reason: str) -> None:
    with pytest.raises(PeerError, match=reason):
        check_av1c(av1c)


def test_vpcc_comes_with_its_boxs_version_or_without() -> None:
    check_vpcc(VPCC[4:])
    with pytest.raises(PeerError, match="profile 4"):
        check_vpcc(b"\x04" + VPCC[5:])
    with pytest.raises(PeerError, match="initialization data"):
        check_vpcc(VPCC[:-1] + b"\x01")


def test_opus_head() -> None:
    assert parse_opus_head(OPUS_HEAD) == AudioConfig(AudioCodec.OPUS, OPUS_HEAD, 48_000, 2)
    surround = OPUS_HEAD[:9] + b"\x06" + OPUS_HEAD[10:18] + b"\x01\x04\x02\x00\x04\x01\x02\x03\x05"
    assert parse_opus_head(surround).channels == 6
    for missing in range(1, 9):
        with pytest.raises(PeerError, match="mapping"):
            parse_opus_head(surround[:-missing])


def test_opus_without_a_header_is_stereo_and_gets_one() -> None:
    config = assume_opus(OPUS_FRAME)
    assert config == parse_opus_head(b"")
    assert (config.sample_rate, config.channels) == (48_000, 2)
    assert parse_opus_head(config.extradata) == config


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b"OpusTags" + OPUS_HEAD[8:], "not an OpusHead"),
        (OPUS_HEAD[:8] + b"\x10" + OPUS_HEAD[9:], "version 16"),
        (OPUS_HEAD[:9] + b"\x00" + OPUS_HEAD[10:], "0 channels"),
        (OPUS_HEAD[:9] + b"\x03" + OPUS_HEAD[10:], "3 channels"),
        (OPUS_HEAD[:18] + b"\x01\x00\x00\x00\x00", "0 coupled of 0"),
        (OPUS_HEAD[:18] + b"\x01\x01\x02\x00\x01", "2 coupled of 1"),
        (OPUS_HEAD[:18] + b"\x01\x01\x01\x00\x02", "not there"),
    ],
)
def test_opus_head_faults_have_names(head: bytes, reason: str) -> None:
    with pytest.raises(PeerError, match=reason):
        parse_opus_head(head)


def test_stream_info_comes_bare_or_behind_its_mark() -> None:
    config = AudioConfig(AudioCodec.FLAC, STREAM_INFO, 48_000, 2)
    assert parse_stream_info(STREAM_INFO) == config
    assert parse_stream_info(b"fLaC\x80\x00\x00\x22" + STREAM_INFO) == config
    with pytest.raises(PeerError, match="not STREAMINFO"):
        parse_stream_info(b"fLaC\x84\x00\x00\x22" + STREAM_INFO)
    with pytest.raises(PeerError, match="sample rate"):
        parse_stream_info(STREAM_INFO[:10] + bytes(24))


@pytest.mark.parametrize(
    ("head", "codec", "rate", "channels"),
    [
        (AC3_FRAME.hex(), AudioCodec.AC3, 48_000, 2),
        ("0b7700005c40e1", AudioCodec.AC3, 44_100, 6),  # acmod 7, lfe
        ("0b7700001c4020", AudioCodec.AC3, 48_000, 1),
        ("0b7700001c4030", AudioCodec.AC3, 48_000, 2),  # acmod 1, lfe
        ("0b7700001c4044", AudioCodec.AC3, 48_000, 3),  # acmod 2, lfe behind Dolby Surround
        (EAC3_FRAME.hex(), AudioCodec.EAC3, 48_000, 2),
        ("0b7700ff3f8000", AudioCodec.EAC3, 48_000, 6),
        ("0b7700ffe48000", AudioCodec.EAC3, 16_000, 2),  # half of 32 kHz
    ],
)
def test_ac3_frames_tell_rate_and_channels(
    head: str, codec: AudioCodec, rate: int, channels: int
) -> None:
    assert begin_ac3(bytes.fromhex(head)) == AudioConfig(codec, b"", rate, channels)


@pytest.mark.parametrize(
    ("head", "rate", "channels"),
    [
        (MP3_FRAME.hex(), 48_000, 2),
        ("fffb90c4", 44_100, 1),
        ("fff39044", 22_050, 2),  # MPEG-2
        ("ffe39044", 11_025, 2),  # MPEG-2.5
    ],
)
def test_mp3_frames_tell_rate_and_channels(head: str, rate: int, channels: int) -> None:
    config = AudioConfig(AudioCodec.MP3, b"", rate, channels)
    assert begin_mp3(bytes.fromhex(head)) == config


@pytest.mark.parametrize(
    "head", ["", "fffb94", "494433040000", "fffd9064", "fffbf064", "fffb9c64", "ffeb9064"]
)
def test_what_is_no_mp3_frame_opens_nothing(head: str) -> None:
    assert begin_mp3(bytes.fromhex(head)) is None


@pytest.mark.parametrize(
    "head",
    ["", "0b7750521440", "770b5052144043", "0b77505ad44043", "0b77ff3ff48000", "0b7700ff3f8800"],
)
def test_what_is_no_ac3_frame_opens_nothing(head: str) -> None:
    assert begin_ac3(bytes.fromhex(head)) is None


@given(st.binary(max_size=16))
def test_random_frames_raise_nothing(frame: bytes) -> None:
    begin_mp3(b"\xff\xfb" + frame)
    begin_mp3(frame)
    begin_ac3(b"\x0b\x77" + frame)
