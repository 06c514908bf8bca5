"""VPCodecConfigurationRecord (VP Codec ISO Media File Format Binding, 2.2). Pure."""

from __future__ import annotations

from typing import Final

from ingest.errors import PeerError

_FULL_BOX: Final = 4
"""Version and flags of the box, which FFmpeg sends before the record."""
_RECORD: Final = 8
_PROFILES: Final = 4
_BAD: Final = "VP8 or VP9 sequence header: "


def check_vpcc(record: bytes) -> None:
    """Raise PeerError unless `record` is whole, with or without its box's version.

    Nothing in it is needed to decode; codecs that define no initialization data have none.
    """
    # No record begins so: its third byte holds the bit depth.
    boxed = record[:_FULL_BOX] == b"\x01\x00\x00\x00"
    bare = record[_FULL_BOX:] if boxed else record
    if len(bare) < _RECORD:
        raise PeerError(_BAD + "too short")
    if bare[0] >= _PROFILES:
        raise PeerError(_BAD + f"profile {bare[0]}")
    if len(bare) < _RECORD + int.from_bytes(bare[6:8], "big"):
        raise PeerError(_BAD + "its initialization data is cut short")
