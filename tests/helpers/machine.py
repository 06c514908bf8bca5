"""How much of the machine went to work that is none of ours, while something was timed."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Usage:
    """Processor seconds used since the machine, and this test's processes, began."""

    at: float
    all: float
    ours: dict[int, float]


def usage() -> Usage:
    """Read the counters of the machine, of this process and of all its descendants."""
    times = psutil.cpu_times()
    busy = times.user + times.system + getattr(times, "nice", 0.0) + getattr(times, "softirq", 0.0)
    ours = {}
    this = psutil.Process()
    for process in [this, *this.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            used = process.cpu_times()
            ours[process.pid] = used.user + used.system
    return Usage(time.monotonic(), busy, ours)


def elsewhere(before: Usage, after: Usage) -> float:
    """Give the share of all processors, 0..1, that others had between two readings."""
    ours = sum(used - before.ours.get(pid, 0.0) for pid, used in after.ours.items())
    whole = (after.at - before.at) * (os.cpu_count() or 1)
    return max(0.0, after.all - before.all - ours) / whole
