"""ADTS headers are taken off, and tell the configuration."""

from __future__ import annotations

import io

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.rtmp.asc import parse_asc
from ingest.unit import AudioCodec, AudioConfig, AudioUnit
from tests.helpers.clips import Clip, write
from transcode.decode import AudioDecoder
from transcode.pull.adts import parse_adts


def frames(sample_rate: int, channels: int) -> list[bytes]:
    memory = io.BytesIO()
    write(Clip(video=False, sample_rate=sample_rate, channels=channels), memory, "adts")
    memory.seek(0)
    with av.open(memory, "r") as source:
        return [bytes(packet) for packet in source.demux(audio=0) if packet.size]


@pytest.mark.parametrize(("rate", "channels"), [(48_000, 2), (44_100, 1), (22_050, 2)])
def test_what_an_encoder_wrote_is_read_and_decoded(rate: int, channels: int) -> None:
    broken: list[int] = []
    decoder: AudioDecoder | None = None
    samples = 0
    for number, data in enumerate(frames(rate, channels)):
        frame = parse_adts(data)
        assert frame is not None
        config = parse_asc(frame.config)
        assert config == AudioConfig(AudioCodec.AAC, frame.config, rate, channels)
        decoder = decoder or AudioDecoder(config, lambda: broken.append(1))
        unit = AudioUnit(number * 1024 * 90_000 // rate, frame.data)
        samples += sum(one.samples for one in decoder.decode(unit))
    assert broken == []
    assert samples >= rate * 2


def test_what_is_cut_or_raw_or_without_plain_channels_is_left_alone() -> None:
    data = frames(48_000, 2)[3]
    assert parse_adts(data[:-1]) is None
    assert parse_adts(data[7:]) is None
    assert parse_adts(data[:2] + bytes([data[2] & 0xFE, data[3] & 0x3F]) + data[4:]) is None
    with_crc = data[:1] + bytes([data[1] & 0xFE]) + data[2:]
    found = parse_adts(with_crc)
    assert found is not None
    assert found.data == data[9:]


@given(st.binary(max_size=40))
def test_no_bytes_break_it(data: bytes) -> None:
    parse_adts(data)
    parse_adts(b"\xff\xf1" + data)
