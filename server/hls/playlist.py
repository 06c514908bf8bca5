"""Playlists as values; the text is only their marshalling.

RFC 8216bis section 4. Pure: standard library and values only. Durations are 90 kHz
ticks, instants are UTC milliseconds on the PDT axis.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ingest.unit import TICKS_PER_SECOND
from server.instant import rfc3339

VERSION = 6
"""EXT-X-MAP outside I-frame playlists is the newest thing written (section 8)."""
DELTA_VERSION = 9
"""That of EXT-X-SKIP (section 8)."""
SKIP_TARGETS = 6
"""The Skip Boundary in target durations, as few as may be (4.4.3.8)."""

_ATTRIBUTE_NAME = re.compile(r"X-[A-Z0-9-]{1,80}")
_UNQUOTABLE = re.compile(r'["\x00-\x1f\x7f]')


def _seconds(ticks: int) -> str:
    return f"{ticks / TICKS_PER_SECOND:.5f}"


def _thousandths(ms: int) -> str:
    return f"{ms // 1000}.{ms % 1000:03d}"


def _quoted(text: str) -> str:
    return f'"{text}"'


@dataclass(frozen=True, slots=True)
class DateRange:
    """One EXT-X-DATERANGE (4.4.5.1), always written whole.

    Values never change under an `id`; only `end_ms` may be told later. Players show no
    cue without an X- attribute and freeze a range without a planned duration, so both
    are required. Raises ValueError for what cannot be written as an attribute list.
    """

    id: str
    class_name: str
    start_ms: int
    planned_ms: int
    end_ms: int | None
    attributes: tuple[tuple[str, str | int | float], ...]
    """Client-defined: names begin with `X-`."""

    def __post_init__(self) -> None:
        texts = [self.id, self.class_name]
        texts += [value for _, value in self.attributes if isinstance(value, str)]
        if not self.id or any(_UNQUOTABLE.search(text) for text in texts):
            raise ValueError(f"date range {self.id!r}: not writable as quoted strings")
        names = [name for name, _ in self.attributes]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"date range {self.id!r}: needs X- attributes, each once")
        if not all(_ATTRIBUTE_NAME.fullmatch(name) for name in names):
            raise ValueError(f"date range {self.id!r}: attribute names are X-[A-Z0-9-]")
        if self.planned_ms < 0 or (self.end_ms is not None and self.end_ms < self.start_ms):
            raise ValueError(f"date range {self.id!r}: a duration below zero")

    def agrees_with(self, later: DateRange) -> bool:
        """Tell whether `later` may follow under the same id: equal, or equal and closed."""
        end_kept = self.end_ms is None or self.end_ms == later.end_ms
        return end_kept and (
            (self.id, self.class_name, self.start_ms, self.planned_ms, self.attributes)
            == (later.id, later.class_name, later.start_ms, later.planned_ms, later.attributes)
        )

    def closed(self, end_ms: int) -> DateRange:
        """Return the range with its end told, never before its start."""
        return replace(self, end_ms=max(self.start_ms, end_ms))

    def line(self) -> str:
        """Marshal the tag with every attribute, and with its end once that is known."""
        pairs = [
            ("ID", _quoted(self.id)),
            ("CLASS", _quoted(self.class_name)),
            ("START-DATE", _quoted(rfc3339(self.start_ms))),
            ("PLANNED-DURATION", _thousandths(self.planned_ms)),
        ]
        if self.end_ms is not None:
            pairs.append(("END-DATE", _quoted(rfc3339(self.end_ms))))
            pairs.append(("DURATION", _thousandths(self.end_ms - self.start_ms)))
        for name, value in self.attributes:
            pairs.append((name, _quoted(value) if isinstance(value, str) else f"{value}"))
        return "#EXT-X-DATERANGE:" + ",".join(f"{name}={value}" for name, value in pairs)


@dataclass(frozen=True, slots=True)
class PartTag:
    """One EXT-X-PART (4.4.4.9)."""

    uri: str
    duration: int
    independent: bool

    def line(self) -> str:
        """Marshal the tag."""
        flag = ",INDEPENDENT=YES" if self.independent else ""
        return f"#EXT-X-PART:DURATION={_seconds(self.duration)},URI={_quoted(self.uri)}{flag}"


@dataclass(frozen=True, slots=True)
class Segment:
    """One Media Segment with the tags that apply to it (4.4.4)."""

    msn: int
    uri: str
    pdt_ms: int
    duration: int
    map_uri: str | None
    """None: the rendition has no initialization section in this epoch; a gap."""
    discontinuity_number: int
    discontinuity: bool
    """First of its epoch."""
    gap: bool = False
    whole: bool = True
    """False: still growing, listed by its parts alone."""
    size: int = 0
    """Bytes."""
    part_count: int = 0
    parts: tuple[PartTag, ...] = ()
    """Empty once too far from the live edge."""

    def lines(self, last_map: str | None) -> Iterator[str]:
        """Marshal; what applies to the whole segment stands before its first part."""
        if self.discontinuity:
            yield "#EXT-X-DISCONTINUITY"
        if self.map_uri is not None and (self.discontinuity or self.map_uri != last_map):
            yield f'#EXT-X-MAP:URI="{self.map_uri}"'
        yield f"#EXT-X-PROGRAM-DATE-TIME:{rfc3339(self.pdt_ms)}"
        for part in self.parts:
            yield part.line()
        if self.whole:
            if self.gap:
                yield "#EXT-X-GAP"
            yield f"#EXTINF:{_seconds(self.duration)},"
            yield self.uri


@dataclass(frozen=True, slots=True)
class RenditionReport:
    """One EXT-X-RENDITION-REPORT (4.4.5.4)."""

    uri: str
    last_msn: int
    last_part: int | None

    def line(self) -> str:
        """Marshal the tag."""
        part = "" if self.last_part is None else f",LAST-PART={self.last_part}"
        return f'#EXT-X-RENDITION-REPORT:URI="{self.uri}",LAST-MSN={self.last_msn}{part}'


class Written:
    """Text of one rendition's tags that change no more, each marshalled once.

    A segment is settled when it is whole and lists no part. The first of a playlist is not
    kept: it alone repeats EXT-X-MAP.
    """

    def __init__(self) -> None:
        self._segments: dict[int, str] = {}
        self._ranges: tuple[DateRange, ...] = ()
        self._range_lines: tuple[str, ...] = ()

    def ranges(self, ranges: tuple[DateRange, ...]) -> tuple[str, ...]:
        """Marshal date ranges, anew only when they are others."""
        if ranges is not self._ranges:
            self._ranges, self._range_lines = ranges, tuple(each.line() for each in ranges)
        return self._range_lines

    def segments(self, segments: Sequence[Segment], skipped: int) -> Iterator[str]:
        """Marshal segments behind the first `skipped`."""
        if segments and len(self._segments) > 2 * len(segments):
            first = segments[0].msn
            self._segments = {msn: text for msn, text in self._segments.items() if msn >= first}
        last_map = next((s.map_uri for s in reversed(segments[:skipped]) if s.map_uri), None)
        for position in range(skipped, len(segments)):
            segment = segments[position]
            if position == 0 or segment.parts or not segment.whole:
                yield from segment.lines(last_map)
            else:
                text = self._segments.get(segment.msn)
                if text is None:
                    text = "\n".join(segment.lines(last_map))
                    self._segments[segment.msn] = text
                yield text
            last_map = segment.map_uri or last_map


@dataclass(frozen=True, slots=True)
class MediaPlaylist:
    """A live Media Playlist at one instant."""

    target_duration: int
    """Seconds."""
    part_target_ms: int
    segments: tuple[Segment, ...]
    """In order of msn; only the last may be unfinished."""
    hint: str | None
    """URI of the next part; None once ended."""
    media_sequence: int
    discontinuity_sequence: int
    date_ranges: tuple[DateRange, ...] = ()
    reports: tuple[RenditionReport, ...] = ()
    ended: bool = False

    @property
    def skippable(self) -> int:
        """How many segments end further from the playlist's end than the Skip Boundary."""
        left = SKIP_TARGETS * self.target_duration * TICKS_PER_SECOND
        for position in range(len(self.segments) - 1, -1, -1):
            if left < 0:
                return position + 1
            left -= self.segments[position].duration
        return 0

    def text(self, written: Written | None = None, *, delta: bool = False) -> str:
        """Marshal the playlist, or the delta update (6.2.5.1) that stands for it.

        Where there is nothing to skip the delta update is the playlist. All date ranges stay
        in it.
        """
        written = written or Written()
        skipped = self.skippable if delta and not self.ended else 0
        lines = [
            "#EXTM3U",
            f"#EXT-X-VERSION:{DELTA_VERSION if skipped else VERSION}",
            f"#EXT-X-TARGETDURATION:{self.target_duration}",
            "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,"
            f"CAN-SKIP-UNTIL={SKIP_TARGETS * self.target_duration},"
            f"PART-HOLD-BACK={_thousandths(3 * self.part_target_ms)},"
            f"HOLD-BACK={3 * self.target_duration}",
            f"#EXT-X-PART-INF:PART-TARGET={_thousandths(self.part_target_ms)}",
            f"#EXT-X-MEDIA-SEQUENCE:{self.media_sequence}",
            f"#EXT-X-DISCONTINUITY-SEQUENCE:{self.discontinuity_sequence}",
            *written.ranges(self.date_ranges),
        ]
        if skipped:
            lines.append(f"#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}")
        lines += written.segments(self.segments, skipped)
        if self.hint is not None:
            lines.append(f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{self.hint}"')
        lines += [report.line() for report in self.reports]
        if self.ended:
            lines.append("#EXT-X-ENDLIST")
        return "\n".join(lines) + "\n"
