"""What the beginning of an MP4 file tells of its order (ISO/IEC 14496-12, 4.2). Pure."""

from __future__ import annotations

from struct import Struct
from typing import Final

HEAD_BYTES: Final = 4096
"""Enough to see which of index and media comes first."""
_BOX: Final = Struct(">I4s")
_LARGE: Final = Struct(">Q")


def is_index_last(head: bytes) -> bool:
    """Tell whether a file that begins so has its media (`mdat`) before its index (`moov`).

    False for what is no MP4, and where neither is in sight.
    """
    at, seen = 0, b""
    while at + _BOX.size <= len(head):
        size, kind = _BOX.unpack_from(head, at)
        if at == 0 and kind not in (b"ftyp", b"wide", b"mdat"):
            return False
        if kind in (b"mdat", b"moov", b"moof"):
            seen = kind
            break
        if size == 1 and at + _BOX.size + _LARGE.size <= len(head):
            size = _LARGE.unpack_from(head, at + _BOX.size)[0]
        if size < _BOX.size:
            return False
        at += size
    return seen == b"mdat"
