"""A thousand low-latency viewers of one channel on one server process.

The server is the whole web process as `vitrine serve` runs it. An encoder publishes to it by RTMP;
only in the worker's place stands `bench.replayer`, which publishes, over the worker's own pipe and
in real time, what a real worker has made of a clip before: transcoding would take both cores of a
small machine. The viewers are one other process (`bench.crowd`).
Run from the repository's root: python -m bench.viewers
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bench import recorded, replayer
from bench.broadcast import broadcasting
from bench.crowd import RAMP_SECONDS
from bench.report import BenchError, Bound, Effort, Goal, Row, alone, median, note, quantile
from bench.serving import START_SECONDS, end

VIEWERS = 1000
RUNGS = ("720p", "480p", "360p")
CHANNEL = "c0"
GOAL = Goal(Bound.AT_MOST, 150.0)
NONE = Goal(Bound.AT_MOST, 0.0)
SETTLE_SECONDS = 8.0
"""Whole segments that players want before they begin."""
SPARE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Watched:
    """What the crowd saw, and what it cost the server."""

    late_ms: dict[str, list[float]]
    """By kind: written by the worker to the last byte at a viewer."""
    worst_ms: float
    """Of each rendition's part the 99th percentile over its viewers; the largest."""
    wrong: dict[str, int]
    answers: float
    """A second."""
    bytes_each: float
    """Of memory, for a viewer."""
    core: float
    """Of the server process: share of one."""
    crowd_core: float


def measure(effort: Effort) -> list[Row]:
    """Measure delays in milliseconds. Raises BenchError."""
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
    with tempfile.TemporaryDirectory(prefix="vitrine-bench-", dir=memory) as name:
        folder = Path(name)
        note(f"recording {recorded.SECONDS} s of the default ladder")
        os.environ[recorded.VARIABLE] = str(recorded.record(folder))
        os.environ[replayer.VARIABLE] = str(folder / "written")
        found = asyncio.run(_measure(folder, effort.watch_seconds))
    return _rows(found, effort.watch_seconds)


async def _measure(folder: Path, seconds: float) -> Watched:
    async with _server(folder / "data") as (server, told):
        url = f"rtmp://127.0.0.1:{told['port']}/live/{told['keys'][0]}"
        life = SETTLE_SECONDS + RAMP_SECONDS + seconds + SPARE_SECONDS
        async with broadcasting(url, life):
            await asyncio.sleep(SETTLE_SECONDS)
            return await _watch(server, int(told["http"]), folder, seconds)


async def _watch(server: psutil.Process, port: int, folder: Path, seconds: float) -> Watched:
    seen = folder / "seen"
    alone_bytes = server.memory_info().rss
    command = (str(port), CHANNEL, str(VIEWERS), str(seconds), str(seen), *RUNGS)
    async with _lines("bench.crowd", *command) as (_, line):
        await asyncio.sleep(RAMP_SECONDS * 1.5)
        note(f"{VIEWERS} viewers, load average {os.getloadavg()[0]:.1f}")
        before = _cpu(server)
        await asyncio.sleep(seconds * 0.75)
        core = (_cpu(server) - before) / (seconds * 0.75)
        grown = server.memory_info().rss - alone_bytes
        told = await line()
        if not told:
            raise BenchError("the crowd ended early")
        crowd = json.loads(told)
    late, worst, count = _join(folder / "written", seen, seconds)
    return Watched(
        late, worst, crowd["wrong"], count / seconds, grown / VIEWERS, core,
        crowd["cpu"] / (seconds + RAMP_SECONDS),
    )  # fmt: skip


def _join(written: Path, seen: Path, seconds: float) -> tuple[dict[str, list[float]], float, int]:
    """Hold what was seen against what was written: the last `seconds`, all viewers there."""
    at = {
        (rendition, int(number)): int(ns)
        for rendition, number, ns in (line.split() for line in written.read_text().splitlines())
    }
    rows = [line.split() for line in seen.read_text().splitlines()]
    first = max(int(row[3]) for row in rows) - int(seconds * 1e9)
    late: dict[str, list[float]] = defaultdict(list)
    parts: dict[tuple[str, int], list[float]] = defaultdict(list)
    for kind, rendition, number, ns in rows:
        published = at[rendition, int(number)]
        if published >= first:
            late[kind].append((int(ns) - published) / 1e6)
            if kind == "part":
                parts[rendition, int(number)].append(late[kind][-1])
    _check(parts)
    worst = max(quantile(each, 0.99) for each in parts.values())
    return late, worst, sum(map(len, late.values()))


def _check(parts: dict[tuple[str, int], list[float]]) -> None:
    """Make sure that each viewer got each part. Raises BenchError."""
    # The last ones may have been on their way when the crowd went.
    newest = max(number for _, number in parts) - 3
    for (rendition, number), each in parts.items():
        viewers = sum(RUNGS[n % len(RUNGS)] == rendition for n in range(VIEWERS))
        if len(each) != viewers and number < newest:
            raise BenchError(f"part {number} of {rendition} reached {len(each)} of {viewers}")


def _rows(found: Watched, seconds: float) -> list[Row]:
    note(f"what went wrong: {found.wrong or 'nothing'}; the crowd took {found.crowd_core:.0%}")
    what = f"{VIEWERS} viewers of {len(RUNGS)} rungs, {seconds} s, {os.cpu_count()} cores"
    parts, lists = found.late_ms["part"], found.late_ms["playlist"]
    return [
        Row("viewers, part published to last byte, p99", quantile(parts, 0.99), "ms", what, GOAL),
        Row("viewers, the same, p50", median(parts), "ms", what),
        Row("viewers, worst part's p99", found.worst_ms, "ms", "each part over its viewers"),
        Row("viewers, playlist, p99", quantile(lists, 0.99), "ms", "held, gzip"),
        Row("viewers, errors", sum(found.wrong.values()), "", "answers and lost connections", NONE),
        Row("viewers, answers", found.answers, "/s", "playlists and parts"),
        Row("viewers, the server's CPU", found.core * 100, "% of a core", "one process"),
        Row("viewers, memory of each", found.bytes_each / 1024, "KiB", "resident, two connections"),
    ]


@contextlib.asynccontextmanager
async def _server(folder: Path) -> AsyncIterator[tuple[psutil.Process, dict[str, Any]]]:
    """Run the web process with the replayer behind it."""
    command = ("bench.ingest_server", str(folder), "1", "bench.replayer")
    async with _lines(*command) as (process, line):
        told = json.loads(await line())
        yield psutil.Process(process.pid), told
        if process.stdin is not None:
            process.stdin.close()


@contextlib.asynccontextmanager
async def _lines(module: str, *arguments: str) -> AsyncIterator[tuple[Any, Any]]:
    """Run a module; give the process and what reads its next line."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=1 << 20,
    )  # fmt: skip

    async def line() -> str:
        assert process.stdout is not None
        told = await asyncio.wait_for(process.stdout.readline(), START_SECONDS + SPARE_SECONDS)
        return told.decode().strip()

    try:
        yield process, line
    finally:
        await end(process)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    alone(measure)
