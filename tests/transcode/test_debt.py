"""When a worker is taken for stuck. Times are arguments."""

from __future__ import annotations

from transcode.debt import DUE_MS, Debt


def fed(debt: Debt, from_ms: int, to_ms: int, now: float) -> None:
    for arrived_ms in range(from_ms, to_ms + 1, 20):
        debt.fed(arrived_ms, now)


def test_an_answer_is_owed_once_units_enough_were_not_answered() -> None:
    debt = Debt()
    fed(debt, 0, DUE_MS, 1.0)
    assert debt.waited(100.0) == 0
    fed(debt, DUE_MS + 20, DUE_MS + 20, 2.0)
    fed(debt, DUE_MS + 40, 2 * DUE_MS, 3.0)
    assert debt.waited(7.0) == 5


def test_an_answer_settles_it() -> None:
    debt = Debt()
    fed(debt, 0, 2 * DUE_MS, 1.0)
    debt.settle()
    assert debt.waited(100.0) == 0
    fed(debt, 2 * DUE_MS, 3 * DUE_MS, 2.0)
    assert debt.waited(100.0) == 0


def test_a_pause_of_the_publisher_is_no_debt() -> None:
    debt = Debt()
    fed(debt, 0, 1_000, 1.0)
    debt.settle()
    debt.fed(600_000, 601.0)
    assert debt.waited(700.0) == 0, "one unit after a long pause is not three seconds of them"


def test_a_debt_outlasts_a_pause() -> None:
    debt = Debt()
    fed(debt, 0, 2 * DUE_MS, 1.0)
    assert debt.waited(31.0) == 30
