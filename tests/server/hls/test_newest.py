"""The newest picture that memory has: of which rendition, and how far back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from server.hls.newest import newest
from server.hls.window import Window
from tests.server.hls.show import AUDIO, PER_SEGMENT, SMALL, VIDEO, Show, on_air


@pytest.mark.parametrize(
    ("longer_side", "rendition"), [(320, "360p"), (640, "360p"), (641, "720p"), (4_000, "720p")]
)
def test_the_smallest_rendition_that_is_large_enough(longer_side: int, rendition: str) -> None:
    found = newest(on_air(2).window, longer_side)
    assert found is not None
    assert found.init == f"init-{rendition[:-1]}".encode()
    assert found.media.startswith(f"{rendition}/0/1/0;".encode())


def test_a_segment_that_grows_is_newer_than_the_last_whole_one() -> None:
    show = on_air(1)
    before = newest(show.window, 640)
    show.parts(2)
    found = newest(show.window, 640)
    assert before is not None
    assert found is not None
    assert found.media == b"360p/0/1/0;"
    assert found.name != before.name


def test_gaps_are_passed_over() -> None:
    show = on_air(3)
    before = newest(show.window, 640)
    show.segments(1, without=("360p",))
    show.window.close_segment()
    assert newest(show.window, 640) == before
    assert before is not None


def test_a_portrait_picture_is_measured_by_its_longer_side() -> None:
    show = Show(Window("r1"))
    show.epoch((VIDEO, replace(SMALL, width=360, height=640)))
    show.parts(PER_SEGMENT)
    found = newest(show.window, 640)
    assert found is not None
    assert found.init == SMALL.init


def test_without_pictures_there_is_none() -> None:
    assert newest(Window("r1"), 640) is None
    assert newest(on_air().window, 640) is None
    show = Show(Window("r1"))
    show.epoch((AUDIO,))
    show.segments(1)
    assert newest(show.window, 640) is None
