"""HEVCDecoderConfigurationRecord (ISO 14496-15, 8.3.3.1): is it fit for a decoder? Pure."""

from __future__ import annotations

from typing import Final

from ingest.errors import PeerError

_HEAD: Final = 23
_NEEDED: Final = {32: "VPS", 33: "SPS", 34: "PPS"}
"""nal_unit_type, ITU-T H.265 table 7-1."""
_BAD: Final = "HEVC sequence header: "


def check_hvcc(record: bytes) -> None:
    """Raise PeerError unless `record` holds whole VPS, SPS and PPS and says how NAL units are cut.

    Arrays of other NAL units (SEI) may be there; bytes after the last array are let be.
    """
    if len(record) < _HEAD:
        raise PeerError(_BAD + "too short")
    if record[0] != 1:
        raise PeerError(_BAD + f"version {record[0]}, expected 1 (Annex B in place of hvcC?)")
    if record[21] & 3 == 2:
        raise PeerError(_BAD + "NAL unit lengths of 3 bytes")
    missing, position = dict(_NEEDED), _HEAD
    for _ in range(record[22]):
        head = record[position : position + 3]
        if len(head) < 3:
            raise PeerError(_BAD + "an array of NAL units is cut short")
        kind, count = head[0] & 0x3F, int.from_bytes(head[1:], "big")
        position = _nal_units(record, position + 3, count, kind)
        if count:
            missing.pop(kind, None)
    if missing:
        raise PeerError(_BAD + f"no {next(iter(missing.values()))}")


def _nal_units(record: bytes, position: int, count: int, kind: int) -> int:
    name = _NEEDED.get(kind, f"NAL unit of type {kind}")
    for _ in range(count):
        start = position + 2
        end = start + int.from_bytes(record[position:start], "big")
        if end < start + 2 or end > len(record):
            raise PeerError(_BAD + f"the {name} runs past its end")
        found = record[start] >> 1 & 0x3F
        if found != kind:
            raise PeerError(_BAD + f"NAL unit type {found} where {name} belongs")
        position = end
    return position
