"""Messages to chunks (Adobe RTMP 1.0, 5.3). Pure."""

from __future__ import annotations

from ingest.rtmp.chunk import (
    DEFAULT_CHUNK_SIZE,
    EXTENDED,
    MAX_CSID,
    MAX_LENGTH,
    NO_HEADER,
    SET_CHUNK_SIZE,
    TIMESTAMP_MASK,
    Header,
    HeaderType,
    RawMessage,
)


class ChunkWriter:
    """Messages in, bytes out.

    `repeat_extended=False` leaves the extended timestamp out of continuations, as
    older librtmp does.
    """

    __slots__ = ("_last", "_repeat_extended", "chunk_size")

    def __init__(self, repeat_extended: bool = True) -> None:
        self._last: dict[int, Header] = {}
        self._repeat_extended = repeat_extended
        self.chunk_size = DEFAULT_CHUNK_SIZE

    def write(self, message: RawMessage, kind: HeaderType = HeaderType.FULL) -> bytes:
        """Cut one message into chunks; a Set Chunk Size counts from the next one on.

        `kind` is the header of the first chunk. Raises ValueError where it cannot
        say what the message needs, or the csid or length is out of bounds.
        """
        payload = message.payload
        if not 2 <= message.csid <= MAX_CSID or len(payload) > MAX_LENGTH:
            raise ValueError("chunk stream id or message length out of bounds")
        header = self._next(message, kind)
        self._last[message.csid] = header
        extension = b"" if header.extended is None else header.extended.to_bytes(4, "big")
        size = self.chunk_size
        out = [_basic(kind, message.csid), _fields(header, kind), extension, payload[:size]]
        again = _basic(HeaderType.NONE, message.csid)
        if self._repeat_extended:
            again += extension
        for start in range(size, len(payload), size):
            out += (again, payload[start : start + size])
        if message.type_id == SET_CHUNK_SIZE:
            self.chunk_size = int.from_bytes(payload[:4], "big")
        return b"".join(out)

    def _next(self, message: RawMessage, kind: HeaderType) -> Header:
        timestamp, length = message.timestamp & TIMESTAMP_MASK, len(message.payload)
        if kind == HeaderType.FULL:
            stamp, delta = timestamp, 0
        else:
            last = self._last.get(message.csid, NO_HEADER)
            stamp = delta = (timestamp - last.timestamp) & TIMESTAMP_MASK
            same = last.stream_id == message.stream_id
            if kind >= HeaderType.SAME_LENGTH:
                same = same and (last.length, last.type_id) == (length, message.type_id)
            if not same or (kind == HeaderType.NONE and delta != last.delta):
                raise ValueError(f"header type {kind.name} cannot carry this message")
        extended = stamp if stamp >= EXTENDED else None
        if kind == HeaderType.NONE:
            extended = self._last[message.csid].extended
        return Header(timestamp, delta, length, message.type_id, message.stream_id, extended)


def _basic(kind: HeaderType, csid: int) -> bytes:
    if csid < 64:
        return bytes((kind << 6 | csid,))
    if csid < 320:
        return bytes((kind << 6, csid - 64))
    return bytes((kind << 6 | 1,)) + (csid - 64).to_bytes(2, "little")


def _fields(header: Header, kind: HeaderType) -> bytes:
    if kind == HeaderType.NONE:
        return b""
    stamp = header.timestamp if kind == HeaderType.FULL else header.delta
    out = min(stamp, EXTENDED).to_bytes(3, "big")
    if kind <= HeaderType.SAME_STREAM:
        out += header.length.to_bytes(3, "big") + bytes((header.type_id,))
    if kind == HeaderType.FULL:
        out += header.stream_id.to_bytes(4, "little")
    return out
