"""Date ranges in the media as well: ID3 in emsg boxes, for players that read no playlist tags.

Pure. ISO/IEC 23009-1 5.10.3.3 (emsg), https://aomedia.org/emsg/ID3, ID3v2.4.0 4.2.6 (TXXX).
"""

from __future__ import annotations

import json
from struct import pack
from zlib import crc32

from ingest.unit import TICKS_PER_MS, TICKS_PER_SECOND
from server.hls.playlist import DateRange
from transcode.part import Epoch, Part

SCHEME = "https://aomedia.org/emsg/ID3"
MOST_BYTES = 1024
"""Of one ID3 tag."""
MOST_LATE_MS = 1000
"""An event that is older when a part comes is in the playlist only."""
MOST_WAITING = 4000
_UNKNOWN_DURATION = 0xFFFF_FFFF
_UTF8 = 3


class InBand:
    """Events of date ranges that wait for the first part at or after their time."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[tuple[int, str, bytes]]] = {}
        """By rendition: instant, key, ID3 tag."""

    def tell(
        self, before: tuple[DateRange, ...], now: tuple[DateRange, ...], renditions: list[str]
    ) -> None:
        """Note what is new in `now`: a range's start, a range's end."""
        known = {each.id: each for each in before}
        for each in now:
            earlier = known.get(each.id)
            if earlier is None:
                self._add(each, "start", each.start_ms, renditions)
            if each.end_ms is not None and (earlier is None or earlier.end_ms is None):
                self._add(each, "end", each.end_ms, renditions)

    def boxes(self, epoch: Epoch, part: Part) -> bytes:
        """Give the emsg boxes that stand before the part: of events that are due by its end."""
        waiting = self._waiting.get(part.rendition)
        if not waiting:
            return b""
        begin_ms = epoch.pdt_ms + part.start // TICKS_PER_MS
        end_ms = epoch.pdt_ms + (part.start + part.duration) // TICKS_PER_MS
        due = [each for each in waiting if each[0] < end_ms]
        waiting[:] = [each for each in waiting if each[0] >= end_ms]
        return b"".join(
            emsg(max(0, (at_ms - epoch.pdt_ms) * TICKS_PER_MS), key, tag)
            for at_ms, key, tag in due
            if at_ms >= begin_ms - MOST_LATE_MS
        )

    def _add(self, of: DateRange, kind: str, at_ms: int, renditions: list[str]) -> None:
        event = at_ms, f"{of.id} {kind}", id3(of, kind)
        for name in renditions:
            waiting = self._waiting.setdefault(name, [])
            waiting.append(event)
            del waiting[:-MOST_WAITING]


def id3(of: DateRange, kind: str) -> bytes:
    """Write an ID3 tag with one TXXX frame: the class, and the rest as JSON. At most 1 KB.

    Attributes that do not fit are left out, the last first; the id stays.
    """
    told: dict[str, str | int | float] = {"id": of.id, "event": kind, **dict(of.attributes)}
    while True:
        value = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
        text = f"{of.class_name}\0{value}".encode()
        tag = _tag(b"TXXX" + _synchsafe(1 + len(text)) + b"\0\0" + bytes([_UTF8]) + text)
        if len(tag) <= MOST_BYTES or len(told) == 2:
            return tag[:MOST_BYTES]
        told.popitem()


def emsg(at: int, key: str, message: bytes) -> bytes:
    """Write an emsg box of version 1; `at` is in ticks of the epoch, `key` makes its id."""
    body = pack(">IIQII", 0x0100_0000, TICKS_PER_SECOND, at, _UNKNOWN_DURATION, crc32(key.encode()))
    body += SCHEME.encode() + b"\0\0" + message
    return pack(">I4s", 8 + len(body), b"emsg") + body


def _tag(frames: bytes) -> bytes:
    return b"ID3\x04\0\0" + _synchsafe(len(frames)) + frames


def _synchsafe(number: int) -> bytes:
    """Write 28 bits, seven a byte (6.2)."""
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))
