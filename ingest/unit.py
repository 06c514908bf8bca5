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
    """By libav's name."""

    H264 = "h264"
    HEVC = "hevc"
    AV1 = "av1"
    VP9 = "vp9"
    VP8 = "vp8"
    MPEG2 = "mpeg2video"
    MPEG4 = "mpeg4"
    MJPEG = "mjpeg"
    MPEG1 = "mpeg1video"
    H263 = "h263"
    FLV1 = "flv1"
    THEORA = "theora"


class AudioCodec(StrEnum):
    """By libav's name."""

    AAC = "aac"
    OPUS = "opus"
    MP3 = "mp3"
    MP2 = "mp2"
    AC3 = "ac3"
    EAC3 = "eac3"
    FLAC = "flac"
    VORBIS = "vorbis"
    PCM_ALAW = "pcm_alaw"
    PCM_MULAW = "pcm_mulaw"
    PCM_S16LE = "pcm_s16le"
    PCM_S16BE = "pcm_s16be"
    PCM_S24LE = "pcm_s24le"
    PCM_S32LE = "pcm_s32le"
    PCM_F32LE = "pcm_f32le"
    PCM_U8 = "pcm_u8"
    ALAC = "alac"
    AAC_LATM = "aac_latm"


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

    H264: `extradata` is an AVCDecoderConfigurationRecord (ISO 14496-15 5.3.3.1); HEVC: an
    HEVCDecoderConfigurationRecord (8.3.3.1). Empty for these two, or parameter sets as an
    Annex B byte stream (RTSP, MPEG-TS: a camera may tell them in its SDP only): pictures are
    Annex B byte streams, where parameter sets in band win. AV1: an AV1CodecConfigurationRecord, or
    empty. Others: as libav's decoder of that name takes it, mostly empty.
    """

    codec: VideoCodec
    extradata: bytes
    rotation: int = 0
    """Degrees anticlockwise, a multiple of 90, by which pictures are to be turned, besides
    what they say themselves: a file's display matrix."""


@dataclass(frozen=True, slots=True)
class AudioConfig:
    """Opens an audio track.

    AAC: `extradata` is an AudioSpecificConfig (ISO 14496-3); empty where ADTS cannot be taken
    off, which libav's decoder takes as well; Opus: an identification header
    (RFC 7845 5.1). Others: as libav's decoder of that name takes it.
    """

    codec: AudioCodec
    extradata: bytes
    sample_rate: int
    channels: int


@dataclass(frozen=True, slots=True)
class VideoUnit:
    """One encoded picture.

    H264, HEVC: NAL units with the length prefixes that the config names, or Annex B where it
    names none. AV1: a temporal unit of OBUs with their sizes (5.2). Others: a frame.
    """

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
