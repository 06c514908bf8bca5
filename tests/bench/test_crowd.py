from __future__ import annotations

from dataclasses import replace

from bench.crowd import read
from server.hls.listing import media_playlist
from tests.server.hls.show import on_air


def test_a_viewer_asks_for_the_part_behind_the_last() -> None:
    show = on_air(3)
    show.parts(2)
    listed = read(media_playlist(show.window, "720p").text())
    assert listed is not None
    assert listed.query.startswith("?_HLS_msn=3&_HLS_part=2")
    assert f"{listed.before}{listed.number}{listed.behind}" == "r1-p20.m4s"


def test_a_delta_counts_what_it_skips() -> None:
    show = on_air(8)
    whole = media_playlist(show.window, "720p")
    text = replace(whole, segments=whole.segments[5:]).text()
    line = f"#EXT-X-MEDIA-SEQUENCE:{whole.media_sequence}\n"
    listed = read(text.replace(line, f"{line}#EXT-X-SKIP:SKIPPED-SEGMENTS=5\n"))
    assert listed is not None
    assert listed.query.startswith("?_HLS_msn=8&_HLS_part=0")


def test_a_playlist_that_has_ended_leads_nowhere() -> None:
    show = on_air(3)
    show.window.end()
    assert read(media_playlist(show.window, "720p").text()) is None
