"""Opus in RTP (RFC 7587): each payload is a packet; what a decoder must be told. Pure."""

from __future__ import annotations

from typing import Final

from ingest.unit import AudioCodec, AudioConfig

RATE: Final = 48_000
"""RTP's clock and the decoder's, whatever was sampled (4.1)."""
CHANNELS: Final = 2

_HEAD: Final = (
    b"OpusHead"
    + bytes((1, CHANNELS))
    + (0).to_bytes(2, "little")  # pre-skip: a live stream has no beginning to cut
    + RATE.to_bytes(4, "little")
    + bytes((0, 0, 0))  # output gain, channel mapping family
)
"""An identification header (RFC 7845 5.1)."""

CONFIG: Final = AudioConfig(AudioCodec.OPUS, _HEAD, RATE, CHANNELS)
