"""VP8 in RTP (RFC 7741). Pure."""

from __future__ import annotations

from typing import Final

from ingest.errors import PeerError
from ingest.rtp.depacketize import Coded
from ingest.unit import VideoCodec, VideoConfig

_CONFIG: Final = VideoConfig(VideoCodec.VP8, b"")


class Vp8Depacketizer:
    """Joins the partitions of one frame."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0
        self._told = False

    def begins(self, payload: bytes) -> bool:
        """Tell whether this is the start of the first partition: S is 1 and PID is 0 (4.2)."""
        return bool(payload) and payload[0] & 0x17 == 0x10

    def add(self, payload: bytes) -> int:
        """Take a payload; give the frame's bytes so far. Raises PeerError."""
        if not self._pieces and not self.begins(payload):
            raise PeerError("VP8: a frame without its beginning")
        piece = payload[_descriptor(payload) :]
        if not piece:
            raise PeerError("VP8: a payload of nothing but its descriptor")
        self._pieces.append(piece)
        self._size += len(piece)
        return self._size

    def finish(self) -> Coded | None:
        data = b"".join(self._pieces)
        self.discard()
        if not data:
            return None
        key = data[0] & 1 == 0  # the inverse of P in the payload header (4.3)
        config = None
        if key and not self._told:
            config, self._told = _CONFIG, True
        return Coded(data, key, config)

    def discard(self) -> None:
        self._pieces = []
        self._size = 0


def _descriptor(payload: bytes) -> int:
    """Measure the payload descriptor (4.2). Raises PeerError."""
    size = 1
    if payload[0] & 0x80:  # X
        if len(payload) < 2:
            raise PeerError("VP8: a descriptor that is cut off")
        extension = payload[1]
        size = 2
        if extension & 0x80:  # I, of one byte or two by M
            size += 2 if len(payload) > 2 and payload[2] & 0x80 else 1
        if extension & 0x40:  # L
            size += 1
        if extension & 0x30:  # T or K
            size += 1
    if size > len(payload):
        raise PeerError("VP8: a descriptor that is cut off")
    return size
