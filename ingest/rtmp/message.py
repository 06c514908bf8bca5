"""RTMP messages by type (Adobe RTMP 1.0, 5.4 and 7.1). Pure.

Values with `raw()`, and `parse` back from a RawMessage. Set Chunk Size and Abort
are read by the chunk layer below; the former is written here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeAlias

from ingest.errors import PeerError
from ingest.rtmp import amf0
from ingest.rtmp.chunk import TIMESTAMP_MASK, RawMessage

CONTROL_CSID: Final = 2
COMMAND_CSID: Final = 3

_TAG_HEADER: Final = 11
_TAG_TRAILER: Final = 4
_AMF0_INSIDE: Final = b"\x00"
"""The format byte of an AMF3 message that encoders send."""


class MessageType(IntEnum):
    SET_CHUNK_SIZE = 1
    ABORT = 2
    ACKNOWLEDGEMENT = 3
    USER_CONTROL = 4
    WINDOW_ACK_SIZE = 5
    SET_PEER_BANDWIDTH = 6
    AUDIO = 8
    VIDEO = 9
    DATA_AMF3 = 15
    COMMAND_AMF3 = 17
    DATA = 18
    COMMAND = 20
    AGGREGATE = 22


class UserEvent(IntEnum):
    STREAM_BEGIN = 0
    PING_REQUEST = 6
    PING_RESPONSE = 7


@dataclass(frozen=True, slots=True)
class SetChunkSize:
    size: int

    def raw(self) -> RawMessage:
        return _control(MessageType.SET_CHUNK_SIZE, self.size.to_bytes(4, "big"))


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Bytes received so far, modulo 2**32."""

    sequence: int

    def raw(self) -> RawMessage:
        return _control(MessageType.ACKNOWLEDGEMENT, self.sequence.to_bytes(4, "big"))


@dataclass(frozen=True, slots=True)
class WindowAckSize:
    size: int

    def raw(self) -> RawMessage:
        return _control(MessageType.WINDOW_ACK_SIZE, self.size.to_bytes(4, "big"))


@dataclass(frozen=True, slots=True)
class SetPeerBandwidth:
    """`limit`: 0 hard, 1 soft, 2 dynamic (5.4.5)."""

    size: int
    limit: int = 2

    def raw(self) -> RawMessage:
        data = self.size.to_bytes(4, "big") + bytes((self.limit,))
        return _control(MessageType.SET_PEER_BANDWIDTH, data)


@dataclass(frozen=True, slots=True)
class UserControl:
    """`event`: a UserEvent or a number that we do not know; `data` as on the wire."""

    event: int
    data: bytes

    def raw(self) -> RawMessage:
        return _control(MessageType.USER_CONTROL, self.event.to_bytes(2, "big") + self.data)


@dataclass(frozen=True, slots=True)
class Command:
    """A command or its answer. `transaction` is echoed, never computed with."""

    name: str
    transaction: float
    arguments: tuple[amf0.Value, ...] = ()
    stream_id: int = 0

    def raw(self, csid: int = COMMAND_CSID) -> RawMessage:
        payload = amf0.encode((self.name, self.transaction, *self.arguments))
        return RawMessage(csid, MessageType.COMMAND, self.stream_id, 0, payload)


@dataclass(frozen=True, slots=True)
class Data:
    """Script data: `@setDataFrame`, `onMetaData`, ... and what follows."""

    values: tuple[amf0.Value, ...]

    def raw(self, csid: int, stream_id: int, timestamp: int = 0) -> RawMessage:
        return RawMessage(csid, MessageType.DATA, stream_id, timestamp, amf0.encode(self.values))


@dataclass(frozen=True, slots=True)
class Audio:
    timestamp: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Video:
    timestamp: int
    payload: bytes


Message: TypeAlias = (
    Acknowledgement
    | WindowAckSize
    | SetPeerBandwidth
    | UserControl
    | Command
    | Data
    | Audio
    | Video
)


