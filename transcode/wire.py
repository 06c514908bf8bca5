"""Messages on the pipe between the web process and a worker: framing, both directions.

Pure: bytes in, messages out. A message is its payload's length (4 bytes), its kind
(1 byte) and the payload. Units and parts have fixed headers and their data as it is;
the rest is `plain`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from enum import IntEnum
from struct import Struct
from typing import Final

from ingest.unit import AudioConfig, AudioUnit, StreamInfo, Unit, VideoConfig, VideoUnit
from transcode.errors import WireError
from transcode.message import Close as Close
from transcode.message import Closed as Closed
from transcode.message import Down as Down
from transcode.message import Feed as Feed
from transcode.message import Health as Health
from transcode.message import Interrupt as Interrupt
from transcode.message import Message as Message
from transcode.message import Open as Open
from transcode.message import Show as Show
from transcode.message import Shown as Shown
from transcode.message import Splice as Splice
from transcode.message import Tick as Tick
from transcode.message import Up as Up
from transcode.part import Epoch, Part
from transcode.plain import dump, load

MAX_MESSAGE: Final = 32 * 1024 * 1024
"""Bytes of payload: a scene's three images, or a part of the best rung, several times over."""

_FRAME = Struct(">IB")
_ARRIVED = Struct(">q")
_VIDEO = Struct(">qqq?")
_AUDIO = Struct(">qq")
_VIDEO_MESSAGE = Struct(">IBqqq?")
_AUDIO_MESSAGE = Struct(">IBqq")
"""The same with the frame before it."""
_PART = Struct(">IIIqIBB")
_INDEPENDENT, _LAST = 1, 2


class Kind(IntEnum):
    """The byte that tells what a payload is."""

    OPEN = 1
    VIDEO = 2
    AUDIO = 3
    VIDEO_CONFIG = 4
    AUDIO_CONFIG = 5
    STREAM_INFO = 6
    SHOW = 7
    SPLICE = 8
    CLOSE = 9
    INTERRUPT = 10
    TICK = 11
    EPOCH = 16
    PART = 17
    SHOWN = 18
    HEALTH = 19
    CLOSED = 20


_VIDEO_KIND, _AUDIO_KIND = int(Kind.VIDEO), int(Kind.AUDIO)
_Plain = Open | Show | Splice | Interrupt | Tick | Close | Epoch | Shown | Health | Closed
_PLAIN: Final[dict[Kind, type[_Plain]]] = {
    Kind.OPEN: Open,
    Kind.SHOW: Show,
    Kind.SPLICE: Splice,
    Kind.INTERRUPT: Interrupt,
    Kind.TICK: Tick,
    Kind.CLOSE: Close,
    Kind.EPOCH: Epoch,
    Kind.SHOWN: Shown,
    Kind.HEALTH: Health,
    Kind.CLOSED: Closed,
}
_CONFIGS: Final[dict[Kind, type[VideoConfig | AudioConfig | StreamInfo]]] = {
    Kind.VIDEO_CONFIG: VideoConfig,
    Kind.AUDIO_CONFIG: AudioConfig,
    Kind.STREAM_INFO: StreamInfo,
}
_KINDS: Final[dict[type, Kind]] = {made: kind for kind, made in {**_PLAIN, **_CONFIGS}.items()}


def encode(message: Message) -> bytes:
    """Give `message` its bytes. Raises WireError when it is too large or a number too big."""
    try:
        match message:
            case Feed():
                return b"".join(feed_pieces(message.unit, message.arrived_ms))
            case Part():
                return _framed(Kind.PART, *_encode_part(message))
            case _:
                return _framed(_KINDS[type(message)], dump(message))
    except struct.error as error:
        raise WireError(f"{type(message).__name__}: {error}") from error


def feed_pieces(unit: Unit, arrived_ms: int) -> tuple[bytes, ...]:
    """Give the bytes of a Feed, the message that there are most of, in pieces to be written as one.

    A picture is a piece of its own, not copied. Raises WireError.
    """
    try:
        if isinstance(unit, VideoUnit):
            size = _checked(_VIDEO.size + len(unit.data))
            dts, pts, key = unit.dts, unit.pts, unit.keyframe
            return _VIDEO_MESSAGE.pack(size, _VIDEO_KIND, arrived_ms, dts, pts, key), unit.data
        if isinstance(unit, AudioUnit):
            size = _checked(_AUDIO.size + len(unit.data))
            return (_AUDIO_MESSAGE.pack(size, _AUDIO_KIND, arrived_ms, unit.pts) + unit.data,)
        return (_framed(_KINDS[type(unit)], _ARRIVED.pack(arrived_ms), dump(unit)),)
    except struct.error as error:
        raise WireError(f"{type(unit).__name__}: {error}") from error


