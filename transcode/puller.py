"""The puller process: reads a source from an address and writes its units.

    python -m transcode.puller

An Order comes on standard input, Feeds go out on standard output, a Closed is the last: its
reason is empty after the end of what has an end. The process ends with its input. It takes
apart what strangers made and so is not the server's.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import BinaryIO

from ingest.unit import TICKS_PER_SECOND, AudioConfig, AudioUnit, Unit, VideoConfig, VideoUnit
from transcode import plain, wire
from transcode.confine import confine
from transcode.errors import PullError, WireError
from transcode.pull.demux import Tracks, opened
from transcode.pull.dial import Dialer
from transcode.pull.order import HEAD, Order
from transcode.pull.pace import Pacer
from transcode.pull.place import parse
from transcode.pull.ways import way_to

MEMORY = 1 << 30
"""Bytes of address space: an index or a playlist that never ends takes nothing but this process."""
FETCHED = frozenset({"http", "https"})
"""Files and segments come as fast as the line, and may have an end; the others are live."""
MAX_ORDER = 64 * 1024


class Reading:
    """One source, from its first pass to its last unit."""

    def __init__(self, order: Order, emit: Callable[[wire.Message], None]) -> None:
        """Raises PullError."""
        try:
            self._place = parse(order.url)
        except ValueError as error:
            raise PullError(f"its address {error}") from error
        self._order = order
        self._emit = emit
        self._dialer = Dialer(order.allow_private, order.open_seconds, order.silence_seconds)
        self._pacer = Pacer() if self._place.scheme in FETCHED else None
        self._end: int | None = None
        """Where the last pass ended, in ticks of the first one's time."""
        self._configs: dict[type, Unit] = {}

    def run(self) -> None:
        """Read until the end of what has one. Raises PullError: for whatever is live, any end."""
        while self._once() and self._order.loop:
            pass

    def _once(self) -> bool:
        with way_to(self._place, self._dialer) as way, opened(way, self._order) as container:
            tracks = Tracks(container, sized=way.sized)
            shift = 0 if self._end is None else self._end - tracks.start
            for number, unit in enumerate(tracks.units(self._order)):
                # Not before: a file may say what is in it, and not be readable all the same.
                if number == 0 and self._end is None:
                    self._emit(wire.Feed(tracks.info(), _now_ms()))
                self._send(_later(unit, shift))
            if self._pacer is None or not tracks.finite:
                raise PullError("it ended")
            if tracks.end is None:
                raise PullError("there is nothing in it")
            self._end = tracks.end + shift
        return True

    def _send(self, unit: Unit) -> None:
        if isinstance(unit, VideoConfig | AudioConfig):
            if self._configs.get(type(unit)) == unit:
                return  # the next pass over the same file
            self._configs[type(unit)] = unit
        if self._pacer is not None and isinstance(unit, VideoUnit | AudioUnit):
            at = unit.dts if isinstance(unit, VideoUnit) else unit.pts
            time.sleep(self._pacer.wait(at / TICKS_PER_SECOND, time.monotonic()))
        self._emit(wire.Feed(unit, _now_ms()))


def _later(unit: Unit, ticks: int) -> Unit:
    match unit:
        case VideoUnit() if ticks:
            return replace(unit, dts=unit.dts + ticks, pts=unit.pts + ticks)
        case AudioUnit() if ticks:
            return replace(unit, pts=unit.pts + ticks)
    return unit


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def take_order(source: BinaryIO) -> Order:
    """Read the one message. Raises WireError."""
    head = _exactly(source, HEAD.size)
    size = HEAD.unpack(head)[0] if len(head) == HEAD.size else 0
    if not 0 < size <= MAX_ORDER:
        raise WireError("no order")
    return plain.load(Order, memoryview(_exactly(source, size)))


def _exactly(source: BinaryIO, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := source.read(size - len(data))):
        data += more
    return data


def _leave_with(source: BinaryIO) -> None:
    """End the process when the server closes its side, or is no more."""
    while source.read(1):
        pass
    os._exit(0)


def _read(order: Order, emit: Callable[[wire.Message], None]) -> str:
    """Read the source; give why that ended, empty for its own end."""
    try:
        Reading(order, emit).run()
    except PullError as error:
        return str(error)
    except BrokenPipeError:
        return "nobody listens"
    except MemoryError:
        return "it takes more memory than a source may"
    except Exception as error:  # noqa: BLE001 - our own fault, told as any other
        # Without its text, which may quote the address and so the password.
        sys.stderr.writelines(
            [*traceback.format_tb(error.__traceback__), type(error).__name__, "\n"]
        )
        return "reading it failed in a way that is not known"
    return ""


def main() -> int:
    """Read one source; 0 when it was told how that ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server decides when it is enough
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # a stray print from a library must not reach the messages
    source = os.fdopen(0, "rb", buffering=0, closefd=False)

    def emit(message: wire.Message) -> None:
        view = memoryview(wire.encode(message))
        while view:
            view = view[out.write(view) :]

    try:
        order = take_order(source)
    except WireError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    confine(MEMORY)
    threading.Thread(target=_leave_with, args=(source,), daemon=True).start()
    reason = _read(order, emit)
    with suppress(BrokenPipeError):
        emit(wire.Closed(reason))
    return 0


if __name__ == "__main__":
    sys.exit(main())
