"""A long broadcast, watched as a viewer would: no stall, no step back, no growing memory.

`python -m bench.soak --minutes 60`. A real server, ffmpeg as the anchor, pins that come and go,
a viewer that follows the smallest rendition by blocking reloads, and the linter on all of them.
Exit status 1 on a breach.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import re
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import aiohttp
import psutil

from bench.report import BenchError
from bench.serving import START_SECONDS, Server, call, client_of, end, serving, until_found
from server.cli_lint import lines
from server.lint.notes import Outcome
from server.lint.run import lint

CHANNEL = "soak"
SAMPLE_SECONDS = 5.0
PIN_SECONDS = 20.0
WARM_UP = 0.25
"""The share of the run before memory is judged: caches and the live window fill."""
GROWTH_ALLOWED = 0.10
GROWTH_FLOOR_MIB = 24.0
LINT_ENDS = 20.0
"""Seconds before the run's end at which the linter ends its watch, to tell what it found."""


class SoakError(BenchError):
    """The broadcast broke a promise."""


@dataclass(slots=True)
class Watch:
    """What was seen."""

    began: float
    reloads: int = 0
    newest: tuple[int, int] = (-1, -1)
    slowest: float = 0.0
    memory: list[tuple[float, float]] = field(default_factory=list)
    """Seconds since the start, MiB of the whole process tree."""


@contextlib.asynccontextmanager
async def broadcasting(url: str, seconds: float) -> AsyncIterator[asyncio.subprocess.Process]:
    """Send 720p30 with sound, as an anchor's encoder would."""
    process = await asyncio.create_subprocess_exec(
        "ffmpeg", "-nostdin", "-loglevel", "error", "-re",
        "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30",
        "-f", "lavfi", "-i", "sine=frequency=440:beep_factor=4:sample_rate=48000",
        "-t", str(seconds), "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency",
        "-pix_fmt", "yuv420p", "-g", "60", "-b:v", "2500k", "-maxrate", "2500k",
        "-bufsize", "2500k", "-c:a", "aac", "-b:a", "128k", "-f", "flv", url,
    )  # fmt: skip
    try:
        yield process
    finally:
        await end(process)


def newest(playlist: str) -> tuple[int, int]:
    """The last media sequence number and the number of its parts that are listed."""
    first = re.search(r"#EXT-X-MEDIA-SEQUENCE:(\d+)", playlist)
    if first is None:
        raise SoakError("a playlist without EXT-X-MEDIA-SEQUENCE")
    if "#EXT-X-ENDLIST" in playlist:
        raise SoakError("the playlist ended")
    segments = len(re.findall(r"^#EXTINF:", playlist, re.MULTILINE))
    tail = playlist.rpartition("#EXTINF:")[2]
    return int(first[1]) + segments, len(re.findall(r"^#EXT-X-PART:", tail, re.MULTILINE))


async def follow(client: aiohttp.ClientSession, watch: Watch) -> None:
    """Ask for one part after another, and hold the server to its cadence."""
    multivariant = await until_found(client, f"/live/{CHANNEL}/index.m3u8")
    media = [line for line in multivariant.splitlines() if line.endswith(".m3u8")]
    path = f"/live/{CHANNEL}/{media[-1].removeprefix('./')}"
    text = await until_found(client, path)
    target = re.search(r"#EXT-X-TARGETDURATION:(\d+)", text)
    allowed = 3.0 * float(target[1] if target else 2)
    while True:
        msn, parts = watch.newest = newest(text)
        asked = time.monotonic()
        query = {"_HLS_msn": str(msn), "_HLS_part": str(parts)}
        async with client.get(path, params=query) as answer:
            text = await answer.text()
            if answer.status != 200:
                raise SoakError(f"part {msn}.{parts}: {answer.status} after {allowed:.0f} s")
        watch.slowest = max(watch.slowest, time.monotonic() - asked)
        watch.reloads += 1
        if watch.slowest > allowed:
            raise SoakError(f"part {msn}.{parts} took {watch.slowest:.1f} s")
        if newest(text) <= (msn, parts):
            raise SoakError(f"asked for {msn}.{parts}, got a list up to {newest(text)}")


