"""Run the benchmarks and print one table.

    python -m bench [--quick] [--rounds N] [NAME ...]

Every figure is measured beside its reference in the same run. Exit status 1 when a goal
was missed or a measurement is void.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace

from playwright.async_api import Error as BrowserError

from bench import (
    first_frame,
    glass,
    origin,
    overlay,
    overlay_share,
    playlists,
    preview,
    publish,
    transcode,
    viewers,
)
from bench.report import FULL, QUICK, BenchError, Effort, Measure, Row, note, table

BENCHES: Mapping[str, Measure] = {
    "transcode": transcode.measure,
    "overlay-share": overlay_share.measure,
    "overlay": overlay.measure,
    "playlists": playlists.measure,
    "origin": origin.measure,
    "viewers": viewers.measure,
    "first-frame": first_frame.measure,
    "publish": publish.measure,
    "glass": glass.measure,
    "preview": preview.measure,
}


def main() -> int:
    """Run what was asked for; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHES)}")
    parser.add_argument("--quick", action="store_true", help="see that it works; no figures")
    parser.add_argument("--rounds", type=int, help=f"paired rounds (default {FULL.rounds})")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in BENCHES]
    if unknown or (options.rounds is not None and options.rounds < 1):
        parser.error(f"no such benchmark: {', '.join(unknown)}" if unknown else "rounds: 1 or more")
    effort = QUICK if options.quick else FULL
    if options.rounds is not None:
        effort = replace(effort, rounds=options.rounds)
    rows, void = _run(options.names or list(BENCHES), effort)
    print(table(rows))
    for sentence in void:
        print(f"void: {sentence}")
    missed = any(row.goal is not None and not row.goal.met(row.figure) for row in rows)
    return 1 if void or missed else 0


def _run(names: list[str], effort: Effort) -> tuple[list[Row], list[str]]:
    """Run benchmarks one after another; one that fails does not take the others' figures."""
    rows: list[Row] = []
    void: list[str] = []
    for name in names:
        note(f"{name}: begins, load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        try:
            rows += BENCHES[name](effort)
        except (BenchError, BrowserError, OSError, subprocess.SubprocessError) as error:
            void.append(f"{name}: {error}")
            note(void[-1])
    return rows, void


if __name__ == "__main__":
    sys.exit(main())
