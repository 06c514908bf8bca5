"""The list reaches back into the archive, and never further than the archive does."""

from __future__ import annotations

import asyncio

from server.hls.listing import media_playlist
from server.hls.playlist import DateRange
from server.hls.request import Refusal
from server.hls.window import Window
from tests.server.hls.reader import ReadPlaylist, read
from tests.server.hls.shelf_archive import Archive
from tests.server.hls.show import PDT, TRACKS, VIDEO, Show
from tests.server.hls.test_edge import answered, made, refused, until

DVR = 60
"""Seconds; a segment lasts two."""


def on_air(segments: int, archive: Archive | None = None, dvr_seconds: int = DVR) -> Show:
    archive = archive or Archive()
    window = Window("r1", segments=6, dvr_seconds=dvr_seconds, archive=archive, scribe=archive)
    show = Show(window)
    show.epoch()
    show.segments(segments)
    return show


def playlist(show: Show, name: str = "720p") -> ReadPlaylist:
    return read(media_playlist(show.window, name).text())


def listed(show: Show, name: str = "720p") -> list[int]:
    return [segment.msn for segment in playlist(show, name).segments]


def test_older_segments_stay_listed_and_leave_memory() -> None:
    show = on_air(20)
    for track in TRACKS:
        assert listed(show, track.name) == list(range(20))
        rendition = show.window.renditions[track.name]
        assert [rendition.body(f"r1-{n}.m4s") is None for n in range(20)] == [True] * 14 + [
            False
        ] * 6
        assert [rendition.is_away(f"r1-{n}.m4s") for n in range(20)] == [True] * 14 + [False] * 6


def test_the_list_is_as_long_as_it_was_told_to_be() -> None:
    show = on_air(100)
    assert listed(show) == list(range(70, 100))
    assert playlist(show).media_sequence == 70


def test_memory_stays_the_same_however_long_the_list_is() -> None:
    short, long = on_air(40), on_air(400, dvr_seconds=1_000)
    for show in (short, long):
        show.window.expire(0)
        show.window.expire(10**9)
    held = {name: rendition.held for name, rendition in short.window.renditions.items()}
    assert {name: each.held for name, each in long.window.renditions.items()} == held


def test_without_an_archive_or_a_dvr_the_list_is_what_memory_keeps() -> None:
    bare = Show(Window("r1", segments=6, dvr_seconds=DVR))
    bare.epoch()
    bare.segments(20)
    assert listed(bare) == listed(on_air(20, dvr_seconds=0)) == list(range(14, 20))


def test_a_late_archive_is_waited_for_and_then_the_list_is_cut_everywhere() -> None:
    archive = Archive()
    show = on_air(10, archive)
    archive.late = True
    show.segments(6)
    assert listed(show) == list(range(16)), "memory waits"
    show.segments(5)
    assert listed(show)[0] == 0
    show.segments(2)
    for track in TRACKS:
        first = listed(show, track.name)[0]
        assert first == 11, "the first that is not held, and all before it, have left"
        assert len(listed(show, track.name)) == 12
    archive.late = False
    show.segments(30)
    assert len(listed(show)) == 30, "it grows again behind the hole"


def test_one_rendition_that_is_not_held_is_enough() -> None:
    archive = Archive()
    show = on_air(8, archive)
    del archive.bodies["360p", "r1-3.m4s"]
    show.segments(12)
    assert {name: listed(show, name)[0] for name in show.window.renditions} == {
        "720p": 4,
        "360p": 4,
        "audio": 4,
    }


def test_a_rendition_without_a_track_needs_no_archive() -> None:
    show = on_air(2)
    show.epoch(tracks=(VIDEO,), after_ms=100)
    show.segments(20)
    assert listed(show, "360p") == list(range(22))
    assert [segment.gap for segment in playlist(show, "360p").segments[2:]] == [True] * 20


def test_rule_9_what_left_the_long_list_is_owed_by_the_archive_as_long_as_it_was() -> None:
    show = on_air(40)
    rendition = show.window.renditions["720p"]
    assert listed(show)[0] == 10
    show.window.expire(0)
    show.window.expire((DVR + 2) * 1000)
    assert rendition.is_away("r1-9.m4s")
    show.window.expire((DVR + 2 * 2) * 1000 + 10)
    assert not rendition.is_away("r1-9.m4s")
    assert rendition.is_away("r1-10.m4s"), "what is listed stays"


def test_rule_9_an_ended_broadcast_is_owed_as_long_as_its_list() -> None:
    show = on_air(40)
    show.window.end()
    assert show.window.linger_ms >= DVR * 1000


async def test_an_ended_broadcast_keeps_no_segment_in_memory_that_the_archive_has() -> None:
    archive = Archive()
    show = on_air(20, archive)
    del archive.bodies["audio", "r1-17.m4s"]
    show.window.end()
    show.window.expire(0)
    for name, rendition in show.window.renditions.items():
        kept = [n for n in range(20) if rendition.body(f"r1-{n}.m4s") is not None]
        assert kept == ([17, 18, 19] if name == "audio" else [])
        assert listed(show, name) == list(range(20))
    edge, _ = made(show)
    assert (await answered(edge.media("720p", "r1-19.m4s"))).body
    assert (await answered(edge.media("audio", "r1-17.m4s"))).body