def _framed(kind: Kind, *pieces: bytes) -> bytes:
    size = _checked(sum(map(len, pieces)))
    return b"".join((_FRAME.pack(size, kind), *pieces))


def _checked(size: int) -> int:
    if size > MAX_MESSAGE:
        raise WireError(f"a message of {size} bytes is too large")
    return size


def _encode_part(part: Part) -> tuple[bytes, ...]:
    name = part.rendition.encode()
    flags = _INDEPENDENT * part.independent | _LAST * part.last
    head = _PART.pack(
        part.epoch, part.segment, part.index, part.start, part.duration, flags, len(name)
    )
    return head, name, part.data


class Decoder:
    """Cuts a byte stream into messages. Holds at most one unfinished message."""

    def __init__(self, max_message: int = MAX_MESSAGE) -> None:
        self._max_message = max_message
        self._held = bytearray()
        self._needed = _FRAME.size
        """Bytes that `_held` must have before another look at it is worth while."""
        self._failure: WireError | None = None

    def feed(self, data: bytes) -> list[Message]:
        """Take the next bytes; give the messages that they complete.

        Raises WireError for an unknown kind, a size over the cap or a payload that is
        not what its kind says; the stream cannot be trusted after, and it raises again.
        """
        if self._failure is not None:
            raise WireError("the stream is broken") from self._failure
        if self._held:
            self._held += data
            if len(self._held) < self._needed:
                return []
        source = self._held or data
        messages: list[Message] = []
        try:
            with memoryview(source) as view:
                used = self._cut(view, messages)
        except WireError as error:
            self._failure = error
            raise
        if source is self._held:
            del self._held[:used]
        else:
            self._held += data[used:]
        return messages

    def _cut(self, view: memoryview, messages: list[Message]) -> int:
        position = 0
        while True:
            start = position + _FRAME.size
            if start > len(view):
                self._needed = _FRAME.size
                return position
            size, kind = _FRAME.unpack_from(view, position)
            if size > self._max_message:
                raise WireError(f"a message of {size} bytes is over the cap")
            if start + size > len(view):
                self._needed = _FRAME.size + size
                return position
            with view[start : start + size] as payload:
                messages.append(_decode(kind, payload))
            position = start + size


def _decode(kind: int, payload: memoryview) -> Message:
    try:
        known = Kind(kind)
    except ValueError:
        raise WireError(f"message kind {kind} is unknown") from None
    special = _SPECIAL.get(known)
    try:
        if special is not None:
            return special(payload)
        if known in _CONFIGS:
            (arrived,) = _ARRIVED.unpack_from(payload)
            with payload[_ARRIVED.size :] as rest:
                return Feed(load(_CONFIGS[known], rest), arrived)
        return load(_PLAIN[known], payload)
    except (struct.error, UnicodeDecodeError) as error:
        raise WireError(f"{known.name}: {error}") from error


def _decode_video(payload: memoryview) -> Feed:
    arrived, dts, pts, keyframe = _VIDEO.unpack_from(payload)
    return Feed(VideoUnit(dts, pts, keyframe, bytes(payload[_VIDEO.size :])), arrived)


def _decode_audio(payload: memoryview) -> Feed:
    arrived, pts = _AUDIO.unpack_from(payload)
    return Feed(AudioUnit(pts, bytes(payload[_AUDIO.size :])), arrived)


def _decode_part(payload: memoryview) -> Part:
    epoch, segment, index, start, duration, flags, length = _PART.unpack_from(payload)
    end = _PART.size + length
    if end > len(payload):
        raise WireError("PART: cut short")
    return Part(
        epoch=epoch,
        rendition=str(payload[_PART.size : end], "utf-8"),
        segment=segment,
        index=index,
        start=start,
        duration=duration,
        independent=bool(flags & _INDEPENDENT),
        last=bool(flags & _LAST),
        data=bytes(payload[end:]),
    )


_SPECIAL: Final[dict[Kind, Callable[[memoryview], Message]]] = {
    Kind.VIDEO: _decode_video,
    Kind.AUDIO: _decode_audio,
    Kind.PART: _decode_part,
}
