"""What the parsers of the worker's side promise of any bytes: their own errors, nothing else."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from overlay.scene import Card, Money, Scene
from tests.helpers import flv_tags
from tests.ingest.rtmp.test_parsers import damaged
from transcode import nal
from transcode.errors import BitstreamError, WireError
from transcode.ladder import DEFAULT
from transcode.message import Health, Open, Show
from transcode.plain import dump, load
from transcode.sps import parse_sps

OPEN, HEALTH = dump(Open(DEFAULT, 5)), dump(Health(width=320, video="High 4.1"))
SHOW = dump(Show(Scene("s", (Card("p", "Tea", Money(500, "EUR"), None, b"\x00\x01"),)), 8))
SAMPLE = b"\x00\x00\x00\x05\x65\x88\x00\x00\x03\x00\x00\x00\x02\x41\x9a"
ANNEX_B = b"\x00\x00\x00\x01" + flv_tags.SPS + b"\x00\x00\x01" + flv_tags.PPS + b"\x00\x00\x01\x65"


@given(payload=damaged(OPEN, HEALTH, SHOW), kind=st.sampled_from((Open, Health, Show)))
def test_plain(payload: bytes, kind: type[Open | Health | Show]) -> None:
    with suppress(WireError):
        assert isinstance(load(kind, memoryview(payload)), kind)


@given(record=st.one_of(st.binary(max_size=60), damaged(flv_tags.AVCC)))
def test_avcc(record: bytes) -> None:
    with suppress(BitstreamError):
        config = nal.parse_avcc(record)
        assert sum(map(len, config.sps + config.pps)) < len(record)
        nal.codecs(record)


@given(sample=st.one_of(st.binary(max_size=60), damaged(SAMPLE)), size=st.sampled_from((1, 2, 4)))
def test_samples(sample: bytes, size: int) -> None:
    with suppress(BitstreamError):
        units = list(nal.split_avcc(sample, size))
        assert all(units)


@given(data=st.one_of(st.binary(max_size=80), damaged(ANNEX_B)))
def test_byte_streams(data: bytes) -> None:
    assert all(nal.split_annexb(data))
    with suppress(BitstreamError):
        nal.avcc_sample(data)
    with suppress(BitstreamError):
        nal.parse_avcc(nal.avcc_from_annexb(data))


@given(sps=damaged(flv_tags.SPS))
def test_damaged_sps(sps: bytes) -> None:
    with suppress(BitstreamError):
        read = parse_sps(sps)
        assert 0 < read.width <= 16_384
        assert 0 < read.height <= 16_384
