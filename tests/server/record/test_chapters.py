"""Chapters and storyboards: where products and pictures lie in a replay."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from server.instant import rfc3339
from server.record.axis import Axis
from server.record.chapters import (
    Chapter,
    Showing,
    chapters,
    chapters_vtt,
    explanation,
    showings,
    timestamp,
)
from server.record.recording import RecordedEpoch, RecordedSegment, RecordedTrack, Recording
from server.record.storyboard import MOST, poster, shots, smallest, storyboard_vtt

T0 = 1_700_000_000_000
AWAY_MS = 60_000


def segment(number: int, epoch: int = 0, *, gap: bool = False) -> RecordedSegment:
    at = T0 + 2_000 * number + AWAY_MS * epoch
    size = 0 if gap else 1000
    return RecordedSegment(epoch, number, f"s{number}.m4s", "i.mp4", at, 180_000, size, False)


def show(*segments: RecordedSegment) -> Recording:
    tracks = tuple(
        RecordedTrack(name, "avc1", 1, width, width * 9 // 16, None, "i.mp4")
        for name, width in (("720p", 1280), ("360p", 640), ("audio", 0))
    )
    epochs = tuple(RecordedEpoch(n, T0 + n * AWAY_MS, tracks) for n in range(2))
    kept = {track.name: segments for track in tracks}
    return Recording("demo", "s", "Demo", T0, T0 + 100_000, epochs, kept)


SHOW = show(*(segment(n) for n in range(10)), *(segment(n, 1) for n in range(10, 15)))
AXIS = Axis.of(SHOW)


def pin(product: str, start: int, end: int | None, name: str = "") -> dict[str, object]:
    return {
        "id": name or f"pin-{product}-{start}",
        "product_id": product,
        "start": rfc3339(T0 + start * 1000),
        "end": None if end is None else rfc3339(T0 + end * 1000),
        "product": {"id": product, "title": product.title()},
    }


def shown(*pins: object) -> tuple[Showing, ...]:
    return showings({"intervals": list(pins)})


def told(found: tuple[Chapter, ...]) -> list[tuple[str, float, float]]:
    return [(one.product, one.start_ms / 1000, one.end_ms / 1000) for one in found]


@pytest.mark.parametrize(
    ("seconds", "at"),
    [(-5, 0), (0, 0), (3.5, 3.5), (19.9, 19.9), (40, 20), (80, 20), (85, 25), (99, 30)],
)
def test_a_date_has_one_place_in_the_replay(seconds: float, at: float) -> None:
    assert AXIS.replay_ms(T0 + round(seconds * 1000)) == at * 1000


def test_a_recording_of_nothing_has_an_axis_too() -> None:
    empty = Axis.of(replace(SHOW, renditions={}))
    assert (empty.replay_ms(T0), empty.end_ms) == (0, 0)


def test_each_explanation_is_a_chapter() -> None:
    found = chapters(shown(pin("tea", 2, 6), pin("cup", 4, 9), pin("tea", 12, 14)), AXIS)
    assert told(found) == [("tea", 2, 6), ("cup", 4, 9), ("tea", 12, 14)]


def test_a_price_that_changes_does_not_cut_a_chapter_in_two() -> None:
    found = chapters(shown(pin("tea", 2, 6), pin("cup", 3, 4), pin("tea", 6, 9)), AXIS)
    assert told(found) == [("tea", 2, 9), ("cup", 3, 4)]


def test_pins_across_a_gap_in_it_and_without_an_end() -> None:
    found = chapters(shown(pin("tea", 18, 82), pin("cup", 30, 70), pin("pot", 84, None)), AXIS)
    assert told(found) == [("tea", 18, 22), ("pot", 24, 30)]


@pytest.mark.parametrize(
    "broken",
    [
        None,
        5,
        {},
        {"id": 3},
        {**pin("tea", 1, 2), "start": "yesterday"},
        {"id": "a", "start": None},
    ],
)
def test_what_makes_no_sense_in_a_stored_timeline_is_left_out(broken: object) -> None:
    assert [one.product for one in shown(broken, pin("cup", 1, 2))] == ["cup"]
    assert showings({"intervals": broken}) == ()


def test_a_clip_of_a_pin_takes_what_adjoins_of_the_same_product() -> None:
    some = shown(pin("tea", 2, 6, "a"), pin("tea", 6, 9, "b"), pin("tea", 20, 22, "c"))
    found = explanation(some, "a")
    assert found is not None
    assert (found.start_ms - T0, found.end_ms) == (2_000, T0 + 9_000)
    assert explanation(some, "c") == some[2]
    assert explanation(some, "x") is None


def test_chapters_are_written_as_webvtt_and_titles_are_only_text() -> None:
    made = (
        Chapter("tea", "A <b>& co\n\n--> tea", 1_500, 3_723_004),
        Chapter("x", "X", 4_000_000, 4_000_001),
    )
    assert chapters_vtt(made) == (
        "WEBVTT\n\n"
        "1\n00:00:01.500 --> 01:02:03.004\nA &lt;b&gt;&amp; co --&gt; tea\n\n"
        "2\n01:06:40.000 --> 01:06:40.001\nX\n"
    )
    assert chapters_vtt(()) == "WEBVTT\n"
    assert timestamp(360_000_000) == "100:00:00.000"


def test_thumbnails_are_even_and_none_is_of_a_gap() -> None:
    gaps = {4, 5, 6}
    there = show(*(segment(n, gap=n in gaps) for n in range(12)))
    found = shots(there, "360p", Axis.of(there))
    assert [shot.segment.msn for shot in found] == [0, 2, 7, 8, 10]
    assert [shot.start_ms for shot in found] == [0, 4_000, 14_000, 16_000, 20_000]
    assert [shot.end_ms for shot in found] == [4_000, 14_000, 16_000, 20_000, 24_000]


def test_a_long_show_has_no_more_thumbnails_than_fit() -> None:
    long = show(*(segment(n) for n in range(10_000)))
    found = shots(long, "360p", Axis.of(long))
    assert MOST * 0.9 < len(found) <= MOST
    apart = {b.start_ms - a.start_ms for a, b in itertools.pairwise(found)}
    assert max(apart) - min(apart) <= 2_000


def test_thumbnails_come_of_the_smallest_rung_with_pictures() -> None:
    assert smallest(SHOW) == "360p"
    assert smallest(replace(SHOW, renditions={"audio": SHOW.renditions["audio"]})) is None


@pytest.mark.parametrize(
    ("pins", "chosen"),
    [
        ((), 5),
        ((pin("tea", 6, 20),), 4),
        ((pin("tea", 6, 7), pin("cup", 7, 20)), 4),
        ((pin("tea", 6, None),), 4),
        ((pin("tea", 500, None),), 5),
    ],
)
def test_the_poster_shows_the_first_card(pins: tuple[object, ...], chosen: int) -> None:
    found = poster(SHOW, "720p", shown(*pins))
    assert found is not None
    assert found.msn == chosen


def test_a_show_without_a_picture_has_no_poster() -> None:
    assert poster(show(segment(0, gap=True)), "720p", ()) is None


def test_a_storyboard_names_pieces_of_sheets() -> None:
    taken = shots(SHOW, "360p", AXIS)
    lines = storyboard_vtt(taken * 15, 160, 90).split("\n")
    assert lines[:3] == ["WEBVTT", "", "00:00:00.000 --> 00:00:04.000"]
    assert lines[3] == "storyboard-0.jpg#xywh=0,0,160,90"
    named = [line for line in lines if "#" in line]
    assert named[13] == "storyboard-0.jpg#xywh=480,90,160,90"
    assert named[101] == "storyboard-1.jpg#xywh=160,0,160,90"
