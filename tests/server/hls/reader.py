"""Reads media playlists back, knowing nothing of how they are written."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(,|$)')


def attributes(text: str) -> dict[str, str]:
    """Read an attribute list (RFC 8216bis 4.2); every character must belong to one."""
    found: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = _ATTRIBUTE.match(text, position)
        assert match, f"not an attribute list: {text[position:]}"
        assert match[1] not in found, f"{match[1]} twice"
        found[match[1]] = match[2].strip('"')
        position = match.end()
    return found


def milliseconds(text: str) -> int:
    moment = datetime.fromisoformat(text)
    assert moment.tzinfo is not None
    return round(moment.timestamp() * 1000)


@dataclass
class ReadPart:
    uri: str
    duration: Fraction
    independent: bool


@dataclass
class ReadSegment:
    msn: int
    discontinuity_number: int
    discontinuity: bool = False
    map_uri: str | None = None
    pdt_ms: int | None = None
    gap: bool = False
    duration: Fraction | None = None
    uri: str | None = None
    parts: list[ReadPart] = field(default_factory=list)


@dataclass
class ReadPlaylist:
    tags: dict[str, str] = field(default_factory=dict)
    segments: list[ReadSegment] = field(default_factory=list)
    growing: ReadSegment | None = None
    hints: list[dict[str, str]] = field(default_factory=list)
    ranges: dict[str, dict[str, str]] = field(default_factory=dict)
    reports: list[dict[str, str]] = field(default_factory=list)
    ended: bool = False

    @property
    def media_sequence(self) -> int:
        return int(self.tags["EXT-X-MEDIA-SEQUENCE"])

    @property
    def target_duration(self) -> int:
        return int(self.tags["EXT-X-TARGETDURATION"])

    @property
    def part_target(self) -> Fraction:
        return Fraction(attributes(self.tags["EXT-X-PART-INF"])["PART-TARGET"])

    @property
    def all_segments(self) -> list[ReadSegment]:
        return [*self.segments, *([self.growing] if self.growing else [])]


class _Reader:
    """Where the reading stands: the segment that the next tags apply to."""

    def __init__(self) -> None:
        self.playlist = ReadPlaylist()
        self._number = 0
        self._map_uri: str | None = None
        self.segment: ReadSegment | None = None

    def current(self) -> ReadSegment:
        if self.segment is None:
            msn = self.playlist.media_sequence + len(self.playlist.segments)
            self.segment = ReadSegment(msn, self._number, map_uri=self._map_uri)
        return self.segment

    def uri(self, line: str) -> None:
        segment = self.current()
        assert segment.duration is not None
        segment.uri = line
        self.playlist.segments.append(segment)
        self.segment = None

    def segment_tag(self, tag: str, value: str) -> bool:
        """Read a tag of 4.4.4; those of the whole segment come before its parts."""
        if tag == "EXT-X-DISCONTINUITY":
            assert self.segment is None, "first of its segment's tags"
            self._number += 1
            self.current().discontinuity = True
        elif tag == "EXT-X-MAP":
            assert not self.current().parts, "EXT-X-MAP after a part"
            self._map_uri = self.current().map_uri = attributes(value)["URI"]
        elif tag == "EXT-X-PROGRAM-DATE-TIME":
            assert not self.current().parts, "EXT-X-PROGRAM-DATE-TIME after a part"
            self.current().pdt_ms = milliseconds(value)
        elif tag == "EXT-X-GAP":
            self.current().gap = True
        elif tag == "EXTINF":
            self.current().duration = Fraction(value.removesuffix(","))
        elif tag == "EXT-X-PART":
            pairs = attributes(value)
            independent = pairs.get("INDEPENDENT") == "YES"
            part = ReadPart(pairs["URI"], Fraction(pairs["DURATION"]), independent)
            self.current().parts.append(part)
        else:
            return False
        return True

    def playlist_tag(self, tag: str, value: str) -> None:
        """Read a tag of 4.4.1, 4.4.3 or 4.4.5."""
        playlist = self.playlist
        if tag == "EXT-X-PRELOAD-HINT":
            playlist.hints.append(attributes(value))
        elif tag == "EXT-X-DATERANGE":
            pairs = attributes(value)
            assert pairs["ID"] not in playlist.ranges
            playlist.ranges[pairs["ID"]] = pairs
        elif tag == "EXT-X-RENDITION-REPORT":
            playlist.reports.append(attributes(value))
        elif tag == "EXT-X-ENDLIST":
            playlist.ended = True
        else:
            assert tag not in playlist.tags, f"{tag} twice"
            playlist.tags[tag] = value
            if tag == "EXT-X-DISCONTINUITY-SEQUENCE":
                self._number = int(value)


def read(text: str) -> ReadPlaylist:
    """Read a media playlist; raise AssertionError for what a strict client would refuse."""
    first, *lines = text.splitlines()
    assert first == "#EXTM3U"
    reader = _Reader()
    for line in lines:
        tag, _, value = line.removeprefix("#").partition(":")
        if not line.startswith("#"):
            reader.uri(line)
        elif not reader.segment_tag(tag, value):
            reader.playlist_tag(tag, value)
    reader.playlist.growing = reader.segment
    return reader.playlist
