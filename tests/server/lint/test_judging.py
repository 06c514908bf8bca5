"""What only a long watch, or a whole list, can tell."""

from __future__ import annotations

from fractions import Fraction

import pytest

from server.hls.bandwidth import peak_bit_rate
from server.lint.course import Course
from server.lint.ensemble import Ensemble
from server.lint.lane import Lane
from server.lint.multivariant import Stream
from server.lint.notes import Notes, Outcome
from server.lint.pace import Pace
from server.lint.reader import ReadPart, ReadPlaylist, ReadSegment
from tests.server.lint.origin import PDT, Origin, Vice

T = 90_000


@pytest.mark.parametrize(
    ("spans", "peak"),
    [
        ([(1000, 2 * T), (3000, 2 * T), (1000, 2 * T)], 12_000),
        ([(1000, 2 * T), (3000, T // 2), (1000, 2 * T)], 12_800),
        ([(900, T // 2), (900, T // 2), (900, T // 2)], 14_400),
        ([(900, T // 2)], None),
        ([(4000, 4 * T)], None),
        ([], None),
    ],
    ids=["segments", "a short one counts with its neighbour", "short ones", "short", "long", "no"],
)
def test_rule_14_the_peak_is_of_half_to_one_and_a_half_targets(
    spans: list[tuple[int, int]], peak: int | None
) -> None:
    assert peak_bit_rate(spans, 2 * T) == peak


@pytest.mark.parametrize(
    ("share", "outcome"),
    [(0.8, Outcome.BROKEN), (0.95, Outcome.KEPT), (1.05, Outcome.KEPT), (1.2, Outcome.BROKEN)],
)
def test_rule_14_bandwidth_is_within_ten_per_cent_of_the_whole_list(
    share: float, outcome: Outcome
) -> None:
    origin = Origin(Vice())
    segments = list(origin.window.renditions["audio"].segments)
    notes = Notes()
    lane = Lane("audio", None, notes, Ensemble({"audio": ""}, notes))
    lane.init("i", origin.tracks[2].init)
    body = origin.window.renditions["audio"].body
    for each in segments:
        part = ReadPart("x", Fraction(each.duration, T), True)
        segment = ReadSegment(each.msn, 0, map_uri="i", duration=part.duration, parts=[part])
        data = body(each.uri) or b""
        lane.part(segment, 0, part, data)
        lane.whole(segment)
    peak = max(each.size * 8 * T / each.duration for each in segments)
    stream = Stream("audio", "", {"BANDWIDTH": str(int(peak * share))})
    lane.close(stream, (segments[0].msn, segments[-1].msn), 1)
    seen = {each for each, _ in notes.verdicts()[13].seen}
    assert "bandwidths" in seen
    assert notes.verdicts()[13].outcome is outcome


def playlist(parts: int) -> ReadPlaylist:
    """Give a playlist whose only segment has so many parts of half a second."""
    tags = {"EXT-X-TARGETDURATION": "600", "EXT-X-PART-INF": "PART-TARGET=0.5"}
    listed = [ReadPart(f"{n}", Fraction(1, 2), True) for n in range(parts)]
    return ReadPlaylist(tags, growing=ReadSegment(0, 0, pdt_ms=PDT, parts=listed))


@pytest.mark.parametrize(
    ("drift", "outcome"),
    [(0.0, Outcome.KEPT), (0.02, Outcome.KEPT), (0.2, Outcome.BROKEN), (-0.2, Outcome.BROKEN)],
)
def test_rule_12_drift_of_a_frame_a_minute_is_found(drift: float, outcome: Outcome) -> None:
    notes = Notes()
    pace = Pace("x", notes)
    for number in range(1, 360):
        at = number / 2
        jitter = (number % 7) / 20
        pace.take(playlist(number), at, PDT / 1000 + at * (1 + drift / 60) + jitter, blocked=True)
    pace.close()
    assert notes.verdicts()[11].outcome is outcome


def test_rule_12_an_encoder_that_catches_up_once_does_not_drift() -> None:
    notes = Notes()
    pace = Pace("x", notes)
    for number in range(1, 360):
        at = number / 2
        behind = 3.0 if at < 50 else 0.4
        pace.take(playlist(number), at, PDT / 1000 + at + behind, blocked=True)
    pace.close()
    assert notes.verdicts()[11].outcome is Outcome.KEPT


@pytest.mark.parametrize(
    ("late", "outcome"),
    [(1, Outcome.KEPT), (30, Outcome.BROKEN)],
)
def test_rule_3_a_late_part_is_forgiven_and_many_are_not(late: int, outcome: Outcome) -> None:
    notes = Notes()
    pace = Pace("x", notes)
    at = 0.0
    for number in range(1, 200):
        at += 1.2 if number <= late else 0.5
        pace.take(playlist(number), at, PDT / 1000 + at, blocked=True)
    pace.close()
    assert notes.verdicts()[2].outcome is outcome


def plain(segments: int, *, ended: bool = False) -> ReadPlaylist:
    """Give a playlist without parts, of so many segments of two seconds."""
    tags = {"EXT-X-TARGETDURATION": "2", "EXT-X-MEDIA-SEQUENCE": "7"}
    listed = [ReadSegment(7 + n, 0, duration=Fraction(2), uri=f"{n}") for n in range(segments)]
    return ReadPlaylist(tags, segments=listed, ended=ended)


@pytest.mark.parametrize(
    ("counts", "ended", "faults"),
    [
        ((6,) * 13, False, ["no new segment for 12.0 s, up to the end of the watch"]),
        (
            (6, 6, 7, 7, 8, 8, 8, 8, 8),
            False,
            ["no new segment for 4.0 s, up to the end of the watch"],
        ),
        ((6, 6, 6, 6, 6, 6, 7, 7, 8), False, ["no segment for 5.0 s"]),
        ((6, 6, 7, 7, 8, 8, 9, 9, 10), False, []),
        ((6, 6, 6, 6), False, []),
        ((6,) * 13, True, []),
    ],
    ids=["never", "no more", "for a while", "in time", "not yet due", "ended"],
)
def test_rule_3_a_playlist_that_gets_no_segment_is_found(
    counts: tuple[int, ...], ended: bool, faults: list[str]
) -> None:
    notes = Notes()
    pace = Pace("x", notes)
    for second, count in enumerate(counts):
        last = ended and second == len(counts) - 1
        pace.take(plain(count, ended=last), float(second), second, blocked=False)
    pace.close()
    assert [fault.what for fault in notes.verdicts()[2].faults] == faults


def test_rule_8_a_discontinuity_sequence_that_goes_back_is_found() -> None:
    notes = Notes()
    course = Course("x", notes, Ensemble({"x": ""}, notes))
    for number in ("4", "3"):
        playlist = plain(6)
        playlist.tags["EXT-X-DISCONTINUITY-SEQUENCE"] = number
        course.take(playlist)
    assert [fault.what for fault in notes.verdicts()[7].faults] == [
        "EXT-X-DISCONTINUITY-SEQUENCE went back"
    ]