def parse(raw: RawMessage) -> tuple[Message, ...]:
    """Understand a message: one, several (an aggregate), or none (a type we do not use).

    Script data that cannot be read is none either: encoders put values of their own into it,
    and it only ever hints. Raises PeerError where another payload is not what its type promises.
    """
    payload = raw.payload
    match raw.type_id:
        case MessageType.VIDEO:
            return (Video(raw.timestamp, payload),)
        case MessageType.AUDIO:
            return (Audio(raw.timestamp, payload),)
        case MessageType.COMMAND:
            return (_command(payload, raw.stream_id),)
        case MessageType.COMMAND_AMF3:
            return (_command(_unwrap(payload), raw.stream_id),)
        case MessageType.DATA:
            return _data(payload)
        case MessageType.DATA_AMF3:
            return _data(payload[1:]) if payload[:1] == _AMF0_INSIDE else ()
        case MessageType.AGGREGATE:
            return _aggregate(raw)
        case _:
            control = _read_control(raw.type_id, payload)
            return () if control is None else (control,)


def _read_control(type_id: int, payload: bytes) -> Message | None:
    match type_id:
        case MessageType.ACKNOWLEDGEMENT:
            return Acknowledgement(_u32(payload))
        case MessageType.WINDOW_ACK_SIZE:
            return WindowAckSize(_u32(payload))
        case MessageType.SET_PEER_BANDWIDTH:
            return SetPeerBandwidth(_u32(payload), payload[4] if len(payload) > 4 else 2)
        case MessageType.USER_CONTROL:
            if len(payload) < 2:
                raise PeerError("a user control message without an event")
            return UserControl(int.from_bytes(payload[:2], "big"), payload[2:])
        case _:
            return None


def _control(type_id: MessageType, payload: bytes) -> RawMessage:
    return RawMessage(CONTROL_CSID, type_id, 0, 0, payload)


def _u32(payload: bytes) -> int:
    if len(payload) < 4:
        raise PeerError("a control message is too short")
    return int.from_bytes(payload[:4], "big")


def _unwrap(payload: bytes) -> bytes:
    """Take off the format byte before the AMF0 values of an AMF3 message."""
    if payload[:1] != _AMF0_INSIDE:
        raise PeerError("an AMF3 message does not hold AMF0 values")
    return payload[1:]


def _command(payload: bytes, stream_id: int) -> Command:
    values = amf0.decode(payload)
    if not values or not isinstance(values[0], str):
        raise PeerError("a command without a name")
    said = values[1] if len(values) > 1 else None
    transaction = said if isinstance(said, float) else 0.0  # which asks for no answer
    return Command(values[0], transaction, tuple(values[2:]), stream_id)


def _data(payload: bytes) -> tuple[Message, ...]:
    try:
        return (Data(tuple(amf0.decode(payload))),)
    except PeerError:
        return ()


def _aggregate(raw: RawMessage) -> tuple[Message, ...]:
    """Split an aggregate (7.1.6): FLV tags, their times relative to the first one's."""
    data, position = raw.payload, 0
    first: int | None = None
    messages: list[Message] = []
    while position + _TAG_HEADER <= len(data):
        kind = data[position]
        size = int.from_bytes(data[position + 1 : position + 4], "big")
        low = int.from_bytes(data[position + 4 : position + 7], "big")
        stamp = data[position + 7] << 24 | low
        start = position + _TAG_HEADER
        if start + size > len(data):
            raise PeerError("an aggregate message ends inside a tag")
        if first is None:
            first = stamp
        if kind in {MessageType.AUDIO, MessageType.VIDEO, MessageType.DATA}:
            timestamp = (raw.timestamp + stamp - first) & TIMESTAMP_MASK
            tag = data[start : start + size]
            messages += parse(RawMessage(raw.csid, kind, raw.stream_id, timestamp, tag))
        position = start + size + _TAG_TRAILER
    return tuple(messages)
