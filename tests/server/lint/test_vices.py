"""Negative fixtures: each breaks one rule, and the linter must find that one and no other."""

from __future__ import annotations

import pytest

from server.lint.notes import Outcome
from server.lint.rules import RULES
from server.lint.run import lint
from tests.server.lint.origin import serving
from tests.server.lint.vices import VICES

SECONDS = 4


@pytest.mark.parametrize(("rule", "what"), VICES)
async def test_the_broken_rule_is_found_and_no_other(rule: int, what: str) -> None:
    async with serving(VICES[rule, what]) as (origin, url):
        report = await lint(url, SECONDS, clocks=origin.clocks)
    broken = {v.rule.number: v.faults for v in report.verdicts if v.outcome is Outcome.BROKEN}
    assert set(broken) == {rule}, broken


def test_every_rule_has_an_origin_that_breaks_it() -> None:
    assert {rule for rule, _ in VICES} == {rule.number for rule in RULES}