async def sell(client: aiohttp.ClientSession) -> None:
    """Pin and unpin one product after another."""
    api = f"/api/v1/channels/{CHANNEL}"
    turn = 0
    while True:
        product = f"p{turn % 5}"
        price = {"amount": 990 + 100 * (turn % 7), "currency": "EUR"}
        body = {"id": product, "title": f"Product {turn}", "price": price}
        await call(client, "PUT", f"{api}/products/{product}", body)
        pin = await call(client, "POST", f"{api}/pins", {"product_id": product})
        await asyncio.sleep(PIN_SECONDS * 0.6)
        await call(client, "DELETE", f"{api}/pins/{pin['id']}")
        await asyncio.sleep(PIN_SECONDS * 0.4)
        turn += 1


async def inspect(server: Server, seconds: float) -> None:
    """Hold the stream against the rules of `vitrine lint`, from outside, all the while."""
    report = await lint(f"{server.url}/live/{CHANNEL}/index.m3u8", seconds)
    for line in lines(report):
        print(line, flush=True)
    broken = [v.rule.title for v in report.verdicts if v.outcome is Outcome.BROKEN]
    if broken:
        raise SoakError(f"the linter found: {'; '.join(broken)}")


async def weigh(server: Server, watch: Watch) -> None:
    """Sample the memory of the server and its workers."""
    root = psutil.Process(server.process.pid)
    while True:
        if server.process.returncode is not None:
            raise SoakError(f"the server ended with status {server.process.returncode}")
        total = 0.0
        for process in [root, *root.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss / 2**20
        seconds = time.monotonic() - watch.began
        watch.memory.append((seconds, total))
        print(
            f"{seconds:6.0f} s  {total:6.0f} MiB  msn {watch.newest[0]:>5}  "
            f"reloads {watch.reloads:>6}  slowest {watch.slowest:.2f} s",
            flush=True,
        )
        await asyncio.sleep(SAMPLE_SECONDS)


def judge(watch: Watch, seconds: float) -> None:
    """Compare memory after the warm-up with memory at the end; raises SoakError."""
    settled = [mib for at, mib in watch.memory if at >= seconds * WARM_UP]
    third = len(settled) // 3
    if third == 0 or watch.reloads < seconds:
        raise SoakError(f"too little was seen: {watch.reloads} reloads in {seconds:.0f} s")
    early, late = statistics.median(settled[:third]), statistics.median(settled[-third:])
    print(f"memory {early:.0f} -> {late:.0f} MiB, slowest reload {watch.slowest:.2f} s")
    if late - early > max(GROWTH_FLOOR_MIB, early * GROWTH_ALLOWED):
        raise SoakError(f"memory grew from {early:.0f} to {late:.0f} MiB")


async def soak(seconds: float) -> None:
    with tempfile.TemporaryDirectory(prefix="vitrine-soak-") as folder:
        async with serving(folder) as server, client_of(server) as client:
            await until_found(client, "/readyz")
            channel = await call(client, "POST", "/api/v1/channels", {"id": CHANNEL})
            address = f"{server.rtmp}/{channel['stream_key']}"
            async with broadcasting(address, seconds + START_SECONDS):
                watch = Watch(began=time.monotonic())
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(seconds), asyncio.TaskGroup() as tasks:
                        tasks.create_task(follow(client, watch))
                        tasks.create_task(weigh(server, watch))
                        await until_found(client, f"/live/{CHANNEL}/index.m3u8")
                        tasks.create_task(sell(client))
                        left = seconds - (time.monotonic() - watch.began) - LINT_ENDS
                        if left > LINT_ENDS:
                            tasks.create_task(inspect(server, left))
                judge(watch, seconds)


def leaves(group: BaseExceptionGroup[BenchError]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from leaves(error)
        else:
            yield error


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="how long (default 5)")
    options = parser.parse_args()
    breaches: list[str] = []
    try:
        asyncio.run(soak(options.minutes * 60))
    except* BenchError as errors:
        breaches = [str(error) for error in leaves(errors)]
    for breach in breaches:
        print(f"soak: {breach}", file=sys.stderr)
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
