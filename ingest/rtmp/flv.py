"""FLV tag bodies to Units: Adobe FLV 10.1, annex E.4, and Enhanced RTMP v2. Pure."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Final

from ingest.errors import PeerError
from ingest.rtmp import audio_track, video_track
from ingest.rtmp.amf0 import Value
from ingest.rtmp.audio_track import AAC, MP3, AudioTrack
from ingest.rtmp.ex_tag import (
    AudioPacketType,
    ExVideoTag,
    Packet,
    VideoPacketType,
    read_ex_audio,
    read_ex_video,
)
from ingest.rtmp.video_track import AVC, HEVC, VideoTrack
from ingest.unit import TICKS_PER_MS, AudioCodec, AudioConfig, StreamInfo, Unit

_KEYFRAME: Final = 1
_VIDEO_COMMAND: Final = 5
_EX_VIDEO: Final = 0x80
_EX_AUDIO: Final = 9
_SEQUENCE_HEADER: Final = 0
_CODED: Final = 1

_FOUR_CCS: Final = {7: AVC, 12: HEVC}
"""Video codec ids whose tags are laid out as AVC's are; 12 is older than Enhanced RTMP."""
_VIDEO_CODECS: Final = {2: "Sorenson H.263", 3: "Screen video", 4: "VP6", 5: "VP6", 6: "Screen 2"}
_AAC: Final = 10
_MP3: Final = frozenset((2, 14))
_PCM: Final = 3
_G711: Final = {7: AudioCodec.PCM_ALAW, 8: AudioCodec.PCM_MULAW}
_AUDIO_CODECS: Final = {
    0: "PCM", 1: "ADPCM", 3: "PCM of 8 bits", 4: "Nellymoser", 5: "Nellymoser",
    6: "Nellymoser", 11: "Speex",
}  # fmt: skip

_MAX_SIZE: Final = 16_384
_MAX_BITRATE: Final = 1_000_000_000
_MAX_RATE: Final = 1_000
_MAX_NAME: Final = 128
_MS_IN_NANOSECONDS: Final = 1_000_000


class FlvReader:
    """Reads one publisher's tags in order, of several tracks the default one."""

    __slots__ = ("_audio", "_clock", "_video")

    def __init__(self) -> None:
        self._clock = _Clock()
        self._video = VideoTrack()
        self._audio = AudioTrack()

    def video(self, timestamp: int, tag: bytes) -> tuple[Unit, ...]:
        """Read a video tag body (E.4.3). `timestamp`: 32-bit ms. Raises PeerError."""
        if not tag:
            return ()
        if tag[0] & _EX_VIDEO:
            return self._ex_video(timestamp, tag)
        frame_type, codec = tag[0] >> 4, tag[0] & 0x0F
        if frame_type == _VIDEO_COMMAND:
            return ()
        four_cc = _FOUR_CCS.get(codec)
        if four_cc is None:
            name = _VIDEO_CODECS.get(codec, f"number {codec}")
            raise PeerError(f"video codec {name} is not supported: {video_track.ADVICE}")
        if len(tag) < 5:
            raise PeerError("a video tag ends inside its header")
        dts = self._clock.ticks(timestamp)
        if tag[1] == _SEQUENCE_HEADER:
            return self._video.header(0, four_cc, tag[5:])
        if tag[1] != _CODED:
            return ()
        composition = int.from_bytes(tag[2:5], "big", signed=True)
        return self._video.frame(
            0, four_cc, key=frame_type == _KEYFRAME, dts=dts,
            composition_ms=composition, data=tag[5:],
        )  # fmt: skip

    def audio(self, timestamp: int, tag: bytes) -> tuple[Unit, ...]:
        """Read an audio tag body (E.4.2). `timestamp`: 32-bit ms. Raises PeerError."""
        if not tag:
            return ()
        codec = tag[0] >> 4
        if codec == _EX_AUDIO:
            return self._ex_audio(timestamp, tag)
        pts = self._clock.ticks(timestamp)
        if codec == _AAC:
            if len(tag) < 2:
                raise PeerError("an audio tag ends inside its header")
            if tag[1] == _SEQUENCE_HEADER:
                return self._audio.header(0, AAC, tag[2:])
            return self._audio.frame(0, AAC, pts, tag[2:]) if tag[1] == _CODED else ()
        if codec in _MP3:
            return self._audio.frame(0, MP3, pts, tag[1:])
        return self._audio.plain(_plain_sound(tag[0]), pts, tag[1:])

    def _ex_video(self, timestamp: int, tag: bytes) -> tuple[Unit, ...]:
        read = read_ex_video(tag)
        dts = self._clock.ticks(timestamp) + _ticks(read.nanoseconds)
        units: tuple[Unit, ...] = ()
        for packet in read.packets:
            units += self._ex_video_packet(read, packet, dts)
        return units

    def _ex_video_packet(self, read: ExVideoTag, packet: Packet, dts: int) -> tuple[Unit, ...]:
        number, four_cc, data = packet.track, packet.four_cc, packet.data
        composition = 0
        match read.packet_type:
            case VideoPacketType.SEQUENCE_START:
                return self._video.header(number, four_cc, data)
            case VideoPacketType.CODED_FRAMES if four_cc in _FOUR_CCS.values():
                if len(data) < 3:
                    raise PeerError("a video tag ends inside its header")
                composition, data = int.from_bytes(data[:3], "big", signed=True), data[3:]
            case VideoPacketType.CODED_FRAMES | VideoPacketType.CODED_FRAMES_X:
                pass
            case VideoPacketType.MPEG2TS_SEQUENCE_START:
                reason = "video in MPEG-2 TS form is not supported"
                raise PeerError(f"{reason}: {video_track.ADVICE}")
            case _:
                # HDR's colorInfo is said again by the bit stream, and the ladder is SDR.
                return ()
        return self._video.frame(
            number, four_cc, key=read.frame_type == _KEYFRAME, dts=dts,
            composition_ms=composition, data=data,
        )  # fmt: skip

    def _ex_audio(self, timestamp: int, tag: bytes) -> tuple[Unit, ...]:
        read = read_ex_audio(tag)
        pts = self._clock.ticks(timestamp) + _ticks(read.nanoseconds)
        units: tuple[Unit, ...] = ()
        for packet in read.packets:
            number, four_cc, data = packet.track, packet.four_cc, packet.data
            match read.packet_type:
                case AudioPacketType.SEQUENCE_START:
                    units += self._audio.header(number, four_cc, data)
                case AudioPacketType.CODED_FRAMES:
                    units += self._audio.frame(number, four_cc, pts, data)
                case _:
                    pass  # Where channels stand is said by every codec's own headers.
        return units


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


def _ticks(nanoseconds: int) -> int:
    """Round an offset within a millisecond to ticks; what is beyond says the same again."""
    return round(min(nanoseconds, _MS_IN_NANOSECONDS - 1) * TICKS_PER_MS / _MS_IN_NANOSECONDS)


def _plain_sound(head: int) -> AudioConfig:
    """Read the sound format, rate, size and type of a legacy tag (E.4.2.1). Raises PeerError."""
    kind, channels = head >> 4, 1 + (head & 1)
    if kind in _G711:
        return AudioConfig(_G711[kind], b"", 8_000, channels)
    if kind == _PCM and head & 2:
        return AudioConfig(AudioCodec.PCM_S16LE, b"", 44_100 >> (3 - (head >> 2 & 3)), channels)
    name = _AUDIO_CODECS.get(kind, f"number {kind}")
    raise PeerError(f"audio codec {name} is not supported: {audio_track.ADVICE}")


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
