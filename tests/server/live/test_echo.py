from __future__ import annotations

import pytest

from ingest.unit import AudioUnit, Unit, VideoCodec, VideoConfig, VideoUnit
from server.live.echo import MOST_BYTES, MOST_PICTURES, Echo, Reordered

CONFIG = VideoConfig(VideoCodec.VP8, b"")


class Ear:
    def __init__(self) -> None:
        self.heard: list[Unit] = []
        self.reasons: list[str] = []

    def hear(self, unit: Unit) -> None:
        self.heard.append(unit)

    def gone(self, reason: str) -> None:
        self.reasons.append(reason)


def picture(number: int, *, key: bool = False, size: int = 10, shown: int = 0) -> VideoUnit:
    return VideoUnit(number * 3_000, (shown or number) * 3_000, key, b"x" * size)


@pytest.fixture
def echo() -> Echo:
    echo = Echo()
    echo.saw(CONFIG)
    return echo


def test_the_group_begins_with_the_newest_keyframe(echo: Echo) -> None:
    echo.saw(picture(1))
    assert echo.group == (), "nobody can begin in the middle"
    units = [picture(2, key=True), picture(3), picture(4, key=True), picture(5), picture(6)]
    for unit in units:
        echo.saw(unit)
        echo.saw(AudioUnit(0, b""))
    assert echo.group == tuple(units[2:])
    echo.saw(CONFIG)
    assert echo.group == (), "they are of another configuration"


def test_a_keyframe_that_does_not_come_fills_no_memory(echo: Echo) -> None:
    echo.saw(picture(1, key=True))
    for number in range(2, MOST_PICTURES + 50):
        echo.saw(picture(number))
    assert echo.group == ()
    echo.saw(picture(2_000, key=True, size=MOST_BYTES // 2))
    echo.saw(picture(2_001, size=MOST_BYTES))
    assert echo.group == ()
    echo.saw(picture(2_002, key=True))
    assert len(echo.group) == 1


def test_who_listens_hears_all_until_it_leaves(echo: Echo) -> None:
    one, other = Ear(), Ear()
    echo.listen(one)
    echo.listen(other)
    echo.saw(picture(1, key=True))
    echo.leave(other)
    echo.leave(other)
    echo.saw(AudioUnit(5, b"a"))
    assert one.heard == [picture(1, key=True), AudioUnit(5, b"a")]
    assert other.heard == [picture(1, key=True)]
    echo.close("gone")
    echo.close("again")
    assert one.reasons == ["gone"]
    assert other.reasons == []
    assert echo.closed
    assert echo.group == ()


@pytest.mark.parametrize(
    ("shown", "order"),
    [
        pytest.param([1, 2, 3, 4], Reordered.NO, id="as-shown"),
        pytest.param([3, 4, 5, 6], Reordered.NO, id="an-offset"),
        pytest.param([1, 4, 2, 3], Reordered.YES, id="b-frames"),
    ],
)
def test_the_order_of_pictures(echo: Echo, shown: list[int], order: Reordered) -> None:
    assert echo.reordered is Reordered.UNKNOWN
    for number, at in enumerate(shown, 1):
        echo.saw(picture(number, key=number == 1, shown=at))
    assert echo.reordered is order


def test_a_clock_that_leaps_back_is_no_order(echo: Echo) -> None:
    for number in (100, 101, 5, 6, 7):
        echo.saw(picture(number, key=number == 100))
    orders = [echo.reordered]
    echo.saw(picture(8, shown=12))
    echo.saw(picture(9, shown=10))
    orders.append(echo.reordered)
    assert orders == [Reordered.NO, Reordered.YES]
