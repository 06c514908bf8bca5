"""The overlay's share of a worker's CPU while one card is on screen all the time.

Told twice: by timing the compositors in the worker (the figure), and as the difference
between paired runs with and without a card, which also holds what the encoders have to do
otherwise because of it, and the machine's noise.

Run from the repository's root: python -m bench.overlay_share
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from bench import clip
from bench.card import scene
from bench.clip import Content
from bench.report import BenchError, Bound, Effort, Goal, Row, alone, median, note
from bench.timed_worker import MARK
from bench.workload import Work, work
from transcode.ladder import DEFAULT

GOAL = Goal(Bound.AT_MOST, 1.0)


def measure(effort: Effort) -> list[Row]:
    """Measure the share in per cent. Raises BenchError."""
    shares: list[float] = []
    differences: list[float] = []
    with tempfile.TemporaryDirectory(prefix="vitrine-bench-") as name:
        folder = Path(name)
        source = clip.make(Content.NATURAL, effort.clip_seconds, folder)
        for number in range(effort.rounds):
            plain = work(source, DEFAULT, None, folder)
            drawn = work(source, DEFAULT, scene(), folder)
            timed = work(source, DEFAULT, scene(), folder, module="bench.timed_worker")
            drawing, preparing, draws = _told(timed)
            shares.append(100 * drawing / timed.spent.cpu)
            differences.append(100 * (drawn.spent.cpu / plain.spent.cpu - 1))
            note(
                f"round {number + 1}: {draws} pictures drawn on in {1000 * drawing:.0f} ms, "
                f"{1e6 * drawing / draws:.0f} us each; card rendered in {1000 * preparing:.0f} ms; "
                f"worker {timed.spent.cpu:.2f} s CPU; with a card {differences[-1]:+.2f} %"
            )
    what = f"the worker's whole CPU, 1 card on all 3 rungs, {effort.clip_seconds} s"
    return [
        Row("overlay, share of CPU", median(shares), "%", what, GOAL),
        Row("overlay, run with card / without", median(differences), "% more", f"{what}; paired"),
    ]


def _told(done: Work) -> tuple[float, float, int]:
    """Read the seconds spent drawing and preparing, and how many pictures were drawn on."""
    found = re.search(rf"{MARK}([0-9.]+) ([0-9.]+) (\d+)", done.words)
    if found is None or int(found[3]) == 0:
        raise BenchError(f"nothing was drawn: {done.words[-800:]}")
    return float(found[1]), float(found[2]), int(found[3])


if __name__ == "__main__":
    alone(measure)