def test_rule_16_date_ranges_reach_as_far_back_as_the_list() -> None:
    show = on_air(1)
    pins = [
        DateRange(f"pin-{n}", "com.example.pin", at, 1000, at + 500, (("X-P", "cup"),))
        for n, at in enumerate(range(PDT, PDT + 80_000, 2_000))
    ]
    show.window.annotate(tuple(pins))
    show.segments(39)
    assert list(playlist(show).ranges) == [f"pin-{n}" for n in range(10, 40)]


def test_rule_16_a_pin_a_second_fits_half_an_hour() -> None:
    show = on_air(1, dvr_seconds=1_800)
    for second in range(1_800):
        at = PDT + second * 1000
        pin = DateRange(f"pin-{second}", "com.example.pin", at, 1000, at + 900, (("X-P", "cup"),))
        show.window.annotate((pin,))
    assert len(playlist(show).ranges) == 1_800


def test_rule_10_maps_of_all_epochs_listed_stay_downloadable() -> None:
    show = on_air(10)
    show.epoch(after_ms=100)
    show.segments(15)
    read_back = playlist(show)
    maps = {segment.map_uri for segment in read_back.segments}
    rendition = show.window.renditions["720p"]
    assert maps == {"init-r1-0.mp4", "init-r1-1.mp4"}
    assert all(rendition.body(uri or "") is not None for uri in maps)
    show.segments(30)
    assert "init-r1-0.mp4" not in {segment.map_uri for segment in playlist(show).segments}
    assert rendition.body("init-r1-0.mp4") is not None, "owed with the segments that use it"


async def test_bodies_come_from_the_archive_one_read_for_all() -> None:
    archive = Archive()
    show = on_air(20, archive)
    edge, _ = made(show)
    archive.gate = asyncio.Event()
    tasks = [asyncio.create_task(answered(edge.media("720p", "r1-3.m4s"))) for _ in range(20)]
    gone = asyncio.create_task(edge.media("720p", "r1-3.m4s"))
    await until(lambda: archive.reads == 1)
    gone.cancel()
    archive.gate.set()
    answers = [await task for task in tasks]
    assert archive.reads == 1
    assert {answer.body for answer in answers} == {archive.bodies["720p", "r1-3.m4s"]}
    assert all(answer.immutable for answer in answers)


async def test_a_body_that_is_lost_is_not_found_and_leaves_the_list() -> None:
    archive = Archive()
    show = on_air(20, archive)
    edge, _ = made(show)
    version = show.window.version("audio")
    del archive.bodies["360p", "r1-4.m4s"]
    assert await refused(edge.media("360p", "r1-4.m4s")) is Refusal.NOT_FOUND
    for name in show.window.renditions:
        assert listed(show, name) == list(range(5, 20))
    assert show.window.version("audio") > version


async def test_a_storage_that_fails_or_hangs_is_unavailable_and_nothing_leaves() -> None:
    archive = Archive()
    show = on_air(20, archive)
    edge, _ = made(show)
    archive.failing = True
    assert await refused(edge.media("720p", "r1-3.m4s")) is Refusal.UNAVAILABLE
    archive.failing, archive.gate = False, asyncio.Event()
    task = asyncio.create_task(refused(edge.media("720p", "r1-3.m4s")))
    await until(lambda: archive.reads == 2)
    edge.close()
    assert await task is Refusal.UNAVAILABLE
    assert listed(show) == list(range(20))


async def test_names_that_were_never_listed_are_not_asked_for() -> None:
    archive = Archive()
    show = on_air(20, archive)
    archive.bodies["720p", "../../secret"] = b"secret"
    edge, _ = made(show)
    for name in ("../../secret", "r1-99.m4s", "r2-3.m4s"):
        assert await refused(edge.media("720p", name)) is Refusal.NOT_FOUND
    assert archive.reads == 0


async def test_rule_9_media_of_the_window_before_is_given_while_it_is_owed() -> None:
    archive = Archive()
    first = on_air(20, archive)
    edge, clock = made(first)
    first.window.end()
    window = Window("r2", first.window.next_msn, 1, 6, DVR, archive, archive)
    second = Show(window, pdt_ms=PDT + 100_000)
    after = type(edge)(window, clock, before=edge)
    second.epoch()
    second.segments(1)
    after.published()
    old = await answered(after.media("720p", "r1-3.m4s"))
    assert old.body == archive.bodies["720p", "r1-3.m4s"]
    await answered(after.media("720p", "r1-19.m4s"))
    await answered(after.media("720p", "r2-20.m4s"))
    clock.seconds += DVR + 10
    after.published()
    assert await refused(after.media("720p", "r1-3.m4s")) is Refusal.NOT_FOUND
