"""Short H.264/AAC clips made by code, as files or as the Units that an ingest would make.

Every picture carries its number in black and white blocks along its top edge, so that
a test can tell after transcoding which picture it sees; every second begins with a beep.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from ingest.unit import (
    TICKS_PER_SECOND,
    AudioCodec,
    AudioConfig,
    AudioUnit,
    StreamInfo,
    Unit,
    VideoCodec,
    VideoConfig,
    VideoUnit,
)

STAMP_BITS = 16
BLACK, WHITE = 16, 235
BEEP_HZ = 1000
BEEP_SECONDS = 0.05


@dataclass(frozen=True)
class Clip:
    """What to make."""

    seconds: float = 2.0
    width: int = 320
    height: int = 180
    frame_rate: Fraction = Fraction(30)
    keyframe_seconds: float = 1.0
    b_frames: int = 0
    video: bool = True
    audio: bool = True
    sample_rate: int = 48_000
    channels: int = 2

    @property
    def frames(self) -> int:
        return round(self.seconds * self.frame_rate)


def picture(number: int, width: int, height: int) -> NDArray[np.uint8]:
    """Draw picture `number`: I420 planes as one array of height * 3 / 2 rows."""
    planes = np.empty((height * 3 // 2, width), np.uint8)
    ramp = np.arange(width, dtype=np.int64) // 2 + 4 * number
    planes[:height] = (ramp % 160 + 40).astype(np.uint8)
    planes[height : height + height // 4] = 96 + number % 64
    planes[height + height // 4 :] = 160 - number % 64
    block = width // STAMP_BITS
    for bit in range(STAMP_BITS):
        level = WHITE if number >> bit & 1 else BLACK
        planes[: max(block, 2), bit * block : (bit + 1) * block] = level
    return planes


def read_number(luma: NDArray[np.uint8]) -> int:
    """Read a picture's number back from its luma plane, at any scale."""
    block = luma.shape[1] / STAMP_BITS
    row = luma[int(block / 3) : max(int(block * 2 / 3), int(block / 3) + 1)]
    number = 0
    for bit in range(STAMP_BITS):
        inner = row[:, int((bit + 0.3) * block) : max(int((bit + 0.7) * block), 1)]
        number |= int(inner.mean() > (BLACK + WHITE) / 2) << bit
    return number


def sound(begin: int, samples: int, sample_rate: int, channels: int) -> NDArray[np.float32]:
    """Make samples [begin, begin + samples), shape (channels, samples): a beep each second."""
    at = (begin + np.arange(samples)) / sample_rate
    wave = 0.5 * np.sin(2 * np.pi * BEEP_HZ * at) * (at % 1.0 < BEEP_SECONDS)
    return np.tile(wave.astype(np.float32), (channels, 1))


def write(clip: Clip, target: Path | io.BytesIO, container: str = "flv", first: int = 0) -> None:
    """Write `clip` to a file; its pictures are numbered from `first` on."""
    where = str(target) if isinstance(target, Path) else target
    with av.open(where, "w", format=container) as output:
        video = _video_stream(output, clip) if clip.video else None
        audio = _audio_stream(output, clip) if clip.audio else None
        if video is not None:
            for frame in _pictures(clip, first):
                output.mux(video.encode(frame))
            output.mux(video.encode(None))
        if audio is not None:
            for samples in _sounds(clip):
                output.mux(audio.encode(samples))
            output.mux(audio.encode(None))


def units(clip: Clip, first: int = 0) -> list[Unit]:
    """Make `clip` as Units: configurations first, then in order of decoding time from 0 on."""
    memory = io.BytesIO()
    write(clip, memory, first=first)
    memory.seek(0)
    media: list[tuple[int, Unit]] = []
    configs: list[Unit] = [StreamInfo("clip", clip.width, clip.height, clip.frame_rate)]
    with av.open(memory, "r", format="flv") as source:
        for stream in source.streams:
            if isinstance(stream, VideoStream):
                extradata = stream.codec_context.extradata or b""
                configs.append(VideoConfig(VideoCodec.H264, extradata))
            elif isinstance(stream, AudioStream):
                extradata = stream.codec_context.extradata or b""
                rate, channels = clip.sample_rate, clip.channels
                configs.append(AudioConfig(AudioCodec.AAC, extradata, rate, channels))
        for packet in source.demux():
            if packet.dts is None or packet.pts is None or packet.time_base is None:
                continue
            dts, pts = (
                round(stamp * packet.time_base * TICKS_PER_SECOND)
                for stamp in (packet.dts, packet.pts)
            )
            if isinstance(packet.stream, VideoStream):
                media.append((dts, VideoUnit(dts, pts, packet.is_keyframe, bytes(packet))))
            else:
                media.append((dts, AudioUnit(pts, bytes(packet))))
    media.sort(key=lambda item: item[0])
    return [*configs, *(unit for _, unit in media)]


def _video_stream(output: av.container.OutputContainer, clip: Clip) -> VideoStream:
    stream = output.add_stream("libx264", rate=clip.frame_rate)
    stream.width, stream.height = clip.width, clip.height
    stream.pix_fmt = "yuv420p"
    stream.options = {
        "preset": "ultrafast",
        "crf": "20",
        "g": str(max(1, round(clip.keyframe_seconds * clip.frame_rate))),
        "bf": str(clip.b_frames),
        "sc_threshold": "0",
    }
    return stream


def _audio_stream(output: av.container.OutputContainer, clip: Clip) -> AudioStream:
    layout = "mono" if clip.channels == 1 else "stereo"
    return output.add_stream("aac", rate=clip.sample_rate, layout=layout, bit_rate=96_000)


def _pictures(clip: Clip, first: int) -> Iterator[VideoFrame]:
    for number in range(clip.frames):
        pixels = picture(first + number, clip.width, clip.height)
        frame = VideoFrame.from_ndarray(pixels, "yuv420p")
        frame.pts = number
        frame.time_base = 1 / clip.frame_rate
        yield frame


def _sounds(clip: Clip) -> Iterator[AudioFrame]:
    layout = "mono" if clip.channels == 1 else "stereo"
    for begin in range(0, int(clip.seconds * clip.sample_rate), 1024):
        samples = sound(begin, 1024, clip.sample_rate, clip.channels)
        frame = AudioFrame.from_ndarray(samples, "fltp", layout)
        frame.sample_rate = clip.sample_rate
        frame.pts = begin
        frame.time_base = Fraction(1, clip.sample_rate)
        yield frame
