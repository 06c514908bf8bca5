"""Reads playlists back, knowing nothing of how they are written.

Pure: standard library only. What can be read on is a fault beside the playlist, with the
number of the rule that it breaks; what cannot is a PlaylistError.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(,|$)')
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3,9}(Z|[+-]\d{2}:?\d{2})", re.ASCII)
_BEFORE_PARTS = ("EXT-X-DISCONTINUITY", "EXT-X-MAP", "EXT-X-PROGRAM-DATE-TIME")
_ONCE = frozenset(
    f"EXT-X-{name}"
    for name in (
        "VERSION", "TARGETDURATION", "SERVER-CONTROL", "PART-INF", "MEDIA-SEQUENCE",
        "DISCONTINUITY-SEQUENCE", "SKIP", "PLAYLIST-TYPE", "START",
    )
)  # fmt: skip


MOST_SKIPPED = 100_000


class PlaylistError(ValueError):
    """It is no playlist that a client could read."""


def attributes(text: str) -> dict[str, str]:
    """Read an attribute list (4.2), quotes taken off. Raises PlaylistError."""
    found: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = _ATTRIBUTE.match(text, position)
        if match is None:
            raise PlaylistError(f"not an attribute list: {text[position : position + 80]}")
        if match[1] in found:
            raise PlaylistError(f"{match[1]} twice in one tag")
        found[match[1]] = match[2].strip('"')
        position = match.end()
    return found


def milliseconds(text: str) -> int:
    """Read a date as UTC milliseconds. Raises PlaylistError for one without a zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise PlaylistError(f"not a date: {text[:40]}") from error
    if moment.tzinfo is None:
        raise PlaylistError(f"a date without its zone: {text}")
    return round(moment.timestamp() * 1000)


def is_exact_date(text: str) -> bool:
    """Tell whether a date has milliseconds and a zone."""
    return _DATE.fullmatch(text) is not None


def number(text: str) -> int:
    """Read a decimal-integer. Raises PlaylistError."""
    if not re.fullmatch(r"[0-9]{1,20}", text, re.ASCII):
        raise PlaylistError(f"not a decimal integer: {text[:40]}")
    return int(text)


def seconds(text: str) -> Fraction:
    """Read a decimal-floating-point. Raises PlaylistError."""
    if not re.fullmatch(r"[0-9]{1,20}(\.[0-9]{1,20})?", text, re.ASCII):
        raise PlaylistError(f"not a decimal number: {text[:40]}")
    return Fraction(text)


@dataclass
class ReadPart:
    uri: str
    duration: Fraction
    independent: bool
    gap: bool = False
    byterange: str | None = None


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
    """Those that stand once."""
    segments: list[ReadSegment] = field(default_factory=list)
    growing: ReadSegment | None = None
    hints: list[dict[str, str]] = field(default_factory=list)
    ranges: dict[str, dict[str, str]] = field(default_factory=dict)
    reports: list[dict[str, str]] = field(default_factory=list)
    ended: bool = False
    skipped: int = 0
    others: set[str] = field(default_factory=set)
    """Names of tags that are not read."""
    faults: list[tuple[int, str]] = field(default_factory=list)

    @property
    def media_sequence(self) -> int:
        return number(self.tags.get("EXT-X-MEDIA-SEQUENCE", "0"))

    @property
    def discontinuity_sequence(self) -> int:
        return number(self.tags.get("EXT-X-DISCONTINUITY-SEQUENCE", "0"))

    @property
    def version(self) -> int:
        return number(self.tags.get("EXT-X-VERSION", "1"))

    @property
    def target_duration(self) -> int:
        return number(self.tags["EXT-X-TARGETDURATION"])

    @property
    def has_part_target(self) -> bool:
        return "PART-TARGET=" in self.tags.get("EXT-X-PART-INF", "")

    @property
    def part_target(self) -> Fraction:
        """Seconds. Raises PlaylistError where there is none."""
        return seconds(attributes(self.tags.get("EXT-X-PART-INF", "")).get("PART-TARGET", ""))

    @property
    def control(self) -> dict[str, str]:
        return attributes(self.tags.get("EXT-X-SERVER-CONTROL", ""))

    @property
    def all_segments(self) -> list[ReadSegment]:
        return [*self.segments, *([self.growing] if self.growing else [])]

    @property
    def newest(self) -> tuple[int, int]:
        """Msn of the segment that is not whole yet, and how many of its parts are listed."""
        growing = self.growing
        msn = self.media_sequence + len(self.segments)
        return msn, len(growing.parts) if growing else 0


