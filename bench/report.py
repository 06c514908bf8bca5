"""How every benchmark tells what it found: a figure, its goal, what it was measured against.

Standard library only.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum


class Bound(Enum):
    """On which side of the goal a figure should be."""

    AT_MOST = "<="
    AT_LEAST = ">="


@dataclass(frozen=True, slots=True)
class Goal:
    bound: Bound
    value: float

    def met(self, figure: float) -> bool:
        return figure <= self.value if self.bound is Bound.AT_MOST else figure >= self.value


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    name: str
    figure: float
    unit: str
    """`x` for a ratio: ours / reference."""
    reference: str
    """What the figure is a ratio to, or the conditions that it holds under."""
    goal: Goal | None = None

    @property
    def cells(self) -> tuple[str, str, str, str, str]:
        """Name, figure, goal, verdict, reference as they are printed."""
        goal = f"{self.goal.bound.value} {_number(self.goal.value)}" if self.goal else "-"
        verdict = "-" if self.goal is None else "met" if self.goal.met(self.figure) else "MISSED"
        return self.name, f"{_number(self.figure)} {self.unit}", goal, verdict, self.reference


@dataclass(frozen=True, slots=True)
class Effort:
    """How much a benchmark may spend."""

    rounds: int
    """Paired rounds; medians are taken of them."""
    clip_seconds: int
    """Length of the clips that are transcoded."""
    watch_seconds: int
    """How long a live picture is looked at."""


FULL = Effort(rounds=3, clip_seconds=20, watch_seconds=40)
QUICK = Effort(rounds=1, clip_seconds=6, watch_seconds=10)
"""To see that a benchmark works: its figures are no figures."""


class BenchError(Exception):
    """The measurement is void: something did not work, or the sides did not do the same."""


Measure = Callable[[Effort], list[Row]]


def median(figures: list[float]) -> float:
    """Give the middle figure, the lower one of two. Raises ValueError when there is none."""
    return quantile(figures, 0.5)


def quantile(figures: list[float], share: float) -> float:
    """Give the figure below or at which `share` (0..1) of them lie. ValueError for none."""
    if not figures:
        raise ValueError("no figures")
    ordered = sorted(figures)
    return ordered[min(len(ordered) - 1, max(0, int(share * len(ordered) + 0.5) - 1))]


def note(text: str) -> None:
    """Tell what is going on, beside the table."""
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def table(rows: list[Row]) -> str:
    """Lay rows out in columns."""
    head = ("figure of", "is", "goal", "", "reference, conditions")
    lines = [head, *(row.cells for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    rule = "  ".join("-" * width for width in widths)
    text = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    return "\n".join((text[0], rule, *text[1:]))


def alone(measure: Measure) -> None:
    """Run one benchmark as a program; `--quick` only shows that it works."""
    effort = QUICK if "--quick" in sys.argv[1:] else FULL
    try:
        print(table(measure(effort)))
    except BenchError as error:
        raise SystemExit(f"void: {error}") from error


def _number(value: float) -> str:
    if value == 0:
        return "0"
    digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 100 else 2 if abs(value) >= 1 else 3
    return f"{value:.{digits}f}"
