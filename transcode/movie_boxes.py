"""The boxes that a movie has whether it is fragmented or not: its header, its tracks' heads.

Pure. Source: ISO/IEC 14496-12, cited by clause. Times are in seconds of its own epoch, lengths
in MOVIE_TIMESCALE unless a track's is named; both are 0 where fragments will tell.
"""

from __future__ import annotations

from struct import pack

from transcode.chunks import TrackHead

MOVIE_TIMESCALE = 1000

_MATRIX = pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x4000_0000)
_UNDETERMINED = 0x55C4
"""ISO 639-2 `und`, five bits a letter (8.4.2.3)."""
_ENABLED_IN_MOVIE = 3
_SOUND = b"soun"


def box(kind: bytes, *content: bytes) -> bytes:
    """Write a box (4.2)."""
    return pack(">I4s", 8 + sum(map(len, content)), kind) + b"".join(content)


def full_box(kind: bytes, version: int, flags: int, *content: bytes) -> bytes:
    """Write a box with a version and flags (4.2)."""
    return box(kind, pack(">I", version << 24 | flags), *content)


def mvhd(next_track: int, made: int = 0, length: int = 0) -> bytes:
    """Write the movie's header (8.2.2). `next_track`: the lowest id that is free."""
    times = pack(">IIII", made, made, MOVIE_TIMESCALE, length)
    at_rate_and_volume = pack(">IH10x", 0x10000, 0x100)
    return full_box(b"mvhd", 0, 0, times, at_rate_and_volume, _MATRIX, pack(">24xI", next_track))


def tkhd(track: TrackHead, made: int = 0, length: int = 0) -> bytes:
    """Write a track's header (8.3.2)."""
    return full_box(
        b"tkhd",
        0,
        _ENABLED_IN_MOVIE,
        pack(">IIIII8x", made, made, track.id, 0, length),
        pack(">HHHH", 0, 0, 0x100 if track.handler == _SOUND else 0, 0),
        _MATRIX,
        pack(">II", track.width << 16, track.height << 16),
    )


def mdia(track: TrackHead, stbl: bytes, made: int = 0, length: int = 0) -> bytes:
    """Write a track's media (8.4) around its sample table. `length`: in the track's timescale."""
    if track.handler == _SOUND:
        name, media = b"SoundHandler\x00", full_box(b"smhd", 0, 0, bytes(4))
    else:
        name, media = b"VideoHandler\x00", full_box(b"vmhd", 0, 1, bytes(8))
    dref = full_box(b"dref", 0, 0, pack(">I", 1), full_box(b"url ", 0, 1))
    return box(
        b"mdia",
        _mdhd(track.timescale, made, length),
        full_box(b"hdlr", 0, 0, pack(">I4s12x", 0, track.handler), name),
        box(b"minf", media, box(b"dinf", dref), stbl),
    )


def _mdhd(timescale: int, made: int, length: int) -> bytes:
    """Write the media's header (8.4.2), wide where a long movie needs it."""
    language = pack(">HH", _UNDETERMINED, 0)
    if length < 1 << 32:
        return full_box(b"mdhd", 0, 0, pack(">IIII", made, made, timescale, length), language)
    return full_box(b"mdhd", 1, 0, pack(">QQIQ", made, made, timescale, length), language)
