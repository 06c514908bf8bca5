"""Enhanced RTMP tag headers (v2: ExVideoTagHeader, ExAudioTagHeader), taken off. Pure.

A message carries packets of one type: one, or with multitrack one for each track.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from ingest.errors import PeerError

_COMMAND: Final = 5
_UI24: Final = 3
_MAX_MODIFIERS: Final = 16
_MAX_TRACKS: Final = 256
"""In one message: as many as there are numbers. An empty track costs its sender 4 bytes."""


class VideoPacketType(IntEnum):
    SEQUENCE_START = 0
    CODED_FRAMES = 1
    SEQUENCE_END = 2
    CODED_FRAMES_X = 3
    """Coded frames whose composition time offset is 0 and not sent."""
    METADATA = 4
    MPEG2TS_SEQUENCE_START = 5
    MULTITRACK = 6
    MOD_EX = 7


class AudioPacketType(IntEnum):
    SEQUENCE_START = 0
    CODED_FRAMES = 1
    SEQUENCE_END = 2
    MULTICHANNEL_CONFIG = 4
    MULTITRACK = 5
    MOD_EX = 7


class Multitrack(IntEnum):
    ONE_TRACK = 0
    MANY_TRACKS = 1
    MANY_TRACKS_MANY_CODECS = 2


class ModEx(IntEnum):
    TIMESTAMP_OFFSET_NANO = 0


@dataclass(frozen=True, slots=True)
class Packet:
    track: int
    """0 where the message names none."""
    four_cc: str
    """Four characters of Latin-1, as sent."""
    data: bytes


@dataclass(frozen=True, slots=True)
class ExVideoTag:
    """`packets` are in order of their tracks; none: a command to seek, of no use here."""

    packet_type: VideoPacketType
    frame_type: int
    nanoseconds: int
    """To be added to the message's time."""
    packets: tuple[Packet, ...]


@dataclass(frozen=True, slots=True)
class ExAudioTag:
    """`packets` are in order of their tracks."""

    packet_type: AudioPacketType
    nanoseconds: int
    packets: tuple[Packet, ...]


def read_ex_video(tag: bytes) -> ExVideoTag:
    """Take the headers off a video message whose first bit is set. Raises PeerError."""
    reader = _Reader("video", tag)
    head = reader.take(1)[0]
    frame_type = head >> 4 & 0x07
    kind, nanoseconds = reader.modifiers(head & 0x0F, VideoPacketType.MOD_EX)
    if frame_type == _COMMAND and kind != VideoPacketType.METADATA:
        return ExVideoTag(VideoPacketType.METADATA, frame_type, nanoseconds, ())
    kind, packets = reader.packets(kind, VideoPacketType.MULTITRACK)
    try:
        packet_type = VideoPacketType(kind)
    except ValueError:
        raise _unknown("video", kind) from None
    return ExVideoTag(packet_type, frame_type, nanoseconds, packets)


def read_ex_audio(tag: bytes) -> ExAudioTag:
    """Take the headers off an audio message of sound format 9. Raises PeerError."""
    reader = _Reader("audio", tag)
    head = reader.take(1)[0]
    kind, nanoseconds = reader.modifiers(head & 0x0F, AudioPacketType.MOD_EX)
    kind, packets = reader.packets(kind, AudioPacketType.MULTITRACK)
    try:
        packet_type = AudioPacketType(kind)
    except ValueError:
        raise _unknown("audio", kind) from None
    return ExAudioTag(packet_type, nanoseconds, packets)


class _Reader:
    __slots__ = ("_at", "_medium", "_tag")

    def __init__(self, medium: str, tag: bytes) -> None:
        self._medium = medium
        self._tag = tag
        self._at = 0

    def take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._tag):
            raise PeerError(f"{_article(self._medium)} tag ends inside its header")
        taken = self._tag[self._at : end]
        self._at = end
        return taken

    def modifiers(self, kind: int, mod_ex: int) -> tuple[int, int]:
        """Take ModEx blocks off; give the packet type after them and the time offset.

        Modifiers that are not known are passed over: a receiver need only read them.
        """
        nanoseconds = 0
        for _ in range(_MAX_MODIFIERS):
            if kind != mod_ex:
                return kind, nanoseconds
            size = self.take(1)[0] + 1
            if size == 256:
                size = int.from_bytes(self.take(2), "big") + 1
            data = self.take(size)
            following = self.take(1)[0]
            kind = following & 0x0F
            if following >> 4 == ModEx.TIMESTAMP_OFFSET_NANO:
                if size < _UI24:
                    raise PeerError(f"{_article(self._medium)} time offset is too short")
                nanoseconds = int.from_bytes(data[:_UI24], "big")
        if kind == mod_ex:
            raise PeerError(f"{_article(self._medium)} tag has too many modifiers")
        return kind, nanoseconds

    def packets(self, kind: int, multitrack: int) -> tuple[int, tuple[Packet, ...]]:
        """Take everything that is left; give the packet type and the packets."""
        if kind != multitrack:
            return kind, (Packet(0, self._four_cc(), self._rest()),)
        head = self.take(1)[0]
        layout, kind = head >> 4, head & 0x0F
        if layout > Multitrack.MANY_TRACKS_MANY_CODECS or kind == multitrack:
            raise PeerError(
                f"multitrack {self._medium} of type {layout}, packet type {kind}, is not"
                " known here: switch multitrack off in the encoder"
            )
        shared = "" if layout == Multitrack.MANY_TRACKS_MANY_CODECS else self._four_cc()
        if layout == Multitrack.ONE_TRACK:
            return kind, (Packet(self.take(1)[0], shared, self._rest()),)
        packets: list[Packet] = []
        while self._at < len(self._tag):
            if len(packets) == _MAX_TRACKS:
                raise PeerError(f"{_article(self._medium)} message has too many tracks")
            four_cc = shared or self._four_cc()
            track = self.take(1)[0]
            size = int.from_bytes(self.take(_UI24), "big")
            packets.append(Packet(track, four_cc, self.take(size)))
        packets.sort(key=lambda packet: packet.track)
        return kind, tuple(packets)

    def _four_cc(self) -> str:
        return self.take(4).decode("latin-1")

    def _rest(self) -> bytes:
        return self.take(len(self._tag) - self._at)


def _unknown(medium: str, kind: int) -> PeerError:
    return PeerError(
        f"{medium} packet type {kind} of Enhanced RTMP is not known here:"
        " set the encoder to H.264 video and AAC audio"
    )


def _article(medium: str) -> str:
    return f"an {medium}" if medium == "audio" else f"a {medium}"
