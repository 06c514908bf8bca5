"""Rule 6: delta updates, and what one rendering costs."""

from __future__ import annotations

import asyncio
from fractions import Fraction

from hypothesis import example, given
from hypothesis import strategies as st

from server.hls.listing import media_playlist
from server.hls.playlist import DateRange, Written
from server.hls.request import PlaylistRequest, read_directives
from tests.server.hls.reader import ReadPlaylist, attributes, read
from tests.server.hls.show import PART, PDT, SMALL, TRACKS, VIDEO, Show, on_air
from tests.server.hls.test_edge import answered, made, until

BOUNDARY = 12
"""Seconds: six target durations."""


def texts(show: Show, name: str = "720p", written: Written | None = None) -> tuple[str, str]:
    """Give the whole playlist and the delta update."""
    playlist = media_playlist(show.window, name)
    return playlist.text(written), playlist.text(written, delta=True)


def merged(show: Show, before: ReadPlaylist) -> tuple[ReadPlaylist, ReadPlaylist]:
    """Read the playlist as it is, whole and as a delta update to the one before."""
    whole, delta = texts(show)
    return read(whole), read(delta, before)


def same(whole: ReadPlaylist, delta: ReadPlaylist) -> bool:
    return (whole.segments, whole.growing, whole.ranges, whole.hints, whole.reports) == (
        delta.segments,
        delta.growing,
        delta.ranges,
        delta.hints,
        delta.reports,
    )


def test_rule_6_the_merge_is_the_whole_playlist() -> None:
    show = on_air(12)
    show.window.annotate(
        (DateRange("pin-1", "com.example.pin", PDT + 100, 1000, None, (("X-P", "cup"),)),)
    )
    before = read(texts(show)[0])
    for step in range(40):
        show.part()
        if step == 20:
            show.epoch(tracks=(VIDEO, SMALL), after_ms=300)
        whole, delta = merged(show, before)
        assert delta.skipped > 0
        assert same(whole, delta)
        before = delta


@example([1, 5, 5, 8, 8, 9], False)
@given(st.lists(st.integers(1, 9), max_size=12), st.booleans())
def test_rule_6_only_segments_behind_the_boundary_are_skipped(cuts: list[int], ended: bool) -> None:
    show = on_air()
    for parts in cuts:
        for number in range(parts):
            show.part(last=number == parts - 1)
    show.part()
    if ended:
        show.window.end()
    whole, delta = (read(text, read(texts(show)[0])) for text in texts(show))
    assert same(whole, delta)
    # By the ticks: what is written is rounded, and can pass the boundary that it only reaches.
    lasts = [Fraction(parts * PART, 90_000) for parts in (*cuts, 1)]
    assert len(lasts) == len(whole.all_segments)
    behind = [sum(lasts[n + 1 :], Fraction(0)) > BOUNDARY for n in range(len(lasts))]
    assert delta.skipped == (0 if ended else sum(behind))


def test_rule_6_the_boundary_is_six_target_durations_in_every_rendition() -> None:
    show = on_air(8)
    for track in TRACKS:
        control = read(texts(show, track.name)[0]).tags["EXT-X-SERVER-CONTROL"]
        assert attributes(control)["CAN-SKIP-UNTIL"] == str(BOUNDARY)
        assert "CAN-SKIP-DATERANGES" not in control


def test_rule_6_all_date_ranges_are_repeated() -> None:
    show = on_air(15)
    for number in range(5):
        at = PDT + number * 100
        pin = DateRange(f"pin-{number}", "com.example.pin", at, 1000, None, (("X-P", "cup"),))
        show.window.annotate((pin,))
    whole, delta = merged(show, read(texts(show)[0]))
    assert len(delta.ranges) == 5
    assert delta.ranges == whole.ranges


def test_rule_18_the_version_is_nine_only_with_a_skip() -> None:
    show = on_air(3)
    whole, delta = texts(show)
    assert whole == delta, "there is nothing to skip"
    assert "#EXT-X-VERSION:6\n" in whole
    show.segments(7)
    whole, delta = texts(show)
    assert "#EXT-X-VERSION:6\n" in whole
    assert "#EXT-X-VERSION:9\n" in delta
    assert delta.count("#EXT-X-SKIP:") == 1


def test_rule_6_yes_and_v2_ask_for_it_and_nothing_else_does() -> None:
    for value in ("YES", "v2"):
        request = read_directives("720p", {"_HLS_skip": value, "_HLS_msn": "4"})
        assert request == PlaylistRequest("720p", 4, None, skip=True)
    for value in ("NO", "yes", "", "v3"):
        assert read_directives("720p", {"_HLS_skip": value}) == PlaylistRequest("720p")


@given(st.lists(st.sampled_from(["part", "short", "epoch", "pin", "end"]), max_size=60))
def test_what_was_written_before_is_written_the_same(steps: list[str]) -> None:
    show = on_air(0, listed=6)
    written = {track.name: Written() for track in TRACKS}
    for number, step in enumerate(steps):
        match step:
            case "part":
                show.parts(4)
            case "short":
                show.part(last=True)
            case "epoch":
                tracks = (TRACKS, (VIDEO, SMALL), (SMALL,))[number % 3]
                show.epoch(tracks=tracks, after_ms=200)
            case "pin":
                now = show.window.latest_pdt_ms or PDT
                pin = DateRange(f"p{number}", "com.x", now, 9, now + number, (("X-P", 1),))
                show.window.annotate((pin,))
            case "end" if number == len(steps) - 1:
                show.window.end()
        for name in show.window.renditions:
            assert texts(show, name, written[name]) == texts(show, name)


async def test_rule_6_waiters_share_one_delta_update() -> None:
    show = on_air(12)
    edge, _ = made(show)
    query = {"_HLS_msn": "12", "_HLS_part": "0"}
    skipping = [
        asyncio.create_task(answered(edge.playlist("720p", {**query, "_HLS_skip": value})))
        for value in ("YES", "v2") * 10
    ]
    whole = asyncio.create_task(answered(edge.playlist("720p", query)))
    await until(lambda: edge.waiting == 21)
    before = read(texts(show)[0])
    show.part()
    edge.published()
    answers = [await task for task in skipping]
    assert all(answer is answers[0] for answer in answers)
    full = await whole
    assert answers[0].etag != full.etag
    assert len(answers[0].body) < len(full.body)
    assert same(read(full.body.decode()), read(answers[0].body.decode(), before))


async def test_rule_15_nothing_is_compressed_before_it_is_asked_for() -> None:
    show = on_air(3)
    edge, _ = made(show)
    answer = await answered(edge.playlist("720p", {}))
    assert answer.gzip is not None
    assert not answer.gzip.made
    assert answer.gzip.body() is answer.gzip.body()
    assert answer.gzip.made


async def test_rule_6_after_endlist_and_for_the_multivariant_it_is_ignored() -> None:
    show = on_air(12)
    edge, _ = made(show)
    variants = await answered(edge.playlist(None, {"_HLS_skip": "YES"}))
    assert variants is await answered(edge.playlist(None, {}))
    show.window.end()
    ended = await answered(edge.playlist("720p", {"_HLS_skip": "YES"}))
    assert b"EXT-X-SKIP" not in ended.body
