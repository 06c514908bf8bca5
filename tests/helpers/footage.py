"""Media as encoders of every kind send it, made by code straight into Units.

Pictures carry their number (`clips.picture`), every whole second begins with a beep, so a
test can tell after transcoding which picture it sees and how far sound is from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, cast

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
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
from tests.helpers.clips import picture, sound
from transcode import nal

TICK = Fraction(1, TICKS_PER_SECOND)
Luma = NDArray[np.uint8]


@dataclass(frozen=True)
class Footage:
    """A video track."""

    seconds: float = 2.0
    width: int = 320
    height: int = 180
    rate: Fraction = Fraction(30)
    times: tuple[Fraction, ...] | None = None
    """When each picture was taken, in seconds; None: evenly at `rate`."""
    first: int = 0
    """Number of the first picture."""
    begin: Fraction = Fraction(0)
    """When the first picture was taken, if `times` does not tell."""
    codec: VideoCodec = VideoCodec.H264
    encoder: str = "libx264"
    pix_fmt: str = "yuv420p"
    key_seconds: float = 1.0
    b_frames: int = 0
    options: tuple[tuple[str, str], ...] = ()
    shape: Fraction = Fraction(1)
    """Of a pixel."""
    colorspace: int = 2
    color_range: int = 1
    transfer: int = 2
    interlaced: bool = False
    draw: Callable[[int, int, int], Luma] | None = None
    """Luma of picture `number` of `width` x `height`; None: a numbered one."""

    @property
    def moments(self) -> tuple[Fraction, ...]:
        """When each picture was taken."""
        if self.times is not None:
            return self.times
        return tuple(self.begin + n / self.rate for n in range(round(self.seconds * self.rate)))


@dataclass(frozen=True)
class Soundtrack:
    """An audio track: a beep at every whole second."""

    seconds: float = 2.0
    begin: float = 0.0
    sample_rate: int = 48_000
    layout: str = "stereo"
    codec: AudioCodec = AudioCodec.AAC
    encoder: str = "aac"


def milliseconds(seconds: Fraction | float) -> int:
    """Stamp as RTMP does: whole milliseconds, in ticks."""
    return round(seconds * 1000) * 90


def film(footage: Footage, *, told: bool = True) -> list[Unit]:
    """Make a video track's units, its configuration first; `told`: its rate before that."""
    context = _opened(footage)
    info = StreamInfo("footage", footage.width, footage.height, footage.rate)
    made: list[Unit] = [info] if told else []
    made.append(_configuration(footage, context))
    stamps = [milliseconds(at) for at in footage.moments]
    packets = []
    for offset, stamp in enumerate(stamps):
        packets += context.encode(_frame(footage, footage.first + offset, stamp, context))
    packets += context.encode(None)
    for packet in packets:
        data = bytes(packet)
        if footage.codec is VideoCodec.H264:
            data = nal.avcc_sample(data)
        assert packet.pts is not None
        assert packet.dts is not None
        dts, pts = (round(at * context.time_base / TICK) for at in (packet.dts, packet.pts))
        made.append(VideoUnit(dts, pts, packet.is_keyframe, data))
    return made


def record(track: Soundtrack) -> list[Unit]:
    """Make an audio track's units, its configuration first."""
    context = cast("AudioCodecContext", av.CodecContext.create(track.encoder, "w"))
    context.sample_rate, context.layout, context.bit_rate = track.sample_rate, track.layout, 128_000
    known = context.codec.audio_formats
    context.format = known[0].name if known else "fltp"
    context.flags |= av.codec.context.Flags.global_header
    context.open()
    units: list[Unit] = [
        AudioConfig(
            track.codec, bytes(context.extradata or b""), track.sample_rate, context.channels
        )
    ]
    resampler = AudioResampler(context.format, track.layout, track.sample_rate)
    fifo = AudioFifo()
    first = round(track.begin * track.sample_rate)
    size = context.frame_size or 1024
    for at in range(0, round(track.seconds * track.sample_rate), size):
        wave = sound(first + at, size, track.sample_rate, context.channels)
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(wave), "fltp", track.layout)
        frame.sample_rate, frame.pts = track.sample_rate, at
        for piece in resampler.resample(frame):
            piece.pts = None
            fifo.write(piece)
        while (block := fifo.read(size)) is not None:
            block.pts = at
            units += _sound_units(context.encode(block), track)
    units += _sound_units(context.encode(None), track)
    return units


