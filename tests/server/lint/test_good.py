"""The linter on an origin that keeps every rule."""

from __future__ import annotations

from server.lint.notes import Outcome
from server.lint.run import lint
from tests.server.lint.origin import Vice, serving

SECONDS = 4


async def test_a_good_origin_is_clean_and_every_rule_was_seen() -> None:
    async with serving(Vice()) as (origin, url):
        report = await lint(url, SECONDS, clocks=origin.clocks)
    assert {v.rule.number: v.faults for v in report.verdicts if v.faults} == {}
    assert [v.rule.number for v in report.verdicts if v.outcome is not Outcome.KEPT] == []
