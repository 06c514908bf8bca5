"""FLAC's STREAMINFO (RFC 9639, 8.2), as Enhanced RTMP sends it before the frames. Pure."""

from __future__ import annotations

from typing import Final

from ingest.errors import PeerError
from ingest.unit import AudioCodec, AudioConfig

_MAGIC: Final = b"fLaC"
_BLOCK_HEADER: Final = 4
_SIZE: Final = 34
_BAD: Final = "FLAC sequence header: "


def parse_stream_info(header: bytes) -> AudioConfig:
    """Read `fLaC` with its first metadata block, or the bare block that FFmpeg sends.

    `extradata` is the bare block. Raises PeerError.
    """
    if header.startswith(_MAGIC):
        block = header[len(_MAGIC) :]
        if not block or block[0] & 0x7F:
            raise PeerError(_BAD + "the first metadata block is not STREAMINFO")
        header = block[_BLOCK_HEADER:]
    info = header[:_SIZE]
    if len(info) < _SIZE:
        raise PeerError(_BAD + "too short")
    # 20 bits of sample rate, 3 of channels less one, 5 of sample size less one.
    fields = int.from_bytes(info[10:14], "big")
    rate, channels = fields >> 12, (fields >> 9 & 7) + 1
    if rate == 0:
        raise PeerError(_BAD + "no sample rate")
    return AudioConfig(AudioCodec.FLAC, info, rate, channels)
