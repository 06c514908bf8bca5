from __future__ import annotations

import pytest

from ingest.unit import VideoCodec, VideoConfig
from tests.helpers.ex_tags import AV1C, HVCC
from tests.helpers.flv_tags import AVCC
from transcode.errors import BitstreamError
from transcode.profile_name import profile_name
from transcode.report import Report


@pytest.mark.parametrize(
    ("codec", "record", "name"),
    [
        (VideoCodec.H264, AVCC, "Constrained Baseline 1.3"),
        (VideoCodec.HEVC, HVCC, "Main 2.0"),
        (VideoCodec.HEVC, HVCC[:1] + b"\x02" + HVCC[2:12] + b"\x7b" + HVCC[13:], "Main 10 4.1"),
        (VideoCodec.HEVC, HVCC[:1] + b"\x0b" + HVCC[2:], "profile 11 2.0"),
        (VideoCodec.HEVC, b"", ""),
        (VideoCodec.AV1, AV1C, "Main 2.0"),
        (VideoCodec.AV1, b"\x81\x29", "High 4.1"),
        (VideoCodec.AV1, b"\x81\x1f", "Main"),
        (VideoCodec.AV1, b"\x81\xff", "profile 7"),
        (VideoCodec.VP9, b"", ""),
    ],
)
def test_profiles_have_the_names_that_people_write(
    codec: VideoCodec, record: bytes, name: str
) -> None:
    assert profile_name(VideoConfig(codec, record)) == name


@pytest.mark.parametrize(
    ("codec", "record"),
    [(VideoCodec.H264, b"\x01"), (VideoCodec.HEVC, HVCC[:12]), (VideoCodec.AV1, b"\x81")],
)
def test_a_damaged_record_is_told(codec: VideoCodec, record: bytes) -> None:
    with pytest.raises(BitstreamError):
        profile_name(VideoConfig(codec, record))


@pytest.mark.parametrize(
    ("config", "name"),
    [
        (VideoConfig(VideoCodec.HEVC, HVCC), "HEVC Main 2.0"),
        (VideoConfig(VideoCodec.VP9, b""), "VP9"),
        (VideoConfig(VideoCodec.H264, b"damaged"), "H.264"),
    ],
)
def test_the_report_names_codec_profile_and_level(config: VideoConfig, name: str) -> None:
    report = Report()
    report.video(config)
    assert report.due(0, 0) is None
    health = report.due(1_000, 0)
    assert health is not None
    assert health.video == name
