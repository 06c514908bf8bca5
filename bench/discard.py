"""In place of a worker: takes everything that comes and reports itself healthy, nothing else.

    python -m bench.discard

So that the web process writes into a real pipe with a real reader behind it, and the machine
does not transcode meanwhile.
"""

from __future__ import annotations

import os
import time

from transcode import wire

READ_BYTES = 1 << 18
REPORT_SECONDS = 1.0


def main() -> None:
    """Read standard input to the message that ends it."""
    report, last = wire.encode(wire.Health()), wire.encode(wire.Close())
    reported = time.monotonic()
    while not os.read(0, READ_BYTES).endswith(last):
        now = time.monotonic()
        if now - reported >= REPORT_SECONDS:
            os.write(1, report)
            reported = now
    os.write(1, wire.encode(wire.Closed()))


if __name__ == "__main__":
    main()
