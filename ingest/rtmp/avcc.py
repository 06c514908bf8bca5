"""AVCDecoderConfigurationRecord (ISO 14496-15, 5.3.3.1): is it fit for a decoder? Pure."""

from __future__ import annotations

from typing import Final

from ingest.errors import PeerError

_SPS: Final = 7
_PPS: Final = 8
_HEAD: Final = 6
_BAD: Final = "H.264 sequence header: "


def check_avcc(record: bytes) -> None:
    """Raise PeerError unless `record` holds whole SPS and PPS and says how NAL units are cut."""
    if len(record) < _HEAD + 1:
        raise PeerError(_BAD + "too short")
    if record[0] != 1:
        raise PeerError(_BAD + f"version {record[0]}, expected 1 (Annex B in place of avcC?)")
    if record[4] & 3 == 2:
        raise PeerError(_BAD + "NAL unit lengths of 3 bytes")
    position = _parameter_sets(record, _HEAD, record[5] & 0x1F, _SPS)
    if position >= len(record):
        raise PeerError(_BAD + "no PPS")
    _parameter_sets(record, position + 1, record[position], _PPS)


def _parameter_sets(record: bytes, position: int, count: int, nal_type: int) -> int:
    name = "SPS" if nal_type == _SPS else "PPS"
    if count == 0:
        raise PeerError(_BAD + f"no {name}")
    for _ in range(count):
        start = position + 2
        end = start + int.from_bytes(record[position:start], "big")
        if end <= start or end > len(record):
            raise PeerError(_BAD + f"the {name} runs past its end")
        if record[start] & 0x1F != nal_type:
            raise PeerError(_BAD + f"NAL unit type {record[start] & 0x1F} where {name} belongs")
        position = end
    return position
