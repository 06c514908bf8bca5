"""FLV tag bodies to Units (Adobe FLV 10.1, annex E.4). Pure.

Enhanced RTMP marks its tags by FourCC headers; until they are read here, they
are refused with the codec's name.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Final

from ingest.errors import PeerError
from ingest.rtmp.amf0 import Value
from ingest.rtmp.asc import parse_asc
from ingest.rtmp.avcc import check_avcc
from ingest.unit import (
    TICKS_PER_MS,
    AudioConfig,
    AudioUnit,
    StreamInfo,
    Unit,
    VideoCodec,
    VideoConfig,
    VideoUnit,
)

_AVC: Final = 7
_AAC: Final = 10
_KEYFRAME: Final = 1
_VIDEO_COMMAND: Final = 5
_EX_VIDEO: Final = 0x80
_EX_AUDIO: Final = 9
_SEQUENCE_HEADER: Final = 0
_CODED: Final = 1

_VIDEO_CODECS: Final = {2: "Sorenson H.263", 3: "Screen video", 4: "VP6", 5: "VP6", 12: "HEVC"}
_AUDIO_CODECS: Final = {
    0: "PCM", 1: "ADPCM", 2: "MP3", 3: "PCM", 4: "Nellymoser", 5: "Nellymoser",
    6: "Nellymoser", 7: "G.711", 8: "G.711", 11: "Speex", 14: "MP3",
}  # fmt: skip
_SET_H264: Final = "set the encoder to H.264 video and AAC audio"

_MAX_SIZE: Final = 16_384
_MAX_BITRATE: Final = 1_000_000_000
_MAX_RATE: Final = 1_000
_MAX_NAME: Final = 128


class FlvReader:
    """Reads one publisher's tags in order.

    Frames before their sequence header are dropped: nothing could decode them. A
    sequence header that only repeats the last one is dropped too.
    """

    __slots__ = ("_audio", "_clock", "_video")

    def __init__(self) -> None:
        self._clock = _Clock()
        self._video: VideoConfig | None = None
        self._audio: AudioConfig | None = None

    def video(self, timestamp: int, tag: bytes) -> Unit | None:
        """Read a video tag body (E.4.3). `timestamp`: 32-bit ms. Raises PeerError."""
        if not tag:
            return None
        if tag[0] & _EX_VIDEO:
            raise PeerError(f"video codec {_four_cc(tag)} is not supported: {_SET_H264}")
        frame_type, codec = tag[0] >> 4, tag[0] & 0x0F
        if frame_type == _VIDEO_COMMAND:
            return None
        if codec != _AVC:
            name = _VIDEO_CODECS.get(codec, f"number {codec}")
            raise PeerError(f"video codec {name} is not supported: {_SET_H264}")
        if len(tag) < 5:
            raise PeerError("a video tag ends inside its header")
        dts = self._clock.ticks(timestamp)
        if tag[1] == _SEQUENCE_HEADER:
            return self._video_config(tag[5:])
        if tag[1] != _CODED or self._video is None or len(tag) == 5:
            return None
        composition = int.from_bytes(tag[2:5], "big", signed=True)
        return VideoUnit(dts, dts + composition * TICKS_PER_MS, frame_type == _KEYFRAME, tag[5:])

    def audio(self, timestamp: int, tag: bytes) -> Unit | None:
        """Read an audio tag body (E.4.2). `timestamp`: 32-bit ms. Raises PeerError."""
        if not tag:
            return None
        codec = tag[0] >> 4
        if codec == _EX_AUDIO:
            raise PeerError(f"audio codec {_four_cc(tag)} is not supported: {_SET_H264}")
        if codec != _AAC:
            name = _AUDIO_CODECS.get(codec, f"number {codec}")
            raise PeerError(f"audio codec {name} is not supported: {_SET_H264}")
        if len(tag) < 2:
            raise PeerError("an audio tag ends inside its header")
        pts = self._clock.ticks(timestamp)
        if tag[1] == _SEQUENCE_HEADER:
            return self._audio_config(tag[2:])
        if tag[1] != _CODED or self._audio is None or len(tag) == 2:
            return None
        return AudioUnit(pts, tag[2:])

    def _video_config(self, record: bytes) -> Unit | None:
        if self._video is not None and self._video.extradata == record:
            return None
        check_avcc(record)
        self._video = VideoConfig(VideoCodec.H264, record)
        return self._video

    def _audio_config(self, asc: bytes) -> Unit | None:
        if self._audio is not None and self._audio.extradata == asc:
            return None
        self._audio = parse_asc(asc)
        return self._audio


def read_metadata(values: tuple[Value, ...]) -> StreamInfo | None:
    """Read `onMetaData` (E.5), bare or behind `@setDataFrame`; None if it is other data.

    Figures that are absent, no number or absurd are left at "not known".
    """
    if values and values[0] == "@setDataFrame":
        values = values[1:]
    if len(values) < 2 or values[0] != "onMetaData" or not isinstance(values[1], dict):
        return None
    said = values[1]
    encoder = said.get("encoder")
    return StreamInfo(
        encoder=_printable(encoder) if isinstance(encoder, str) else "",
        width=_whole(said.get("width"), _MAX_SIZE),
        height=_whole(said.get("height"), _MAX_SIZE),
        frame_rate=_frame_rate(said.get("framerate")),
        video_bitrate=_whole(said.get("videodatarate"), _MAX_BITRATE, 1000),
        audio_bitrate=_whole(said.get("audiodatarate"), _MAX_BITRATE, 1000),
    )


class _Clock:
    """Unwraps 32-bit milliseconds; audio and video share it, as they share the clock."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: int | None = None

    def ticks(self, timestamp: int) -> int:
        if self._last is None:
            self._last = timestamp
        else:
            step = (timestamp - self._last + 0x80000000) % 0x100000000 - 0x80000000
            self._last += step
        return self._last * TICKS_PER_MS


def _four_cc(tag: bytes) -> str:
    return _printable(tag[1:5].decode("ascii", "replace")) or "unknown"


def _printable(text: str) -> str:
    return "".join(c for c in text[:_MAX_NAME] if c.isprintable()).strip()


def _whole(value: Value, most: int, unit: int = 1) -> int:
    if not isinstance(value, float) or not math.isfinite(value):
        return 0
    scaled = value * unit
    return round(scaled) if 0 < scaled <= most else 0


def _frame_rate(value: Value) -> Fraction | None:
    """Name the exact rate behind a rounded decimal: 29.97 is 30000/1001."""
    if not isinstance(value, float) or not 0 < value <= _MAX_RATE:
        return None
    ntsc = Fraction(round(value * 1.001) * 1000, 1001)
    if round(value) != value and abs(value - ntsc) < 0.005:
        return ntsc
    return Fraction(value).limit_denominator(1001) or None
