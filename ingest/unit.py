"""The one atom of the media path: what any publisher's bytes become.

Every ingest (RTMP, WHIP, ...) makes Units; every consumer reads Units.
Standard library only.

Times are integers in 90 kHz ticks on the publisher's own clock, unwrapped by
the ingest that knows the wrap (32-bit milliseconds in RTMP, 32-bit RTP time).
They may start anywhere and may jump: `transcode.timeline` makes sense of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

TICKS_PER_SECOND = 90_000
TICKS_PER_MS = 90


class VideoCodec(StrEnum):
    H264 = "h264"


class AudioCodec(StrEnum):
    AAC = "aac"


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What the encoder says of itself (RTMP: onMetaData). Hints, never trusted."""

    encoder: str = ""
    width: int = 0
    height: int = 0
    frame_rate: Fraction | None = None
    video_bitrate: int = 0
    audio_bitrate: int = 0


@dataclass(frozen=True, slots=True)
class VideoConfig:
    """Opens a video track or replaces its decoder configuration.

    H264: `extradata` is an AVCDecoderConfigurationRecord (ISO 14496-15 5.3.3.1).
    """

    codec: VideoCodec
    extradata: bytes


@dataclass(frozen=True, slots=True)
class AudioConfig:
    """Opens an audio track. AAC: `extradata` is an AudioSpecificConfig (ISO 14496-3)."""

    codec: AudioCodec
    extradata: bytes
    sample_rate: int
    channels: int


@dataclass(frozen=True, slots=True)
class VideoUnit:
    """One encoded picture. H264: NAL units with the length prefixes its config names."""

    dts: int
    pts: int
    keyframe: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class AudioUnit:
    """One encoded audio frame. AAC: a raw access unit, no ADTS header."""

    pts: int
    data: bytes


Unit = StreamInfo | VideoConfig | AudioConfig | VideoUnit | AudioUnit
