"""The age of what waits."""

from __future__ import annotations

from transcode.backlog import Backlog


def test_what_is_held_is_as_old_as_its_oldest_unit() -> None:
    backlog = Backlog()
    for second in range(5):
        backlog.wrote(100, second * 1_000, held=(second + 1) * 100)
    assert backlog.age_ms(4_000) == 4_000
    backlog.settle(held=150)
    assert backlog.age_ms(4_000) == 1_000
    backlog.settle(held=100)
    assert backlog.age_ms(4_000) == 0


def test_nothing_held_is_no_age() -> None:
    backlog = Backlog()
    assert backlog.age_ms(1_000) == 0
    backlog.wrote(100, 0, held=0)
    assert backlog.age_ms(9_000) == 0
    backlog.wrote(100, 9_000, held=100)
    assert backlog.age_ms(9_500) == 500
    backlog.clear()
    assert backlog.age_ms(9_500) == 0
