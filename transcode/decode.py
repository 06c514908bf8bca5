"""Encoded Units become pictures and sound, through bare codec contexts.

Imports PyAV. Runs in the worker only.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, cast

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from ingest.unit import (
    TICKS_PER_SECOND,
    AudioCodec,
    AudioConfig,
    AudioUnit,
    VideoCodec,
    VideoConfig,
    VideoUnit,
)
from transcode.errors import MediaError

TIME_BASE = Fraction(1, TICKS_PER_SECOND)

_VIDEO_DECODERS = {VideoCodec.H264: "h264"}
_AUDIO_DECODERS = {AudioCodec.AAC: "aac"}


class VideoDecoder:
    """One video track's decoder. Damaged access units are counted and left out."""

    def __init__(self, config: VideoConfig) -> None:
        """Open a decoder for `config`. Raises MediaError when libav refuses it."""
        self.config = config
        self.damaged = 0
        try:
            context = cast(
                "VideoCodecContext", av.CodecContext.create(_VIDEO_DECODERS[config.codec], "r")
            )
            context.extradata = config.extradata
            # Frame threads would hold back a picture each; one live stream
            # decodes several times faster than real time on one core.
            context.thread_count = 1
            context.open()
        except (av.FFmpegError, ValueError) as error:
            raise MediaError(f"video configuration refused by the decoder: {error}") from error
        self._context = context

    def decode(self, unit: VideoUnit) -> list[VideoFrame]:
        """Decode one access unit; give what is ready, in order, pts in publisher's ticks."""
        packet = av.Packet(unit.data)
        packet.pts = unit.pts
        packet.dts = unit.dts
        packet.time_base = TIME_BASE
        return self._decode(packet)

    @property
    def pixel_shape(self) -> Fraction:
        """Width of a pixel over its height; 1 where the stream does not say."""
        shape = self._context.sample_aspect_ratio
        return Fraction(shape) if shape else Fraction(1)

    def flush(self) -> list[VideoFrame]:
        """Give the pictures still held back for reordering. The decoder is spent after."""
        return self._decode(None)

    def _decode(self, packet: av.Packet[Any] | None) -> list[VideoFrame]:
        try:
            return self._context.decode(packet)
        except av.FFmpegError:
            self.damaged += 1
            return []


class AudioDecoder:
    """One audio track's decoder. Damaged frames are counted and left out."""

    def __init__(self, config: AudioConfig) -> None:
        """Open a decoder for `config`. Raises MediaError when libav refuses it."""
        self.config = config
        self.damaged = 0
        try:
            context = cast(
                "AudioCodecContext", av.CodecContext.create(_AUDIO_DECODERS[config.codec], "r")
            )
            context.extradata = config.extradata
            context.open()
        except (av.FFmpegError, ValueError) as error:
            raise MediaError(f"audio configuration refused by the decoder: {error}") from error
        self._context = context

    def decode(self, unit: AudioUnit) -> list[AudioFrame]:
        """Decode one audio frame, pts in publisher's ticks."""
        packet = av.Packet(unit.data)
        packet.pts = unit.pts
        packet.dts = unit.pts
        packet.time_base = TIME_BASE
        try:
            return self._context.decode(packet)
        except av.FFmpegError:
            self.damaged += 1
            return []
