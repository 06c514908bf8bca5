"""The worker process: messages on standard input, parts and reports on standard output.

    python -m transcode.worker

It ends when its input ends. Logs and tracebacks go to standard error, which the
supervisor keeps. It never opens a socket or a file of its own.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator

import cv2

from transcode import wire
from transcode.confine import confine
from transcode.errors import MediaError, WireError
from transcode.pipeline import Pipeline

READ_BYTES = 1 << 18


class Outlet:
    """Writes messages whole, from any thread, to one file descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def emit(self, message: wire.Up) -> None:
        """Write `message`; waits while the reader does not read."""
        view = memoryview(wire.encode(message))
        with self._lock:
            while view:
                view = view[os.write(self._descriptor, view) :]


def messages(descriptor: int) -> Iterator[wire.Message]:
    """Give the messages read from `descriptor` until it ends. Raises WireError."""
    decoder = wire.Decoder()
    while data := os.read(descriptor, READ_BYTES):
        yield from decoder.feed(data)


def serve(source: int, outlet: Outlet) -> None:
    """Run one pipeline from Open to Close. Raises MediaError, WireError."""
    pipeline: Pipeline | None = None
    for message in messages(source):
        match message:
            case wire.Open():
                pipeline = Pipeline(message, outlet.emit)
            case wire.Feed() if pipeline is not None:
                pipeline.feed(message.unit, message.arrived_ms)
            case wire.Show() if pipeline is not None:
                pipeline.show(message.scene, message.at_ms)
            case wire.Splice() if pipeline is not None:
                pipeline.splice()
            case wire.Interrupt() if pipeline is not None:
                pipeline.interrupt(message)
            case wire.Tick() if pipeline is not None:
                pipeline.tick(message.now_ms)
            case wire.Close():
                break
            case _:
                raise WireError(f"{type(message).__name__} before Open")
    if pipeline is not None:
        pipeline.close()
    outlet.emit(wire.Closed())


def main() -> int:
    """Run the worker; 0 after a clean end, 1 after a failure told in one line."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server decides when a channel ends
    cv2.setNumThreads(1)
    # No bound of memory: what eight rungs of a large source take differs with the encoder.
    confine()
    outlet = Outlet(os.dup(1))
    os.dup2(2, 1)  # a stray print from a codec must not reach the message stream
    try:
        serve(0, outlet)
    except BrokenPipeError:
        return 1
    except (MediaError, WireError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
