"""CPU that a publisher costs the web process, beside nginx-rtmp with HLS on.

The same encoders, in turn: STREAMS broadcasts of 4 Mbit/s. Ours is everything from the socket
to the worker's pipe (RTMP, units, figures, framing, write), in the process that `vitrine serve`
runs; the workers behind the pipes discard what they read and are not counted. Theirs takes RTMP
and cuts TS segments to memory.
Run from the repository's root: python -m bench.publish
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench import encoders
from bench.report import BenchError, Bound, Effort, Goal, Row, alone, median, note
from bench.segmenter import segmenting
from bench.serving import END_SECONDS, START_SECONDS, end

STREAMS = 20
GOAL = Goal(Bound.AT_MOST, 1.0)
WARM_UP_SECONDS = 6.0
"""Twenty workers start meanwhile."""
SPARE_SECONDS = 3.0
MOST_OFF = 0.1
"""How far the bytes of a stream may be from what was sent, as a share."""


@dataclass(frozen=True, slots=True)
class Side:
    """A server and where its publishers go."""

    name: str
    urls: list[str]
    pid: int
    process: asyncio.subprocess.Process | None = None
    """Whom to ask what became of the streams; ours only."""


def measure(effort: Effort) -> list[Row]:
    """Compare the CPU per stream. Raises BenchError."""
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
    with tempfile.TemporaryDirectory(prefix="vitrine-bench-", dir=memory) as folder:
        return asyncio.run(_measure(Path(folder), effort))


async def _measure(folder: Path, effort: Effort) -> list[Row]:
    seconds = effort.watch_seconds / 2
    pairs: list[tuple[float, float]] = []
    async with _ours(folder / "data") as ours, _theirs(folder / "nginx") as theirs:
        for number in range(effort.rounds):
            pair = await _spent(ours, seconds), await _spent(theirs, seconds)
            pairs.append(pair)
            note(f"round {number + 1}: {pair[0]:.2%} of a core a stream, nginx {pair[1]:.2%}")
    mine = median([pair[0] for pair in pairs])
    ratio = median([a / b for a, b in pairs])
    conditions = f"nginx-rtmp with HLS; {STREAMS} streams of 4 Mbit/s, the workers' CPU left out"
    return [
        Row("publish, CPU of the web process", ratio, "x", conditions, GOAL),
        Row("publish, CPU a stream", mine * 100, "% of a core", "ours alone"),
    ]


@contextlib.asynccontextmanager
async def _ours(folder: Path) -> AsyncIterator[Side]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.ingest_server", str(folder), str(STREAMS),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        told = json.loads(await _line(process))
        urls = [f"rtmp://127.0.0.1:{told['port']}/live/{key}" for key in told["keys"]]
        yield Side("ours", urls, process.pid, process)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await end(process)


@contextlib.asynccontextmanager
async def _theirs(folder: Path) -> AsyncIterator[Side]:
    async with segmenting(folder) as nginx:
        if not nginx.takes_rtmp:
            raise BenchError("nginx has no RTMP module: install libnginx-mod-rtmp")
        children = psutil.Process(nginx.pid).children()
        # The other one cleans up old segments, at its own cost.
        (worker,) = [child for child in children if "worker process" in child.cmdline()[0]]
        yield Side("nginx", [f"{nginx.rtmp}{n}" for n in range(STREAMS)], worker.pid)


async def _spent(side: Side, seconds: float) -> float:
    """Give the share of a core that one publisher costs `side`."""
    process = psutil.Process(side.pid)
    async with _sending(side.urls, seconds + WARM_UP_SECONDS + SPARE_SECONDS) as senders:
        await asyncio.sleep(WARM_UP_SECONDS)
        before = await _figures(side)
        cpu, began = _cpu(process), time.monotonic()
        await asyncio.sleep(seconds)
        cpu, took = _cpu(process) - cpu, time.monotonic() - began
        _check(before, await _figures(side), took)
        if senders.returncode is not None:
            raise BenchError(f"{side.name}: the encoders gave up")
        if await asyncio.wait_for(senders.wait(), END_SECONDS) != 0:
            raise BenchError(f"{side.name}: the encoders failed")
    return cpu / took / len(side.urls)


async def _figures(side: Side) -> dict[str, list[int]]:
    """Ask what each stream has received and dropped; nothing of a side that cannot tell."""
    if side.process is None or side.process.stdin is None:
        return {}
    side.process.stdin.write(b"\n")
    told: dict[str, list[int]] = json.loads(await _line(side.process))
    return told


def _check(before: dict[str, list[int]], after: dict[str, list[int]], seconds: float) -> None:
    """Make sure that every stream went through whole. Raises BenchError."""
    if after.get("dropped") != before.get("dropped"):
        raise BenchError("pictures were dropped: the machine is too busy")
    expected = (encoders.VIDEO_BITRATE + encoders.AUDIO_BITRATE) / 8 * seconds
    for first, last in zip(before.get("bytes", ()), after.get("bytes", ()), strict=True):
        if abs(last - first - expected) > MOST_OFF * expected:
            raise BenchError(f"a stream of {last - first} bytes, expected {expected:.0f}")


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


@contextlib.asynccontextmanager
async def _sending(urls: list[str], seconds: float) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.encoders", str(seconds), *urls,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        if not (await _line(process)).startswith(encoders.SENDING):
            raise BenchError("the encoders did not start")
        yield process
    finally:
        await end(process)


async def _line(process: asyncio.subprocess.Process) -> str:
    if process.stdout is None:
        raise BenchError("a process without output")
    line = await asyncio.wait_for(process.stdout.readline(), START_SECONDS)
    return line.decode().strip()


if __name__ == "__main__":
    alone(measure)
