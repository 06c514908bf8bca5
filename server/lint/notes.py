"""What was seen and what was broken, rule by rule. Pure: values only."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from server.lint.rules import RULES, Rule

MOST_FAULTS = 20
"""Different ones kept of a rule; the others are counted."""


class Outcome(StrEnum):
    KEPT = "pass"
    BROKEN = "fail"
    NOT_SEEN = "not seen"


@dataclass(frozen=True, slots=True)
class Fault:
    """A breach: what is wrong, where it was seen first, how often it was."""

    what: str
    where: str
    times: int


@dataclass(frozen=True, slots=True)
class Verdict:
    rule: Rule
    outcome: Outcome
    seen: tuple[tuple[str, int], ...]
    """What the rule was held against, with the number of times."""
    faults: tuple[Fault, ...]
    why_not: str = ""
    """Why the rule could not be judged, if that is known."""


class Notes:
    """Gathers findings while a stream is watched."""

    def __init__(self) -> None:
        self._seen: dict[int, Counter[str]] = {rule.number: Counter() for rule in RULES}
        self._faults: dict[int, dict[str, tuple[str, int]]] = {r.number: {} for r in RULES}
        self._why_not: dict[int, str] = {}

    def check(self, rule: int, seen: str, good: bool, what: str = "", where: str = "") -> bool:
        """Note that `seen` was held against a rule, and what is wrong with it unless `good`."""
        self._seen[rule][seen] += 1
        if not good:
            self.broke(rule, what, where)
        return good

    def broke(self, rule: int, what: str, where: str = "") -> None:
        faults = self._faults[rule]
        if what in faults or len(faults) < MOST_FAULTS:
            first, times = faults.get(what, (where, 0))
            faults[what] = first, times + 1

    def unseen(self, rule: int, why: str) -> None:
        """Note why a rule is not judged; of no account once it is."""
        self._why_not[rule] = why

    @property
    def broken(self) -> int:
        """How many rules are broken so far."""
        return sum(1 for faults in self._faults.values() if faults)

    def verdicts(self) -> tuple[Verdict, ...]:
        return tuple(self._verdict(rule) for rule in RULES)

    def _verdict(self, rule: Rule) -> Verdict:
        faults = tuple(
            Fault(what, where, times) for what, (where, times) in self._faults[rule.number].items()
        )
        seen = tuple(self._seen[rule.number].items())
        if faults:
            outcome = Outcome.BROKEN
        else:
            outcome = Outcome.KEPT if seen else Outcome.NOT_SEEN
        return Verdict(rule, outcome, seen, faults, self._why_not.get(rule.number, ""))