def _sound_units(packets: Iterable[av.Packet[Any]], track: Soundtrack) -> list[Unit]:
    made: list[Unit] = []
    for packet in packets:
        assert packet.pts is not None
        at = Fraction(packet.pts) * (packet.time_base or Fraction(1, track.sample_rate))
        made.append(AudioUnit(milliseconds(Fraction(track.begin) + at), bytes(packet)))
    return made


def together(*tracks: Sequence[Unit]) -> list[Unit]:
    """Mix tracks: what opens them first, then everything in order of its decoding time."""
    opening = [unit for track in tracks for unit in track if _time(unit) is None]
    media = [unit for track in tracks for unit in track if _time(unit) is not None]
    return [*opening, *sorted(media, key=lambda unit: _time(unit) or 0)]


def shifted(media: Iterable[Unit], ticks: int) -> list[Unit]:
    """Set the publisher's clock on (or back) by `ticks`."""
    moved: list[Unit] = []
    for unit in media:
        match unit:
            case VideoUnit():
                moved.append(replace(unit, dts=unit.dts + ticks, pts=unit.pts + ticks))
            case AudioUnit():
                moved.append(replace(unit, pts=unit.pts + ticks))
            case _:
                moved.append(unit)
    return moved


def time_of(unit: Unit) -> int:
    """Give a unit's decoding time in ticks; 0 for what opens a track."""
    return _time(unit) or 0


def _time(unit: Unit) -> int | None:
    match unit:
        case VideoUnit():
            return unit.dts
        case AudioUnit():
            return unit.pts
        case _:
            return None


def _opened(footage: Footage) -> VideoCodecContext:
    context = cast("VideoCodecContext", av.CodecContext.create(footage.encoder, "w"))
    context.width, context.height, context.pix_fmt = footage.width, footage.height, footage.pix_fmt
    # MPEG-2 knows no other clock than its rate.
    context.time_base = 1 / footage.rate if footage.codec is VideoCodec.MPEG2 else TICK
    context.framerate = footage.rate
    context.gop_size = max(1, round(footage.key_seconds * footage.rate))
    context.sample_aspect_ratio = footage.shape
    context.colorspace, context.color_range = footage.colorspace, footage.color_range
    context.color_trc = footage.transfer
    context.thread_count = 1
    options: dict[str, str] = {}
    if footage.encoder in ("libx264", "libx265"):
        options = {"preset": "ultrafast", "bf": str(footage.b_frames), "sc_threshold": "0"}
    if footage.encoder == "libx264":
        options["crf"] = "18"
    if footage.encoder == "libx265":
        options["x265-params"] = f"log-level=none:bframes={footage.b_frames}:scenecut=0"
    if footage.encoder.startswith("libvpx"):
        context.bit_rate = 1_000_000
        options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
    if footage.interlaced:
        context.flags |= av.codec.context.Flags.interlaced_dct
    if footage.codec is VideoCodec.H264:
        context.flags |= av.codec.context.Flags.global_header
    context.options = {**options, **dict(footage.options)}
    context.open()
    return context


def _configuration(footage: Footage, context: VideoCodecContext) -> VideoConfig:
    if footage.codec is VideoCodec.H264:
        return VideoConfig(footage.codec, _avcc(bytes(context.extradata or b"")))
    return VideoConfig(footage.codec, b"")


def _avcc(headers: bytes) -> bytes:
    """Build avcC; the extension for 4:2:2 and deep colour is told by the SPS itself."""
    return nal.avcc_from_annexb(headers)


def _frame(footage: Footage, number: int, stamp: int, context: VideoCodecContext) -> VideoFrame:
    width, height = footage.width, footage.height
    planes = np.full((3, height, width), 128, np.uint8)
    if footage.draw is not None:
        planes[0] = footage.draw(number, width, height)
    else:
        planes[0] = picture(number, width, height)[:height]
        planes[1, : height // 2] = 96 + number % 64
        planes[2, height // 2 :] = 160 - number % 64
    frame = VideoFrame.from_ndarray(planes, "yuv444p").reformat(format=footage.pix_fmt)
    frame.pts, frame.time_base = round(stamp * TICK / context.time_base), context.time_base
    frame.colorspace, frame.color_range = context.colorspace, context.color_range
    return frame
