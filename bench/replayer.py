"""In place of a worker: publishes recorded parts in real time, whatever it is fed.

    python -m bench.replayer

Every rendition's part is written when it ends by the clock: all at once, which is the hardest for
the origin. When each was written, by the monotonic clock that all processes share, goes to the
file that the environment names, one line each: rendition, number of the part, nanoseconds.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from bench.recorded import Recorded
from transcode import wire
from transcode.worker import Outlet, messages

VARIABLE = "BENCH_WRITTEN"
REPORT_SECONDS = 1.0


def main() -> int:
    """Publish from the first unit to the end of the input."""
    fed, over = threading.Event(), threading.Event()
    outlet = Outlet(1)
    publisher = threading.Thread(target=_publish, args=(outlet, fed, over))
    publisher.start()
    for message in messages(0):
        if isinstance(message, wire.Feed):
            fed.set()
        elif isinstance(message, wire.Close):
            break
    over.set()
    fed.set()
    publisher.join()
    outlet.emit(wire.Closed())
    return 0


def _publish(outlet: Outlet, fed: threading.Event, over: threading.Event) -> None:
    recorded = Recorded.read()
    counts: Counter[str] = Counter()
    fed.wait()
    outlet.emit(replace(recorded.epoch, number=0, pdt_ms=time.time_ns() // 1_000_000))
    began = reported = time.monotonic()
    with Path(os.environ[VARIABLE]).open("w", buffering=1) as log:
        for part in recorded.endless():
            due = began + (part.start + part.duration) / 90_000
            if over.wait(max(0.0, due - time.monotonic())):
                return
            log.write(f"{part.rendition} {counts[part.rendition]} {time.monotonic_ns()}\n")
            outlet.emit(replace(part, epoch=0))
            counts[part.rendition] += 1
            if time.monotonic() - reported >= REPORT_SECONDS:
                reported = time.monotonic()
                outlet.emit(wire.Health())


if __name__ == "__main__":
    sys.exit(main())
