"""Warnings come when something held, go when it is mended, and do not flicker."""

from __future__ import annotations

from server.live.coach import Coach, Finding, Rule, Severity, Sight, Trend
from server.live.pace import Beat
from transcode.message import Health

BAD, GOOD = Sight(bitrate=1), Sight()


def bad(sight: Sight, _: Trend) -> Finding | None:
    return Finding(f"{sight.bitrate} is wrong.", "Mend it.") if sight.bitrate else None


def coach(comes: float = 3, goes: float = 5) -> Coach:
    return Coach((Rule("wrong", Severity.WARNING, bad, comes, goes),))


def codes(one: Coach) -> list[str]:
    return [notice.code for notice in one.notices]


def test_it_comes_when_it_held_and_says_since_when() -> None:
    one = coach()
    for at in (0, 1_000, 2_000):
        assert not one.look(BAD, at)
    change = one.look(BAD, 3_000)
    assert [notice.code for notice in change.raised] == ["wrong"]
    assert one.notices[0].since_ms == 0
    assert not one.look(BAD, 4_000), "told once"


def test_a_moment_is_nothing() -> None:
    one = coach()
    for at in range(0, 20_000, 1_000):
        assert not one.look(GOOD if at % 3_000 == 0 else BAD, at)
    assert codes(one) == []


def test_it_goes_when_all_was_well_for_a_while() -> None:
    one = coach()
    for at in range(0, 10_000, 1_000):
        one.look(BAD, at)
    for at in range(10_000, 15_000, 1_000):
        assert not one.look(GOOD, at)
        assert codes(one) == ["wrong"]
    change = one.look(GOOD, 15_000)
    assert [notice.code for notice in change.cleared] == ["wrong"]
    assert codes(one) == []


def test_the_time_without_an_encoder_is_no_time_that_it_held() -> None:
    one = coach()
    one.look(BAD, 0)
    one.look(Sight(connected=False), 1_000)
    assert not one.look(BAD, 31_000)
    assert codes(one) == []
    assert not one.look(BAD, 33_000)
    assert one.look(BAD, 34_000).raised


def test_the_time_without_an_encoder_is_no_time_that_all_was_well() -> None:
    one = coach()
    for at in range(0, 5_000, 1_000):
        one.look(BAD, at)
    one.look(GOOD, 5_000)
    one.look(Sight(connected=False), 6_000)
    assert not one.look(GOOD, 36_000)
    assert codes(one) == ["wrong"]
    assert one.look(GOOD, 41_000).cleared


def test_a_good_moment_does_not_end_it_nor_begin_it_anew() -> None:
    one = coach()
    for at in range(0, 30_000, 1_000):
        one.look(GOOD if at % 4_000 == 0 and at > 8_000 else BAD, at)
    assert one.notices[0].since_ms <= 1_000


def test_its_figures_move_while_it_stands() -> None:
    one = coach(comes=0)
    one.look(Sight(bitrate=1), 0)
    assert not one.look(Sight(bitrate=2), 1_000)
    assert one.notices[0].message == "2 is wrong."


def test_nobody_is_judged_who_is_not_connected() -> None:
    one = coach(comes=0, goes=0)
    one.look(BAD, 0)
    assert not one.look(Sight(connected=False), 60_000)
    assert codes(one) == ["wrong"]
    assert one.look(GOOD, 61_000).cleared


def test_errors_are_told_first() -> None:
    rules = (
        Rule("third", Severity.INFO, bad, 0),
        Rule("second", Severity.WARNING, bad, 0),
        Rule("first", Severity.ERROR, bad, 0),
    )
    one = Coach(rules)
    one.look(BAD, 0)
    assert codes(one) == ["first", "second", "third"]


def test_growth_is_of_the_last_seconds_and_survives_a_new_worker() -> None:
    trend = Trend()
    for at, lost in ((0, 10), (5_000, 12), (10_000, 15), (11_000, 1), (12_000, 4)):
        trend.add(Sight(beat=Beat(lost=lost)).counters, at)
    assert trend.grown("lost", 1) == 3
    assert trend.grown("lost", 2) == 4
    assert trend.grown("lost", 60) == 5 + 1 + 3
    assert Trend().grown("lost", 60) == 0


def test_what_is_not_told_stands_where_it_stood() -> None:
    trend = Trend()
    for at, health in ((0, Health(damaged=50)), (1_000, None), (2_000, Health(damaged=50))):
        trend.add(Sight(health=health).counters, at)
    assert trend.grown("damaged", 60) == 0, "a publisher that takes over inherits no counts"
    trend.add(Sight(health=Health(damaged=52)).counters, 3_000)
    assert trend.grown("damaged", 60) == 2
