"""The Opus identification header, OpusHead (RFC 7845, 5.1). Pure."""

from __future__ import annotations

from typing import Final

from ingest.errors import PeerError
from ingest.unit import AudioCodec, AudioConfig

_MAGIC: Final = b"OpusHead"
_HEAD: Final = 19
_RATE: Final = 48_000
"""Opus is decoded at 48 kHz; the header's rate is that of the microphone."""
_STEREO: Final = (
    _MAGIC + b"\x01\x02" + (312).to_bytes(2, "little") + _RATE.to_bytes(4, "little") + b"\0\0\0"
)
_BAD: Final = "Opus sequence header: "


def parse_opus_head(head: bytes) -> AudioConfig:
    """Read an identification header; an empty one stands for stereo. Raises PeerError."""
    if not head:
        return AudioConfig(AudioCodec.OPUS, _STEREO, _RATE, 2)
    if len(head) < _HEAD or not head.startswith(_MAGIC):
        raise PeerError(_BAD + "not an OpusHead")
    if head[8] >> 4:
        raise PeerError(_BAD + f"version {head[8]}")
    channels, family = head[9], head[18]
    if channels == 0 or (family == 0 and channels > 2):
        raise PeerError(_BAD + f"{channels} channels: use stereo")
    if family:
        _check_mapping(head, channels)
    return AudioConfig(AudioCodec.OPUS, head, _RATE, channels)


def assume_opus(frame: bytes) -> AudioConfig:
    """Give what an Opus packet without a header is decoded as."""
    del frame  # Mono and stereo packets alike come out of a stereo decoder.
    return parse_opus_head(b"")


def _check_mapping(head: bytes, channels: int) -> None:
    """Check the channel mapping table (5.1.1)."""
    if len(head) < _HEAD + 2 + channels:
        raise PeerError(_BAD + "its channel mapping is cut short")
    streams, coupled = head[19], head[20]
    if streams == 0 or coupled > streams or streams + coupled > 255:
        raise PeerError(_BAD + f"{coupled} coupled of {streams} streams")
    silent = 255
    if any(i != silent and i >= streams + coupled for i in head[21 : 21 + channels]):
        raise PeerError(_BAD + "a channel is mapped to a stream that is not there")
