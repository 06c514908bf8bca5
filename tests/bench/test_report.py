"""Goals, quantiles, the table."""

from __future__ import annotations

import pytest

from bench.report import Bound, Goal, Row, median, quantile, table


@pytest.mark.parametrize(
    ("bound", "figure", "met"),
    [
        (Bound.AT_MOST, 1.0, True),
        (Bound.AT_MOST, 1.001, False),
        (Bound.AT_LEAST, 1.0, True),
        (Bound.AT_LEAST, 0.999, False),
    ],
)
def test_a_goal_has_a_side(bound: Bound, figure: float, met: bool):
    assert Goal(bound, 1.0).met(figure) is met


def test_a_missed_goal_cannot_be_overlooked():
    goal = Goal(Bound.AT_MOST, 1.0)
    text = table(
        [Row("a", 0.5, "x", "b", goal), Row("c", 2.0, "x", "d", goal), Row("e", 1, "s", "f")]
    )
    _, _, met, missed, open_ended = text.splitlines()
    assert "met" in met
    assert "MISSED" not in met
    assert "MISSED" in missed
    assert "met" not in open_ended
    assert "MISSED" not in open_ended


def test_quantiles_are_figures_that_were_measured():
    figures = [5.0, 1.0, 4.0, 2.0, 3.0]
    assert median(figures) == 3.0
    assert median([1.0, 2.0]) == 1.0
    assert quantile(figures, 0.0) == 1.0
    assert quantile(figures, 0.95) == 5.0
    assert quantile(figures, 1.0) == 5.0
    with pytest.raises(ValueError, match="no figures"):
        median([])
