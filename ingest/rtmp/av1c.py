"""AV1CodecConfigurationRecord (AV1 in ISOBMFF, 2.3.3): is it fit for a decoder? Pure."""

from __future__ import annotations

from typing import Final

from ingest.errors import PeerError

_HEAD: Final = 4
_MARKER_AND_VERSION: Final = 0x81
_PROFILES: Final = 3
_BAD: Final = "AV1 sequence header: "


def check_av1c(record: bytes) -> None:
    """Raise PeerError unless `record` is of version 1 and its OBUs are whole.

    There may be none: AV1 repeats its sequence header with every key picture.
    """
    if len(record) < _HEAD:
        raise PeerError(_BAD + "too short")
    if record[0] != _MARKER_AND_VERSION:
        raise PeerError(_BAD + f"it begins with 0x{record[0]:02x}, expected 0x81 (av1C)")
    if record[1] >> 5 >= _PROFILES:
        raise PeerError(_BAD + f"profile {record[1] >> 5} is reserved")
    position = _HEAD
    while position < len(record):
        position = _obu_end(record, position)


def _obu_end(record: bytes, position: int) -> int:
    """Read an OBU's header and size (AV1 specification, 5.3.1); give where it ends."""
    head = record[position]
    if head & 0x80 or not head & 0x02:
        raise PeerError(_BAD + "an OBU without its size")
    position += 2 if head & 0x04 else 1
    size = 0
    for index in range(8):  # leb128, 4.10.5
        if position >= len(record):
            raise PeerError(_BAD + "an OBU is cut short")
        byte = record[position]
        position += 1
        size |= (byte & 0x7F) << (index * 7)
        if not byte & 0x80:
            break
    else:
        raise PeerError(_BAD + "an OBU's size is too long")
    if position + size > len(record):
        raise PeerError(_BAD + "an OBU runs past its end")
    return position + size
