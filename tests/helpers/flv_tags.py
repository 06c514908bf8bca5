"""FLV tag bodies, as encoders send them in RTMP messages."""

from __future__ import annotations

# Baseline 3.0, 320x240, from x264; lengths of 4 bytes.
SPS = bytes.fromhex("6742c00dd90141fb011000000300100000030320f142a480")
PPS = bytes.fromhex("68cb83cb20")
AVCC = (
    bytes((1, SPS[1], SPS[2], SPS[3], 0xFF, 0xE1))
    + len(SPS).to_bytes(2, "big")
    + SPS
    + b"\x01"
    + len(PPS).to_bytes(2, "big")
    + PPS
)
ASC = bytes.fromhex("1190")
"""AAC-LC, 48 kHz, stereo."""


def avc_header(avcc: bytes = AVCC) -> bytes:
    return b"\x17\x00\x00\x00\x00" + avcc


def avc_frame(data: bytes, *, key: bool = False, composition_ms: int = 0) -> bytes:
    head = b"\x17" if key else b"\x27"
    return head + b"\x01" + composition_ms.to_bytes(3, "big", signed=True) + data


def avc_end() -> bytes:
    return b"\x17\x02\x00\x00\x00"


def aac_header(asc: bytes = ASC) -> bytes:
    return b"\xaf\x00" + asc


def aac_frame(data: bytes) -> bytes:
    return b"\xaf\x01" + data


def nal(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data