class _Reader:
    """Where the reading stands: the segment that the next tags apply to."""

    def __init__(self, before: ReadPlaylist | None) -> None:
        self.playlist = ReadPlaylist()
        self._before = before
        self._number = 0
        self._map_uri: str | None = None
        self.segment: ReadSegment | None = None

    def current(self) -> ReadSegment:
        if self.segment is None:
            msn = self.playlist.media_sequence + len(self.playlist.segments)
            self.segment = ReadSegment(msn, self._number, map_uri=self._map_uri)
        return self.segment

    def fault(self, rule: int, what: str) -> None:
        self.playlist.faults.append((rule, what))

    def uri(self, line: str) -> None:
        segment = self.current()
        if segment.duration is None:
            raise PlaylistError(f"a URI without EXTINF: {line[:80]}")
        segment.uri = line
        self.playlist.segments.append(segment)
        self.segment = None

    def segment_tag(self, tag: str, value: str) -> bool:
        """Read a tag of 4.4.4; those of the whole segment come before its parts."""
        if tag in _BEFORE_PARTS and self.current().parts:
            self.fault(10, f"{tag} stands behind a part of its segment")
        if tag == "EXT-X-DISCONTINUITY":
            self._number += 1
            segment = self.current()
            segment.discontinuity, segment.discontinuity_number = True, self._number
        elif tag == "EXT-X-MAP":
            self._map_uri = self.current().map_uri = attributes(value).get("URI")
        elif tag == "EXT-X-PROGRAM-DATE-TIME":
            self.current().pdt_ms = milliseconds(value)
            if not is_exact_date(value):
                self.fault(12, "a date without milliseconds")
        elif tag == "EXT-X-GAP":
            self.current().gap = True
        elif tag == "EXTINF":
            self.current().duration = seconds(value.partition(",")[0])
        elif tag == "EXT-X-PART":
            self._part(attributes(value))
        else:
            return False
        return True

    def _part(self, pairs: dict[str, str]) -> None:
        if "URI" not in pairs or "DURATION" not in pairs:
            raise PlaylistError("EXT-X-PART without URI or DURATION")
        part = ReadPart(
            pairs["URI"],
            seconds(pairs["DURATION"]),
            pairs.get("INDEPENDENT") == "YES",
            pairs.get("GAP") == "YES",
            pairs.get("BYTERANGE"),
        )
        self.current().parts.append(part)

    def playlist_tag(self, tag: str, value: str) -> None:
        """Read a tag of 4.4.1, 4.4.3 or 4.4.5."""
        playlist = self.playlist
        if tag == "EXT-X-PRELOAD-HINT":
            playlist.hints.append(attributes(value))
        elif tag == "EXT-X-DATERANGE":
            pairs = attributes(value)
            if pairs.setdefault("ID", "") in playlist.ranges:
                self.fault(16, f"the date range {pairs['ID']} stands twice")
            playlist.ranges[pairs["ID"]] = pairs
        elif tag == "EXT-X-RENDITION-REPORT":
            playlist.reports.append(attributes(value))
        elif tag == "EXT-X-ENDLIST":
            playlist.ended = True
        elif tag in _ONCE:
            if tag in playlist.tags:
                raise PlaylistError(f"{tag} twice")
            playlist.tags[tag] = value
            self._header(tag, value)
        elif tag.startswith("EXT"):
            playlist.others.add(tag)

    def _header(self, tag: str, value: str) -> None:
        if tag == "EXT-X-DISCONTINUITY-SEQUENCE":
            self._number = number(value)
        elif tag == "EXT-X-SKIP":
            self.playlist.skipped = number(attributes(value).get("SKIPPED-SEGMENTS", ""))
            if self.playlist.skipped > MOST_SKIPPED:
                raise PlaylistError("EXT-X-SKIP skips more than any playlist holds")
            self._skip()

    def _skip(self) -> None:
        """Put in what the playlist before has for the segments that are left out (6.3.7)."""
        playlist = self.playlist
        known = {each.msn: each for each in (self._before.segments if self._before else ())}
        for msn in range(playlist.media_sequence, playlist.media_sequence + playlist.skipped):
            if msn not in known:
                self.fault(6, "it skips a segment that the playlist before does not list")
                known[msn] = ReadSegment(msn, self._number, map_uri=self._map_uri)
            playlist.segments.append(known[msn])
            self._number, self._map_uri = known[msn].discontinuity_number, known[msn].map_uri


def read(text: str, before: ReadPlaylist | None = None) -> ReadPlaylist:
    """Read a media playlist; a delta update is merged with the one `before`.

    Raises PlaylistError.
    """
    first, *lines = text.splitlines() or [""]
    if first.strip() != "#EXTM3U":
        raise PlaylistError("it does not begin with #EXTM3U")
    reader = _Reader(before)
    for line in filter(None, lines):
        tag, _, value = line.removeprefix("#").partition(":")
        if not line.startswith("#"):
            reader.uri(line)
        elif not reader.segment_tag(tag, value):
            reader.playlist_tag(tag, value)
    if "EXT-X-TARGETDURATION" not in reader.playlist.tags:
        raise PlaylistError("EXT-X-TARGETDURATION is missing")
    reader.playlist.growing = reader.segment
    return reader.playlist
