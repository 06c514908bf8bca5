"""What all renditions must share: boundaries, dates, controls, date ranges, reports. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar
from urllib.parse import urljoin

from server.lint.notes import Notes
from server.lint.reader import ReadPlaylist, ReadSegment, number

_T = TypeVar("_T")
FRAME = Fraction(50, 1000)
"""Seconds, the longest frame that matters."""
KEPT_SEGMENTS = 4000


@dataclass(frozen=True, slots=True)
class _Told:
    """What the first rendition said of a segment."""

    name: str
    pdt_ms: int | None
    number: int
    discontinuity: bool


class Ensemble:
    """Compares renditions with each other. `urls` are those of their playlists, by name."""

    def __init__(self, urls: dict[str, str], notes: Notes) -> None:
        self._urls = urls
        self._notes = notes
        self._shared: dict[str, tuple[str, str]] = {}
        self._dates: dict[int, _Told] = {}
        self._durations: dict[int, tuple[str, Fraction]] = {}
        self._begins: dict[int, tuple[str, Fraction]] = {}
        self._sounds: dict[int, tuple[str, bytes]] = {}
        self._newest: dict[str, tuple[int, int]] = {}
        self._ranges: dict[str, dict[str, str]] = {}
        self._range_sets: dict[str, set[str]] = {}

    def playlist(self, name: str, playlist: ReadPlaylist) -> None:
        """Compare what stands at a playlist's head and end."""
        if name not in self._newest:
            control = ",".join(f"{key}={value}" for key, value in sorted(playlist.control.items()))
            self._same(4, "EXT-X-SERVER-CONTROL", name, control)
            self._same(11, "EXT-X-TARGETDURATION", name, str(playlist.target_duration))
        for key, pairs in playlist.ranges.items():
            self._range(name, key, pairs)
        self._reports(name, playlist)
        self._newest[name] = max(playlist.newest, self._newest.get(name, (0, 0)))

    def _same(self, rule: int, what: str, name: str, value: str) -> None:
        first, told = self._shared.setdefault(what, (name, value))
        if first != name:
            where = f"{first}: {told}; {name}: {value}"
            self._notes.check(rule, "renditions", told == value, f"{what} differs", where)

    def segment(self, name: str, segment: ReadSegment) -> None:
        """Compare a segment, whole or growing, with the others' of its number."""
        told = _Told(name, segment.pdt_ms, segment.discontinuity_number, segment.discontinuity)
        first = self._remember(self._dates, segment.msn, told)
        where = f"segment {segment.msn} of {first.name} and {name}"
        if first.name != name:
            check = self._notes.check
            same = first.number == told.number and first.discontinuity == told.discontinuity
            check(10, "segments", same, "a discontinuity is not in all renditions", where)
            if None not in (first.pdt_ms, told.pdt_ms):
                apart = abs((first.pdt_ms or 0) - (told.pdt_ms or 0))
                what = f"dates differ by {apart} ms"
                check(12, "segments of two renditions", apart <= float(FRAME) * 1000, what, where)
        if segment.duration is not None:
            teller, lasts = self._remember(self._durations, segment.msn, (name, segment.duration))
            if teller != name:
                apart_s = abs(lasts - segment.duration)
                what = f"durations differ by {float(apart_s):.3f} s"
                self._notes.check(11, "segments", apart_s <= FRAME, what, where)

    def begin(self, name: str, msn: int, begin: Fraction) -> None:
        """Compare the media time at which a segment begins."""
        first, told = self._remember(self._begins, msn, (name, begin))
        if first != name:
            apart = abs(told - begin)
            what = f"media times differ by {float(apart):.3f} s"
            where = f"segment {msn} of {first} and {name}"
            self._notes.check(11, "timestamps", apart <= FRAME, what, where)

    def sound(self, name: str, msn: int, digest: bytes) -> None:
        """Compare the bytes of a whole segment's sound."""
        first, told = self._remember(self._sounds, msn, (name, digest))
        if first != name:
            where = f"segment {msn} of {first} and {name}"
            what = "the sound differs between renditions"
            self._notes.check(14, "sounds", told == digest, what, where)

    def _remember(self, known: dict[int, _T], msn: int, value: _T) -> _T:
        if len(known) > KEPT_SEGMENTS:
            del known[next(iter(known))]
        return known.setdefault(msn, value)

    def _range(self, name: str, key: str, pairs: dict[str, str]) -> None:
        before = self._ranges.get(key)
        self._range_sets.setdefault(name, set()).add(key)
        if before is None or before == pairs:
            self._ranges[key] = pairs
            return
        # One rendition's playlist may be older than another's: whichever lacks the end is.
        early, late = sorted((before, pairs), key=len)
        kept = all(late.get(each) == value for each, value in early.items())
        added = late.keys() - early.keys() <= {"END-DATE", "DURATION"}
        what = "a date range changed under its id"
        self._notes.check(16, "date ranges told again", kept and added, what, f"{name}, {key}")
        self._ranges[key] = late

    def _reports(self, name: str, playlist: ReadPlaylist) -> None:
        if playlist.ended or playlist.newest < self._newest.get(name, (0, 0)):
            return
        base = self._urls[name]
        reports = {urljoin(base, report.get("URI", "")): report for report in playlist.reports}
        for other, url in self._urls.items():
            if other == name:
                continue
            report = reports.get(url)
            what = "a playlist has no EXT-X-RENDITION-REPORT for another rendition"
            there = self._notes.check(14, "rendition reports", report is not None, what, name)
            if there and report is not None and "LAST-MSN" in report:
                known = self._newest.get(other, (0, 0))[0]
                fresh = number(report["LAST-MSN"]) >= known - 2
                what = "a rendition report is behind the rendition"
                self._notes.check(14, "rendition reports", fresh, what, f"{name} on {other}")

    def close(self) -> None:
        """Compare what all renditions have told in the end."""
        if not self._ranges:
            return
        for name in self._urls:
            missing = self._ranges.keys() - self._range_sets.get(name, set())
            what = "date ranges of one rendition are not in another"
            self._notes.check(16, "renditions", not missing, what, f"{name}: {sorted(missing)}")
