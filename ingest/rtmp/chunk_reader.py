"""Interleaved chunks to messages (Adobe RTMP 1.0, 5.3). Pure.

Obeys the two control messages that are about chunks themselves, Set Chunk Size
and Abort (5.4.1, 5.4.2); all others go up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from struct import Struct
from typing import Final, TypeAlias

from ingest.errors import PeerError
from ingest.limits import Limits
from ingest.rtmp.chunk import (
    ABORT,
    DEFAULT_CHUNK_SIZE,
    EXTENDED,
    NO_HEADER,
    SET_CHUNK_SIZE,
    TIMESTAMP_MASK,
    Header,
    HeaderType,
    RawMessage,
)

_FIELDS: Final = (Struct(">BHBHB4s"), Struct(">BHBHB"), Struct(">BH"))
"""Of the message headers 0, 1 and 2: timestamp, length, type, stream id (5.3.1.2)."""
_FULL, _SAME_LENGTH, _NONE = (
    int(kind) for kind in (HeaderType.FULL, HeaderType.SAME_LENGTH, HeaderType.NONE)
)
"""Plain numbers: looking a member up costs more than what is done with it."""

_AMF_TYPES: Final = frozenset((15, 17, 18, 20))
_BULK_CHUNKS: Final = 2
"""From this many chunks on, one strided pass beats reading them singly."""


_Source: TypeAlias = bytes | bytearray


@dataclass(slots=True)
class _ChunkStream:
    header: Header = NO_HEADER
    payload: bytearray = field(default_factory=bytearray)
    """Of the unfinished message; empty between messages."""


class ChunkReader:
    """Bytes in, messages out. How the bytes were split never shows."""

    __slots__ = ("_buffer", "_limits", "_pending", "_streams", "chunk_size")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._buffer = bytearray()
        self._streams: dict[int, _ChunkStream] = {}
        self._pending = 0
        self.chunk_size = DEFAULT_CHUNK_SIZE

    def receive(self, data: bytes) -> list[RawMessage]:
        """Take bytes; return the messages that are now whole.

        Holds at most one unfinished chunk and Limits.message_bytes of unfinished
        messages. Raises PeerError; the reader is of no use afterwards.
        """
        held = self._buffer
        source: _Source = data
        if held:
            held += data
            source = held
        messages: list[RawMessage] = []
        position = 0
        while (end := self._chunk(source, position, messages)) is not None:
            position = end
        if source is held:
            del held[:position]
        elif position < len(data):
            held += data[position:]
        return messages

    def _chunk(self, source: _Source, start: int, messages: list[RawMessage]) -> int | None:
        """Read the chunk at `start`; return where it ends, or None while it is not whole.

        Where the message's other chunks are there too, and plain, it takes them all.
        """
        available = len(source)
        if start >= available:
            return None
        basic, position = source[start], start + 1
        csid = basic & 0x3F
        if csid < 2:  # 5.3.1.1: 0 and 1 announce one and two more bytes
            position += csid + 1
            if position > available:
                return None
            csid = 64 + int.from_bytes(source[start + 1 : position], "little")
        stream = self._streams.get(csid)
        found = self._header(source, position, basic >> 6, stream)
        if found is None:
            return None
        header, position = found
        held = len(stream.payload) if stream else 0
        end = position + min(self.chunk_size, header.length - held)
        if end > available:
            return None
        if stream is None:
            stream = self._open(csid)
        stream.header = header
        if end - position == header.length:
            self._finish(csid, header, bytes(source[position:end]), messages)
            return end
        if not held and header.extended is None and csid < 64:
            whole = self._whole(source, position, csid, header.length)
            if whole is not None:
                self._finish(csid, header, whole, messages)
                return position + header.length + (header.length - 1) // self.chunk_size
        return self._gather(source, position, end, csid, stream, messages)

    def _whole(self, source: _Source, position: int, csid: int, length: int) -> bytes | None:
        """Take a payload whose chunks are all there, one behind the other, in one pass."""
        size = self.chunk_size
        end = position + length + (length - 1) // size
        if end > len(source):
            return None
        with memoryview(source) as view:
            run = bytearray(view[position:end])
        heads = run[size :: size + 1]
        if heads.count(_NONE << 6 | csid) != len(heads):
            return None
        del run[size :: size + 1]
        return bytes(run)

    def _gather(
        self,
        source: _Source,
        position: int,
        end: int,
        csid: int,
        stream: _ChunkStream,
        messages: list[RawMessage],
    ) -> int:
        """Add one chunk, and the run of plain continuations behind it, to its message."""
        header, payload = stream.header, stream.payload
        held = len(payload)
        payload += source[position:end]
        if header.extended is None and csid < 64:
            end = self._run(source, end, _NONE << 6 | csid, stream)
        self._pending += len(payload) - held
        if self._pending > self._limits.message_bytes:
            raise PeerError("too many bytes in unfinished messages")
        if len(payload) == header.length:
            self._pending -= header.length
            whole = bytes(payload)
            payload.clear()
            self._finish(csid, header, whole, messages)
        return end

    def _run(self, source: _Source, start: int, basic: int, stream: _ChunkStream) -> int:
        """Take the full-size continuations at `start` in one pass over their headers."""
        stride = self.chunk_size + 1
        wanted = stream.header.length - len(stream.payload)
        count = min(wanted // self.chunk_size, (len(source) - start) // stride)
        if count < _BULK_CHUNKS:
            return start
        run = bytearray(source[start : start + count * stride])
        heads = bytes(run[::stride])
        same = count - len(heads.lstrip(bytes((basic,))))
        del run[same * stride :]
        del run[::stride]
        stream.payload += run
        return start + same * stride

    def _header(
        self, source: _Source, position: int, kind: int, stream: _ChunkStream | None
    ) -> tuple[Header, int] | None:
        """Read the message header; return it and where the payload begins, or None."""
        if stream is None:
            # librtmp opens with type 1 at times; the other two leave the length out.
            if kind >= _SAME_LENGTH:
                raise PeerError("a chunk stream began without a message length")
            return self._new(source, position, kind, NO_HEADER)
        if kind == _NONE:
            return _continued(source, position, stream)
        if stream.payload:
            raise PeerError("a new message began inside an unfinished one")
        return self._new(source, position, kind, stream.header)

    def _new(
        self, source: _Source, position: int, kind: int, last: Header
    ) -> tuple[Header, int] | None:
        fields = _FIELDS[kind]
        end = position + fields.size
        if end > len(source):
            return None
        said = fields.unpack_from(source, position)
        stamp = said[0] << 16 | said[1]
        _, _, length, type_id, stream_id, _ = last
        if kind != _SAME_LENGTH:
            length, type_id = said[2] << 16 | said[3], said[4]
            self._check_length(type_id, length)
        if kind == _FULL:
            stream_id = int.from_bytes(said[5], "little")
        extended = None
        if stamp == EXTENDED:
            if end + 4 > len(source):
                return None
            stamp = extended = int.from_bytes(source[end : end + 4], "big")
            end += 4
        if kind == _FULL:
            return Header(stamp, 0, length, type_id, stream_id, extended), end
        timestamp = (last.timestamp + stamp) & TIMESTAMP_MASK
        return Header(timestamp, stamp, length, type_id, stream_id, extended), end

    def _check_length(self, type_id: int, length: int) -> None:
        limits = self._limits
        limit = limits.command_bytes if type_id in _AMF_TYPES else limits.message_bytes
        if length > limit:
            raise PeerError(f"a message of {length} bytes (type {type_id}) is over the limit")

    def _open(self, csid: int) -> _ChunkStream:
        if len(self._streams) >= self._limits.chunk_streams:
            raise PeerError("too many chunk streams")
        stream = self._streams[csid] = _ChunkStream()
        return stream

    def _finish(
        self, csid: int, header: Header, payload: bytes, messages: list[RawMessage]
    ) -> None:
        if header.type_id == SET_CHUNK_SIZE:
            self._resize(payload)
        elif header.type_id == ABORT:
            self._abort(payload)
        else:
            messages.append(
                RawMessage(csid, header.type_id, header.stream_id, header.timestamp, payload)
            )

    def _resize(self, payload: bytes) -> None:
        size = int.from_bytes(payload[:4], "big")
        if len(payload) < 4 or not 0 < size <= self._limits.chunk_bytes:
            raise PeerError(f"chunk size {size} is outside 1..{self._limits.chunk_bytes}")
        self.chunk_size = size

    def _abort(self, payload: bytes) -> None:
        stream = self._streams.get(int.from_bytes(payload[:4], "big"))
        if stream is not None:
            self._pending -= len(stream.payload)
            stream.payload.clear()


def _continued(source: _Source, position: int, stream: _ChunkStream) -> tuple[Header, int] | None:
    """Read a type 3 chunk: a continuation, or a new message with the last one's delta."""
    header = stream.header
    if header.extended is not None:
        repeated = _repeats(source, position, header)
        if repeated is None:
            return None
        position += 4 * repeated
    if not stream.payload:
        # After a full header the delta is 0 (5.3.1.2.4 says otherwise; librtmp means 0).
        timestamp = (header.timestamp + header.delta) & TIMESTAMP_MASK
        header = header._replace(timestamp=timestamp)
    return header, position


def _repeats(source: _Source, position: int, header: Header) -> bool | None:
    """Tell whether the extended timestamp is repeated here; None while that is open.

    5.3.1.3 asks for it, ffmpeg obeys, librtmp before 2024 (OBS) does not.
    """
    seen = source[position : position + 4]
    open_question = False
    for value in (header.extended or 0, header.timestamp):
        expected = value.to_bytes(4, "big")
        if seen == expected:
            return True
        open_question = open_question or expected.startswith(seen)
    return None if open_question else False
