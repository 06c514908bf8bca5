"""The words of the chunk stream, for chunk_reader and chunk_writer (Adobe RTMP 1.0, 5.3). Pure."""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

DEFAULT_CHUNK_SIZE: Final = 128
SET_CHUNK_SIZE: Final = 1
ABORT: Final = 2
MAX_CSID: Final = 65_599
MAX_LENGTH: Final = 0xFFFFFF
EXTENDED: Final = 0xFFFFFF
"""In the 3-byte timestamp field: 4 bytes more follow the header."""
TIMESTAMP_MASK: Final = 0xFFFFFFFF


class HeaderType(IntEnum):
    """The four chunk message headers (5.3.1.2)."""

    FULL = 0
    SAME_STREAM = 1
    SAME_LENGTH = 2
    NONE = 3


class RawMessage(NamedTuple):
    """A message before its type is understood. `timestamp`: 32-bit milliseconds, wrapping."""

    csid: int
    type_id: int
    stream_id: int
    timestamp: int
    payload: bytes


class Header(NamedTuple):
    """What the chunks of one message say together; also what the next header may leave out."""

    timestamp: int
    delta: int
    length: int
    type_id: int
    stream_id: int
    extended: int | None
    """The extended timestamp field, where the last header of type 0-2 had one."""


NO_HEADER: Final = Header(0, 0, 0, 0, 0, None)
