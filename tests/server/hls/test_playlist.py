from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from server.hls.multivariant import MultivariantPlaylist, Variant
from server.hls.playlist import (
    DateRange,
    MediaPlaylist,
    PartTag,
    RenditionReport,
    Segment,
)
from tests.server.hls.reader import attributes, milliseconds, read

PIN = DateRange(
    id="pin-01J",
    class_name="com.example.pin",
    start_ms=1_767_225_600_123,
    planned_ms=60_000,
    end_ms=None,
    attributes=(("X-COM-EXAMPLE-PRODUCT", "mug, blue"), ("X-COM-EXAMPLE-REV", 3)),
)
SEGMENT = Segment(
    msn=7,
    uri="r-7.m4s",
    pdt_ms=1_767_225_600_000,
    duration=180_180,
    map_uri="init-r-0.mp4",
    discontinuity_number=2,
    discontinuity=True,
    part_count=1,
    parts=(PartTag("r-p0.m4s", 180_180, independent=True),),
)
PLAYLIST = MediaPlaylist(
    target_duration=2,
    part_target_ms=355,
    segments=(SEGMENT, replace(SEGMENT, msn=8, discontinuity=False, whole=False)),
    hint="r-p2.m4s",
    media_sequence=7,
    discontinuity_sequence=1,
    date_ranges=(PIN,),
    reports=(RenditionReport("../360p/index.m3u8", 8, 0),),
)


def test_playlist_reads_back_as_the_value_it_was() -> None:
    playlist = read(PLAYLIST.text())
    assert playlist.target_duration == 2
    assert playlist.part_target == Fraction("0.355")
    assert playlist.tags["EXT-X-VERSION"] == "6"
    first = playlist.segments[0]
    assert (first.msn, first.uri, first.map_uri) == (7, "r-7.m4s", "init-r-0.mp4")
    assert (first.discontinuity, first.discontinuity_number) == (True, 2)
    assert first.pdt_ms == SEGMENT.pdt_ms
    assert first.duration == Fraction(180_180, 90_000)
    assert [part.uri for part in first.parts] == ["r-p0.m4s"]
    assert playlist.growing is not None
    assert playlist.growing.msn == 8
    assert playlist.hints == [{"TYPE": "PART", "URI": "r-p2.m4s"}]
    assert playlist.reports == [{"URI": "../360p/index.m3u8", "LAST-MSN": "8", "LAST-PART": "0"}]


def test_rule_4_hold_backs_are_three_targets() -> None:
    control = attributes(read(PLAYLIST.text()).tags["EXT-X-SERVER-CONTROL"])
    assert Fraction(control["PART-HOLD-BACK"]) == 3 * Fraction("0.355")
    assert Fraction(control["HOLD-BACK"]) == 6
    assert control["CAN-BLOCK-RELOAD"] == "YES"


def test_rule_10_map_and_date_stand_before_the_first_part() -> None:
    lines = PLAYLIST.text().splitlines()
    part = next(i for i, line in enumerate(lines) if line.startswith("#EXT-X-PART:"))
    for tag in ("#EXT-X-DISCONTINUITY", "#EXT-X-MAP:", "#EXT-X-PROGRAM-DATE-TIME:"):
        tags = [i for i, line in enumerate(lines) if line.startswith(tag) and "SEQ" not in line]
        assert tags[0] < part


def test_open_date_range_has_its_plan_and_no_end() -> None:
    pairs = attributes(PIN.line().removeprefix("#EXT-X-DATERANGE:"))
    assert milliseconds(pairs["START-DATE"]) == PIN.start_ms
    assert Fraction(pairs["PLANNED-DURATION"]) == 60
    assert pairs["X-COM-EXAMPLE-PRODUCT"] == "mug, blue"
    assert "X-COM-EXAMPLE-REV=3" in PIN.line()
    assert not {"DURATION", "END-DATE", "END-ON-NEXT"} & pairs.keys()


def test_closed_date_range_repeats_all_and_its_two_ends_agree() -> None:
    before = attributes(PIN.line().removeprefix("#EXT-X-DATERANGE:"))
    after = attributes(PIN.closed(PIN.start_ms + 4_567).line().removeprefix("#EXT-X-DATERANGE:"))
    assert {key: after[key] for key in before} == before
    assert after["DURATION"] == "4.567"
    assert milliseconds(after["END-DATE"]) - milliseconds(after["START-DATE"]) == 4_567


def test_date_range_never_ends_before_it_starts() -> None:
    assert PIN.closed(PIN.start_ms - 5).end_ms == PIN.start_ms


@pytest.mark.parametrize(
    "change",
    [
        {"id": ""},
        {"id": 'a"b'},
        {"class_name": "a\nb"},
        {"attributes": ()},
        {"attributes": (("PRODUCT", "x"),)},
        {"attributes": (("X-A", 'quote"'),)},
        {"attributes": (("X-A", 1), ("X-A", 2))},
        {"planned_ms": -1},
        {"end_ms": PIN.start_ms - 1},
    ],
)
def test_date_range_that_cannot_be_written_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="date range"):
        replace(PIN, **change)  # type: ignore[arg-type]


def test_rule_14_multivariant_describes_every_rung() -> None:
    text = MultivariantPlaylist(
        (
            Variant("720p/index.m3u8", 9, 8, "avc1.64001f", 1280, 720, Fraction(30_000, 1001)),
            Variant("audio/index.m3u8", 7, None, "mp4a.40.2"),
        )
    ).text()
    lines = text.splitlines()
    assert lines[:3] == ["#EXTM3U", "#EXT-X-VERSION:6", "#EXT-X-INDEPENDENT-SEGMENTS"]
    assert attributes(lines[3].removeprefix("#EXT-X-STREAM-INF:")) == {
        "BANDWIDTH": "9",
        "AVERAGE-BANDWIDTH": "8",
        "CODECS": "avc1.64001f",
        "RESOLUTION": "1280x720",
        "FRAME-RATE": "29.970",
        "CLOSED-CAPTIONS": "NONE",
    }
    assert lines[4] == "720p/index.m3u8"
    assert lines[5] == '#EXT-X-STREAM-INF:BANDWIDTH=7,CODECS="mp4a.40.2",CLOSED-CAPTIONS=NONE'
