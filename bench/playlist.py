"""Media playlists as a benchmark reads them: the newest part and when it plays.

Standard library only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from math import isnan

from bench.report import BenchError

_TAG = re.compile(r"#(EXTINF|EXT-X-PART|EXT-X-PROGRAM-DATE-TIME):(.*)")
_DURATION = re.compile(r"DURATION=([0-9.]+)")
_URI = re.compile(r'URI="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Edge:
    """The end of a media playlist."""

    msn: int
    """Of the segment that is not whole yet."""
    parts: int
    """Listed parts of it."""
    end_ms: float
    """PDT at which the newest part ends."""
    part_seconds: float
    """Its duration; 0 when no part is listed."""
    part_uri: str


def edge(text: str) -> Edge:
    """Read the end of a playlist. Raises BenchError when it is not one with dates."""
    first = re.search(r"#EXT-X-MEDIA-SEQUENCE:(\d+)", text)
    if first is None:
        raise BenchError("a playlist without EXT-X-MEDIA-SEQUENCE")
    msn, parts, seconds, uri = int(first[1]), 0, 0.0, ""
    clock = begin = float("nan")
    for tag, value in _TAG.findall(text):
        match tag:
            case "EXT-X-PROGRAM-DATE-TIME":
                clock = begin = datetime.fromisoformat(value.strip()).timestamp() * 1000
            case "EXT-X-PART":
                found, where = _DURATION.search(value), _URI.search(value)
                if found and where:
                    parts, seconds, uri = parts + 1, float(found[1]), where[1]
                    clock += seconds * 1000
            case _:
                # The date stands at a segment's head, so its parts have moved the clock.
                clock = begin = begin + float(value.split(",")[0]) * 1000
                parts, msn = 0, msn + 1
    if isnan(clock):
        raise BenchError("a playlist without EXT-X-PROGRAM-DATE-TIME")
    return Edge(msn, parts, clock, seconds, uri)
