"""A fragmented MP4 made of recorded segments as they are: what stands before them, and their times.

Pure. The file is ftyp, moov, sidx, then the segments. Each keeps its length, so that of the file is
known from theirs; only numbers in them change, where epochs are joined to one line of time.

Sources: ISO/IEC 14496-12 (boxes, cited by clause), ISO/IEC 23009-1 5.10.3.3 (emsg).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from struct import Struct, error, pack

from ingest.unit import TICKS_PER_SECOND
from transcode.chunks import TrackHead, boxes, read_chunks, read_init
from transcode.errors import MediaError
from transcode.movie_boxes import MOVIE_TIMESCALE, box

_U32 = Struct(">I")
_U64 = Struct(">Q")
_MOST_REFERENCES = 0xFFFF
"""In a sidx (8.16.3); of longer shows one stands for several segments."""
_STARTS_WITH_KEY_PICTURE = 0x9000_0000
"""starts_with_SAP, SAP_type 1."""


@dataclass(frozen=True, slots=True)
class Reach:
    """From when to when a segment goes by its own time, in seconds of its epoch."""

    begin: Fraction
    """Where its first sample is decoded."""
    end: Fraction
    """Where the last of all its tracks ends."""


def reach(segment: bytes, heads: Sequence[TrackHead]) -> Reach:
    """Measure a segment. Raises MediaError."""
    scales = {head.id: head.timescale for head in heads}
    begins: list[Fraction] = []
    ends: list[Fraction] = []
    for chunk in read_chunks(segment):
        if chunk.track not in scales:
            raise MediaError(f"samples of track {chunk.track}, which the file has not")
        begins.append(Fraction(chunk.time, scales[chunk.track]))
        ends.append(Fraction(chunk.time + sum(chunk.durations), scales[chunk.track]))
    if not begins:
        raise MediaError("a segment without samples")
    return Reach(min(begins), max(ends))


def head(init: bytes, segments: Sequence[tuple[int, int]]) -> bytes:
    """Write what comes before the segments, each told as (bytes, ticks of 90 kHz).

    Raises MediaError.
    """
    length = sum(ticks for _, ticks in segments)
    written = [
        box(kind, _with_length(init, begin, end, length))
        if kind == b"moov"
        else box(kind, init[begin:end])
        for kind, begin, end in boxes(init)
    ]
    return b"".join((*written, _sidx(read_init(init)[0], segments)))


def moved(segment: bytes, scales: Mapping[int, int], by: Fraction, number: int) -> bytes:
    """Move a segment by seconds, and number its fragments from `number` on.

    `scales`: the timescale of each track. Raises MediaError.
    """
    made = bytearray(segment)
    try:
        for kind, begin, end in boxes(segment):
            if kind == b"emsg" and segment[begin]:
                _add(made, begin + 8, by * _U32.unpack_from(segment, begin + 4)[0])
            if kind != b"moof":
                continue
            for inner, start, stop in boxes(segment, begin, end):
                if inner == b"mfhd":
                    _U32.pack_into(made, start + 4, number & 0xFFFF_FFFF)
                    number += 1
                elif inner == b"traf":
                    fields = {name: at for name, at, _ in boxes(segment, start, stop)}
                    track = _U32.unpack_from(segment, fields[b"tfhd"] + 4)[0]
                    if not segment[fields[b"tfdt"]]:
                        raise MediaError("a fragment whose time has 32 bits")
                    _add(made, fields[b"tfdt"] + 4, by * scales[track])
    except (error, KeyError, IndexError) as damage:
        raise MediaError("a fragment that is cut off") from damage
    return bytes(made)


def _add(made: bytearray, at: int, ticks: Fraction) -> None:
    _U64.pack_into(made, at, _U64.unpack_from(made, at)[0] + round(ticks))


def _with_length(init: bytes, begin: int, end: int, ticks: int) -> bytes:
    """Write the content of moov with the movie's length in its mvex (8.8.2)."""
    mehd = box(b"mehd", pack(">IQ", 1 << 24, _rescaled(ticks, MOVIE_TIMESCALE)))
    return b"".join(
        box(kind, mehd if kind == b"mvex" else b"", init[start:stop])
        for kind, start, stop in boxes(init, begin, end)
    )


def _rescaled(ticks: int, timescale: int) -> int:
    return ticks * timescale // TICKS_PER_SECOND


def _sidx(track: TrackHead, segments: Sequence[tuple[int, int]]) -> bytes:
    """Write where each segment lies and how long it is shown (8.16.3).

    In the timescale of the track that it refers to: libav takes it for that, whatever it says.
    """
    together = max(-(-len(segments) // _MOST_REFERENCES), 1)
    rows: list[bytes] = []
    begin = end = 0
    for first in range(0, len(segments), together):
        sizes, ticks = zip(*segments[first : first + together], strict=True)
        begin, end = end, end + sum(ticks)
        length = _rescaled(end, track.timescale) - _rescaled(begin, track.timescale)
        rows.append(pack(">III", sum(sizes), length, _STARTS_WITH_KEY_PICTURE))
    fields = pack(">IIIQQHH", 1 << 24, track.id, track.timescale, 0, 0, 0, len(rows))
    return box(b"sidx", fields, *rows)
