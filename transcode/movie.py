"""A plain MP4 made of recorded segments, without touching a sample.

Pure. The file is ftyp, moov, mdat; in mdat lie the segments whole, one behind the other, and the
sample tables point past their moof boxes at the media. So the file's length is known before its
first byte is sent, and any range of it is a range of segments.

Sources: ISO/IEC 14496-12 (boxes, cited by clause).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from struct import pack

from transcode.chunks import Chunk, TrackHead
from transcode.errors import MediaError
from transcode.movie_boxes import MOVIE_TIMESCALE, box, mdia, mvhd, tkhd
from transcode.sample_table import SampleTable

_HOLE = Fraction(1, 2)
"""Seconds without media that are waited out; longer ones are left out."""
_1904 = 2_082_844_800
"""Seconds from the epoch of ISO 14496-12 to that of Unix."""
_LARGEST_OFFSET = (1 << 32) - (1 << 28)
"""Longer movies get 64-bit chunk offsets; what is spared is more than any moov."""
_FTYP = box(b"ftyp", b"isom", pack(">I", 0x200), b"isomiso2avc1mp41")


class Movie:
    """Collects segments in order; then writes what stands before their bytes.

    Its axis begins with the first sample to be decoded; times on it are in seconds.
    """

    def __init__(self, heads: Sequence[TrackHead], made_s: int = 0) -> None:
        """`made_s`: when it was recorded, in Unix seconds. Raises MediaError without tracks."""
        if not heads:
            raise MediaError("a movie needs a track")
        self._tables = {head.id: SampleTable(head) for head in heads}
        self._made = made_s + _1904 & 0xFFFF_FFFF
        self.size = 0
        """Bytes of the segments so far."""

    @property
    def end(self) -> Fraction:
        """Where the last sample ends."""
        return max(table.end_s for table in self._tables.values())

    def add(self, chunks: Iterable[Chunk], size: int, *, anew: bool = False) -> Fraction:
        """Append a segment of `size` bytes; give where it begins on the movie's axis.

        `anew`: its times have nothing to do with those before (another epoch): it follows at
        once, as it does behind a hole. Raises MediaError for a track that the movie has not, and
        for times that go back.
        """
        found = list(chunks)
        firsts: dict[int, Chunk] = {}
        for chunk in found:
            if chunk.track not in self._tables:
                raise MediaError(f"samples of track {chunk.track}, which the movie has not")
            firsts.setdefault(chunk.track, chunk)
        if not firsts:
            raise MediaError("a segment without samples")
        if anew or not self.size or self._is_behind_a_hole(firsts):
            self._join(firsts)
        begin = min(self._tables[track].place(chunk.time) for track, chunk in firsts.items())
        for chunk in found:
            self._tables[chunk.track].add(chunk, self.size)
        self.size += size
        return begin

    def head(self, start: Fraction | None = None, stop: Fraction | None = None) -> bytes:
        """Write everything that comes before the segments' bytes.

        What is before `start` and from `stop` on is in the file and not shown (an edit list,
        8.6.6): a cut to the frame, though it begins with the key picture before it.
        """
        tables = [table for table in self._tables.values() if table.count]
        if not tables:
            raise MediaError("a movie without samples")
        first = min(table.first_s for table in tables)
        window = (max(first, first if start is None else start), self.end if stop is None else stop)
        if window[1] <= window[0]:
            raise MediaError("a movie that ends before it begins")
        wide = self.size > _LARGEST_OFFSET
        mdat = pack(">I4sQ", 1, b"mdat", 16 + self.size) if wide else b""
        mdat = mdat or pack(">I4s", 8 + self.size, b"mdat")
        before = len(_FTYP) + len(self._moov(tables, window, 0, wide)) + len(mdat)
        return _FTYP + self._moov(tables, window, before, wide) + mdat

    def _is_behind_a_hole(self, firsts: dict[int, Chunk]) -> bool:
        tables = self._tables
        return all(tables[t].place(c.time) - tables[t].end_s > _HOLE for t, c in firsts.items())

    def _join(self, firsts: dict[int, Chunk]) -> None:
        """Have the segment that comes begin where all tracks have ended, in sync as it was."""
        own = min(Fraction(c.time, self._tables[t].head.timescale) for t, c in firsts.items())
        for table in self._tables.values():
            table.shift_to(own, self.end)

    def _moov(
        self, tables: list[SampleTable], window: tuple[Fraction, Fraction], base: int, wide: bool
    ) -> bytes:
        length = round((window[1] - window[0]) * MOVIE_TIMESCALE)
        ids = max(table.head.id for table in tables) + 1
        header = mvhd(ids, self._made, length)
        return box(b"moov", header, *(self._trak(table, window, base, wide) for table in tables))

    def _trak(
        self, table: SampleTable, window: tuple[Fraction, Fraction], base: int, wide: bool
    ) -> bytes:
        head, (elst, length) = table.head, table.edits(*window)
        return box(
            b"trak",
            tkhd(head, self._made, length),
            box(b"edts", elst),
            mdia(head, table.stbl(base, wide), self._made, table.length),
        )
