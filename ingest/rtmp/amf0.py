"""AMF0 values, both directions (Adobe AMF0 Specification, 2007). Pure.

| AMF0                              | Python                        |
|-----------------------------------|-------------------------------|
| number, boolean, string           | float, bool, str              |
| long string, XML document         | str                           |
| object, typed object              | dict                          |
| ECMA array                        | EcmaArray (a dict)            |
| strict array                      | list                          |
| null                              | None                          |
| undefined, unsupported, reference | UNDEFINED                     |
| date                              | Date                          |
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Final, TypeAlias

from ingest.errors import PeerError

MAX_DEPTH: Final = 16
MAX_VALUES: Final = 4096
"""In one message; the empty strict array costs its sender 5 bytes and us a list."""


class Undefined(Enum):
    UNDEFINED = "undefined"


UNDEFINED: Final = Undefined.UNDEFINED


@dataclass(frozen=True, slots=True)
class Date:
    """Milliseconds since 1970 UTC; the time zone field is reserved and always 0 (2.13)."""

    milliseconds: float


class EcmaArray(dict[str, "Value"]):
    """An associative array (2.10). Its count on the wire is a hint and is not kept."""


Value: TypeAlias = float | bool | str | Undefined | Date | dict[str, "Value"] | list["Value"] | None


class Marker(IntEnum):
    NUMBER = 0x00
    BOOLEAN = 0x01
    STRING = 0x02
    OBJECT = 0x03
    NULL = 0x05
    UNDEFINED = 0x06
    REFERENCE = 0x07
    ECMA_ARRAY = 0x08
    OBJECT_END = 0x09
    STRICT_ARRAY = 0x0A
    DATE = 0x0B
    LONG_STRING = 0x0C
    UNSUPPORTED = 0x0D
    XML_DOCUMENT = 0x0F
    TYPED_OBJECT = 0x10


_DOUBLE: Final = struct.Struct(">d")
_U16: Final = struct.Struct(">H")
_U32: Final = struct.Struct(">I")
_DATE: Final = struct.Struct(">dh")
_OBJECT_END: Final = b"\x00\x00\x09"


def decode(data: bytes) -> list[Value]:
    """Decode every value in `data`, in order.

    Strings that are not UTF-8 keep replacement characters: encoders put local
    code pages into metadata. Raises PeerError on anything else that is malformed,
    deeper than MAX_DEPTH or more than MAX_VALUES values.
    """
    reader = _Reader(data)
    values: list[Value] = []
    while reader.position < len(data):
        values.append(reader.value(0))
    return values


def encode(values: Iterable[Value]) -> bytes:
    """Encode values one after the other. Inverse of `decode` for its types."""
    out = bytearray()
    for value in values:
        _write(out, value)
    return bytes(out)


class _Reader:
    __slots__ = ("_data", "_left", "position")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left = MAX_VALUES
        self.position = 0

    def value(self, depth: int) -> Value:
        self._left -= 1
        if self._left < 0:
            raise PeerError("AMF0: too many values in one message")
        if depth > MAX_DEPTH:
            raise PeerError("AMF0: values are nested too deeply")
        marker = self._take(1)[0]
        match marker:
            case Marker.NUMBER:
                return float(_DOUBLE.unpack(self._take(8))[0])
            case Marker.STRING:
                return self._string()
            case Marker.BOOLEAN:
                return self._take(1)[0] != 0
            case Marker.NULL:
                return None
            case Marker.UNDEFINED | Marker.UNSUPPORTED:
                return UNDEFINED
            case Marker.OBJECT:
                return self._properties({}, depth, None)
            case Marker.ECMA_ARRAY:
                return self._properties(EcmaArray(), depth, self._u32())
            case _:
                return self._rare(marker, depth)

    def _rare(self, marker: int, depth: int) -> Value:
        match marker:
            case Marker.STRICT_ARRAY:
                # The count is a peer's claim: the bytes run out long before memory does.
                return [self.value(depth + 1) for _ in range(self._u32())]
            case Marker.DATE:
                return Date(_DATE.unpack(self._take(10))[0])
            case Marker.LONG_STRING | Marker.XML_DOCUMENT:
                return self._take(self._u32()).decode("utf-8", "replace")
            case Marker.TYPED_OBJECT:
                self._string()
                return self._properties({}, depth, None)
            case Marker.REFERENCE:
                self._take(2)
                return UNDEFINED
            case _:
                raise PeerError(f"AMF0: value type 0x{marker:02x} is not supported")

    def _properties(
        self, into: dict[str, Value], depth: int, count: int | None
    ) -> dict[str, Value]:
        while not self._data.startswith(_OBJECT_END, self.position):
            if count is not None and len(into) >= count and self.position == len(self._data):
                return into  # Some encoders count their ECMA array and leave the end out.
            name = self._string()
            into[name] = self.value(depth + 1)
        self.position += len(_OBJECT_END)
        return into

    def _string(self) -> str:
        size: int = _U16.unpack(self._take(2))[0]
        return self._take(size).decode("utf-8", "replace")

    def _u32(self) -> int:
        size: int = _U32.unpack(self._take(4))[0]
        return size

    def _take(self, size: int) -> bytes:
        end = self.position + size
        if end > len(self._data):
            raise PeerError("AMF0: a value runs past the end of its message")
        taken = self._data[self.position : end]
        self.position = end
        return taken


def _write(out: bytearray, value: Value) -> None:
    match value:
        case bool():
            out += bytes((Marker.BOOLEAN, value))
        case float() | int():
            out.append(Marker.NUMBER)
            out += _DOUBLE.pack(value)
        case str():
            _write_string(out, value)
        case None:
            out.append(Marker.NULL)
        case Undefined():
            out.append(Marker.UNDEFINED)
        case Date():
            out.append(Marker.DATE)
            out += _DATE.pack(value.milliseconds, 0)
        case dict():
            _write_properties(out, value)
        case list():
            out.append(Marker.STRICT_ARRAY)
            out += _U32.pack(len(value))
            for item in value:
                _write(out, item)


def _write_string(out: bytearray, value: str) -> None:
    data = value.encode()
    if len(data) > 0xFFFF:
        out.append(Marker.LONG_STRING)
        out += _U32.pack(len(data))
    else:
        out.append(Marker.STRING)
        out += _U16.pack(len(data))
    out += data


def _write_properties(out: bytearray, properties: dict[str, Value]) -> None:
    if isinstance(properties, EcmaArray):
        out.append(Marker.ECMA_ARRAY)
        out += _U32.pack(len(properties))
    else:
        out.append(Marker.OBJECT)
    for name, value in properties.items():
        data = name.encode()
        out += _U16.pack(len(data))
        out += data
        _write(out, value)
    out += _OBJECT_END
