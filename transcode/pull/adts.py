"""ADTS frames (ISO 14496-3, 1.A.2.2): how AAC comes in MPEG-TS. Pure.

libav's decoder takes them too, but a `Unit` holds raw access units: one form for all.
"""

from __future__ import annotations

from dataclasses import dataclass

_HEADER = 7
_CRC = 2
_RATES = 13


@dataclass(frozen=True, slots=True)
class AdtsFrame:
    config: bytes
    """AudioSpecificConfig (1.6.2.1)."""
    data: bytes
    """One raw access unit."""


def parse_adts(data: bytes) -> AdtsFrame | None:
    """Take an ADTS frame apart; None when `data` is none, or one with no simple config.

    A frame of several raw blocks, or one whose channels are told by a program config
    element inside (channel configuration 0), has no AudioSpecificConfig of two bytes.
    """
    if len(data) < _HEADER or data[0] != 0xFF or data[1] & 0xF6 != 0xF0:
        return None
    object_type = (data[2] >> 6) + 1
    rate = data[2] >> 2 & 0xF
    channels = (data[2] & 1) << 2 | data[3] >> 6
    length = (data[3] & 3) << 11 | data[4] << 3 | data[5] >> 5
    start = _HEADER if data[1] & 1 else _HEADER + _CRC
    if rate >= _RATES or not channels or data[6] & 3 or not start < length <= len(data):
        return None
    config = object_type << 11 | rate << 7 | channels << 3
    return AdtsFrame(config.to_bytes(2, "big"), data[start:length])
