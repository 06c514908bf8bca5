"""The benchmarks' reading of a playlist is the origin's writing of it."""

from __future__ import annotations

import pytest

from bench.playlist import edge
from bench.report import BenchError
from server.hls.listing import media_playlist
from server.hls.window import Window
from tests.server.hls.show import PDT, PER_SEGMENT, VIDEO, Show


@pytest.mark.parametrize("parts", [1, PER_SEGMENT - 1, PER_SEGMENT, 3 * PER_SEGMENT + 2])
def test_finds_the_newest_part(parts: int):
    show = Show(Window("bench"))
    show.epoch()
    for _ in range(parts):
        show.part()
    found = edge(media_playlist(show.window, VIDEO.name).text())
    assert (found.msn, found.parts) == divmod(parts, PER_SEGMENT)
    assert found.end_ms == pytest.approx(PDT + show.start / 90, abs=1)
    assert found.part_seconds == pytest.approx(1 / 3, abs=1e-3)
    assert found.part_uri


@pytest.mark.parametrize("text", ["", "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:2.0,\na.m4s\n"])
def test_refuses_what_has_no_dates(text: str):
    with pytest.raises(BenchError):
        edge(text)
