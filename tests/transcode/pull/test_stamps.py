"""Packets without times get them from their neighbours."""

from __future__ import annotations

from transcode.pull.stamps import FRAME, HELD, Stamped, Stamps

Known = tuple[int | None, int | None]


def times(*packets: Known, duration: int = FRAME) -> list[tuple[int, int]]:
    stamps: Stamps[int] = Stamps()
    ready: list[Stamped[int]] = []
    for number, (dts, pts) in enumerate(packets):
        ready += stamps.take(number, dts, pts, duration)
    assert [one.item for one in ready] == list(range(len(ready)))
    return [(one.dts, one.pts) for one in ready]


def test_what_is_known_stays() -> None:
    assert times((-10, 20), (0, 5)) == [(-10, 20), (0, 5)]


def test_a_first_picture_without_any_time_precedes_the_second() -> None:
    assert times((None, None), (3_000, 3_000)) == [(0, 0), (3_000, 3_000)]


def test_decoding_times_are_counted_back_where_pictures_are_reordered() -> None:
    found = times((None, 0), (None, 9_000), (0, 3_000), (3_000, 6_000))
    assert found == [(-6_000, 0), (-3_000, 9_000), (0, 3_000), (3_000, 6_000)]


def test_a_hole_later_is_counted_on() -> None:
    assert times((0, 0), (None, None), (None, 9_000)) == [(0, 0), (3_000, 3_000), (6_000, 9_000)]


def test_a_track_without_decoding_times_is_not_held_up_for_ever() -> None:
    packets: list[Known] = [(None, 90_000 + n * 100) for n in range(HELD + 1)]
    found = times(*packets, duration=100)
    assert found == [(pts, pts) for _, pts in packets if pts is not None]
    assert len(times(*[(None, None)] * (HELD + 5))) == HELD + 5
