"""Rule 8: after a crash the list goes on with what the recording has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from server.hls.errors import WindowError
from server.hls.listing import media_playlist
from server.hls.recall import Recalled, RecalledRendition
from server.hls.targets import Targets
from server.hls.window import Window
from tests.server.hls.reader import ReadPlaylist, ReadSegment, read
from tests.server.hls.shelf_archive import Archive
from tests.server.hls.show import PDT, TRACKS, Show
from tests.server.hls.test_edge import answered, made

AHEAD = 3
"""Numbers that the store leaves out, because they may have been used."""


def crashed(archive: Archive, lacking: str = "") -> tuple[Show, Recalled]:
    """Give a show of two epochs that stopped, and what a recording would know of it."""
    show = Show(Window("r1", segments=6, dvr_seconds=600, archive=archive, scribe=archive))
    show.epoch()
    show.segments(6)
    show.epoch(after_ms=500)
    show.segments(6)
    renditions = {}
    for name, each in show.window.renditions.items():
        whole = tuple(each.segments)[: -1 if name == lacking else None]
        inits = {uri: body for (of, uri), body in archive.inits.items() if of == name}
        renditions[name] = RecalledRendition(whole, inits, name == "audio")
    return show, Recalled(Targets(2, show.window.part_target_ms), renditions, show.window.tracks)


def restarted(archive: Archive, before: Show, recalled: Recalled) -> Show:
    window = Window(
        "r2",
        before.window.next_msn + AHEAD,
        before.window.discontinuity_sequence,
        6,
        600,
        archive,
        archive,
    )
    window.recall(recalled)
    show = Show(window)
    show.pdt_ms, show.start = before.pdt_ms, before.start
    return show


def playlists(show: Show) -> Iterator[ReadPlaylist]:
    for name in show.window.renditions:
        yield read(media_playlist(show.window, name).text())


def said(segment: ReadSegment) -> tuple[object, ...]:
    """Give all that a playlist says of a segment, its parts left out."""
    place = segment.msn, segment.discontinuity_number, segment.discontinuity
    return *place, segment.uri, segment.map_uri, segment.pdt_ms, segment.duration, segment.gap


@pytest.mark.parametrize("lacking", ["", "360p"])
async def test_rule_8_the_list_goes_on_where_it_was(lacking: str) -> None:
    archive = Archive()
    before, recalled = crashed(archive, lacking)
    old = {name: read(media_playlist(before.window, name).text()) for name in recalled.renditions}
    show = restarted(archive, before, recalled)
    edge, _ = made(show)
    waiting = read((await answered(edge.playlist("720p", {}))).body.decode())
    assert [s.uri for s in waiting.segments] == [s.uri for s in old["720p"].segments]
    assert len(waiting.reports) == len(TRACKS) - 1
    variants = (await answered(edge.playlist(None, {}))).body.decode()
    assert [line for line in variants.splitlines() if not line.startswith("#")] == [
        f"{track.name}/index.m3u8" for track in TRACKS
    ]
    body = await answered(edge.media("720p", "r1-2.m4s"))
    assert body.body == archive.bodies["720p", "r1-2.m4s"]
    assert (await answered(edge.media("720p", "init-r1-0.mp4"))).body == TRACKS[0].init
    show.epoch(after_ms=5_000)
    show.segments(2)
    for name, playlist in zip(show.window.renditions, playlists(show), strict=True):
        assert playlist.media_sequence == old[name].media_sequence
        assert playlist.target_duration == 2
        kept = len(recalled.renditions[name].segments)
        assert list(map(said, playlist.segments[:kept])) == list(
            map(said, old[name].segments[:kept])
        )
        gaps = [segment for segment in playlist.segments[kept:] if segment.gap]
        assert len(gaps) == AHEAD + (name == lacking)
        assert [s.msn for s in playlist.segments[-2:]] == [15, 16]
        assert playlist.segments[-2].discontinuity
        assert playlist.segments[-2].discontinuity_number == 2
        dates = [segment.pdt_ms or 0 for segment in playlist.segments]
        assert dates == sorted(dates)
        assert dates[0] == PDT


def test_rule_8_while_nobody_feeds_it_the_list_goes_on_with_gaps() -> None:
    archive = Archive()
    before, recalled = crashed(archive)
    show = restarted(archive, before, recalled)
    end = show.window.latest_pdt_ms or 0
    assert show.window.lapse(end + 20_000)
    assert len({p.media_sequence + len(p.segments) for p in playlists(show)}) == 1
    show.pdt_ms, show.start = end + 21_000, 0
    show.epoch()
    show.segments(1)
    for playlist in playlists(show):
        assert sum(segment.gap for segment in playlist.segments) >= AHEAD
        assert playlist.segments[-1].discontinuity


def test_a_list_without_time_for_its_numbers_or_too_late_is_refused() -> None:
    archive = Archive()
    before, recalled = crashed(archive)
    show = restarted(archive, before, recalled)
    with pytest.raises(WindowError, match="no time"):
        show.epoch(after_ms=1)
    with pytest.raises(WindowError, match="has not begun"):
        show.window.recall(recalled)
    with pytest.raises(WindowError, match="has not begun"):
        Window("r3", first_msn=4, archive=archive).recall(recalled)
