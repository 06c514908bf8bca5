"""The profile and level of a video configuration, as people write them. Pure.

Sources: ISO/IEC 14496-15 5.3.3 and 8.3.3 (avcC, hvcC), ITU-T H.265 Annex A, AV1 in ISOBMFF 2.3
and AV1 specification Annex A.
"""

from __future__ import annotations

from ingest.unit import VideoCodec, VideoConfig
from transcode.errors import BitstreamError
from transcode.nal import parse_avcc
from transcode.sps import parse_sps

_HEVC = {1: "Main", 2: "Main 10", 3: "Main Still Picture", 4: "Range Extensions"}
_AV1 = ("Main", "High", "Professional")
_AV1_ANY_LEVEL = 31


def profile_name(config: VideoConfig) -> str:
    """Give e.g. `High 4.1`; empty where the codec's configuration does not tell.

    Raises BitstreamError when the configuration is damaged.
    """
    record = config.extradata
    match config.codec:
        case VideoCodec.H264:
            sets = parse_avcc(record).sps
            return parse_sps(sets[0]).profile if sets else ""
        case VideoCodec.HEVC if record:
            return _hevc(record)
        case VideoCodec.AV1 if record:
            return _av1(record)
        case _:
            return ""


def _hevc(record: bytes) -> str:
    if len(record) < 13:
        raise BitstreamError("not an HEVCDecoderConfigurationRecord")
    profile = record[1] & 0x1F
    return f"{_HEVC.get(profile, f'profile {profile}')} {record[12] / 30:.1f}"


def _av1(record: bytes) -> str:
    if len(record) < 2:
        raise BitstreamError("not an AV1CodecConfigurationRecord")
    profile, level = record[1] >> 5, record[1] & 0x1F
    name = _AV1[profile] if profile < len(_AV1) else f"profile {profile}"
    return name if level == _AV1_ANY_LEVEL else f"{name} {2 + (level >> 2)}.{level & 3}"
