"""NAL units in both forms, and avcC."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.unit import VideoConfig, VideoUnit
from tests.helpers.annexb import annexb
from tests.helpers.clips import Clip, units
from transcode.errors import BitstreamError
from transcode.nal import (
    avcc,
    avcc_from_annexb,
    avcc_sample,
    codecs,
    parse_avcc,
    split_annexb,
    split_avcc,
)

SPS = bytes.fromhex("67640028acd940780227e5c044000003000400000300f03c60c658")
PPS = bytes.fromhex("68ebe3cb22c0")
SLICE = st.binary(min_size=1, max_size=40).map(
    # No start code inside and no zero at the end: emulation prevention sees to that.
    lambda tail: b"\x41" + tail.replace(b"\x00", b"\x01")
)


@given(nals=st.lists(SLICE, min_size=1, max_size=5), longs=st.lists(st.booleans(), min_size=5))
def test_annexb_and_lengths_are_two_forms_of_one_thing(
    nals: list[bytes], longs: list[bool]
) -> None:
    stream = b"".join(
        (b"\x00\x00\x00\x01" if long else b"\x00\x00\x01") + nal
        for nal, long in zip(nals, longs, strict=False)
    )
    nals = nals[: len(longs)]
    assert list(split_annexb(stream)) == nals
    sample = avcc_sample(stream)
    assert list(split_avcc(sample)) == nals
    assert list(split_annexb(annexb(sample))) == nals


def test_zeros_after_a_nal_unit_are_not_part_of_it() -> None:
    stream = b"\x00\x00\x00\x01\x65\x88\x00\x00\x00\x00\x01\x41\x9a\x00\x00"
    assert list(split_annexb(stream)) == [b"\x65\x88", b"\x41\x9a"]


def test_a_sample_holds_no_parameter_sets_delimiters_or_filler() -> None:
    stream = b"".join(
        b"\x00\x00\x01" + nal
        for nal in (b"\x09\xf0", SPS, PPS, b"\x06\x05", b"\x65\x88", b"\x0c\xff")
    )
    assert list(split_avcc(avcc_sample(stream))) == [b"\x06\x05", b"\x65\x88"]


@pytest.mark.parametrize("stream", [b"", b"\x01\x02\x03", b"\x00\x00\x01\x09\xf0"])
def test_an_access_unit_without_a_picture_is_refused(stream: bytes) -> None:
    with pytest.raises(BitstreamError):
        avcc_sample(stream)


@pytest.mark.parametrize("size", [1, 2, 4])
def test_lengths_of_every_size(size: int) -> None:
    sample = b"".join(
        len(nal).to_bytes(size, "big") + nal for nal in (b"\x65\x88", b"\x41\x9a\x02")
    )
    assert list(split_avcc(sample, size)) == [b"\x65\x88", b"\x41\x9a\x02"]
    for cut in range(1, len(sample)):
        if cut != size + 2:
            with pytest.raises(BitstreamError):
                list(split_avcc(sample[:cut], size))


def test_avcc_round_trip() -> None:
    record = avcc_from_annexb(b"\x00\x00\x00\x01" + SPS + b"\x00\x00\x01" + PPS)
    config = parse_avcc(record)
    assert (config.length_size, config.sps, config.pps) == (4, (SPS,), (PPS,))
    assert codecs(record) == "avc1.640028"
    assert record.endswith(b"\xfd\xf8\xf8\x00"), "High profile tells its chroma format"
    assert not avcc((b"\x67\x42\xc0\x1e",), (PPS,)).endswith(b"\xfd\xf8\xf8\x00")


def test_avcc_cut_short_is_refused_and_trailing_bytes_are_not() -> None:
    record = avcc((SPS,), (PPS,))
    whole = len(record) - 4
    for cut in range(whole):
        with pytest.raises(BitstreamError):
            parse_avcc(record[:cut])
    assert parse_avcc(record + b"more").pps == (PPS,)


@pytest.mark.parametrize("extradata", [b"", b"\x00\x00\x01" + SPS, b"\x00\x00\x01" + PPS])
def test_headers_that_lack_a_parameter_set_are_refused(extradata: bytes) -> None:
    with pytest.raises(BitstreamError):
        avcc_from_annexb(extradata)


def test_what_a_real_encoder_makes() -> None:
    made = units(Clip(seconds=0.5, audio=False))
    config = next(unit for unit in made if isinstance(unit, VideoConfig))
    parsed = parse_avcc(config.extradata)
    assert avcc(parsed.sps, parsed.pps) == config.extradata[: len(avcc(parsed.sps, parsed.pps))]
    for unit in made:
        if isinstance(unit, VideoUnit):
            kinds = {nal[0] & 0x1F for nal in split_avcc(unit.data, parsed.length_size)}
            assert (5 in kinds) == unit.keyframe
            again = avcc_sample(annexb(unit.data, parsed.length_size))
            assert {nal[0] & 0x1F for nal in split_avcc(again)} <= kinds
