"""Encoded Units become pictures and sound, through bare codec contexts.

Imports PyAV. Runs in the worker only.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, cast

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.codec.context import CodecContext
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

_DECODERS: dict[VideoCodec | AudioCodec, str] = {VideoCodec.AV1: "libdav1d"}
"""Where the decoder is not named as its codec is: libav's own `av1` needs hardware."""
_LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "quad", 5: "5.0", 6: "5.1", 8: "7.1"}

MAX_PIXELS = 4096 * 2304
"""A decoder and the queues behind it hold some forty pictures: with larger ones, gigabytes."""


class VideoDecoder:
    """One video track's decoder. Damaged access units are told and left out."""

    def __init__(self, config: VideoConfig, damaged: Callable[[], None]) -> None:
        """Open a decoder for `config`. Raises MediaError when libav refuses it.

        `damaged` is called for every access unit that cannot be decoded.
        """
        self.config = config
        self._damaged = damaged
        context = _opened(config)
        self._context = cast("VideoCodecContext", context)

    def decode(self, unit: VideoUnit) -> list[VideoFrame]:
        """Decode one access unit; give what is ready, in order, pts in publisher's ticks."""
        return self._decode(_packet(unit.data, unit.dts, unit.pts))

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
            self._damaged()
            return []


class AudioDecoder:
    """One audio track's decoder. Damaged frames are told and left out."""

    def __init__(self, config: AudioConfig, damaged: Callable[[], None]) -> None:
        """Open a decoder for `config`. Raises MediaError when libav refuses it.

        `damaged` is called for every frame that cannot be decoded.
        """
        self.config = config
        self._damaged = damaged
        context = _opened(config)
        self._context = cast("AudioCodecContext", context)

    def decode(self, unit: AudioUnit) -> list[AudioFrame]:
        """Decode one audio frame, pts in publisher's ticks."""
        try:
            return self._context.decode(_packet(unit.data, unit.pts, unit.pts))
        except av.FFmpegError:
            self._damaged()
            return []


def _opened(config: VideoConfig | AudioConfig) -> CodecContext:
    codec = config.codec
    try:
        context = av.CodecContext.create(_DECODERS.get(codec, codec.value), "r")
        if config.extradata:
            context.extradata = config.extradata
        if isinstance(config, AudioConfig) and codec.startswith("pcm_"):
            # Samples alone do not tell; the other codecs do, and know better than a config.
            _shape(cast("AudioCodecContext", context), config.sample_rate, config.channels)
        # Frame threads would hold back a picture each; one live stream decodes
        # several times faster than real time on one core.
        context.thread_count = 1
        context.options = {"max_pixels": str(MAX_PIXELS)}
        context.open()
    except (av.FFmpegError, ValueError, KeyError) as error:
        raise MediaError(f"configuration refused by the {codec} decoder: {error}") from error
    return context


def _shape(context: AudioCodecContext, sample_rate: int, channels: int) -> None:
    if channels not in _LAYOUTS or sample_rate <= 0:
        raise ValueError(f"{channels} channels at {sample_rate} Hz")
    context.sample_rate = sample_rate
    context.layout = _LAYOUTS[channels]


def _packet(data: bytes, dts: int, pts: int) -> av.Packet[Any]:
    packet = av.Packet(data)
    packet.pts, packet.dts = pts, dts
    packet.time_base = TIME_BASE
    return packet
