"""Glass to glass: from the moment a picture is due to the moment Chromium shows it.

Each picture has its time in the pixels; the watch page reads it back from every few frames that
it presents, on the same machine and clock; the server runs its default ladder between them. The
pictures are encoded before: an anchor's encoder does not share the server's cores.
 Run from the repository's root: python -m bench.glass
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import aiohttp

from bench import playlist, timecode
from bench.broadcast import Broadcast, broadcasting
from bench.encoders import CLIP_SECONDS
from bench.report import BenchError, Bound, Effort, Goal, Row, alone, median, note, quantile
from bench.serving import Server, call, client_of, serving, until_found
from tests.interop.browser import Tab, chromium

TYPICAL = Goal(Bound.AT_MOST, 1.5)
NEARLY_ALL = Goal(Bound.AT_MOST, 2.0)
CHANNEL = "glass"
SETTLE_SECONDS = 10.0
"""After the first picture: the player finds its distance to the edge."""
START_SECONDS = 60.0
VIEWPORT = (1440, 900)
MOST_SPOILT = 0.05
READ_EVERY = 5
"""Frames: to read one costs half of what it costs to show it."""
EARLY_MS = 1_000.0
"""No clock is so far off that a picture seems to be shown so long before it is due."""
_COLLECT = (
    """() => {"""
    + timecode.READ
    + """
  const { video, playback } = document.querySelector('vitrine-player');
  const read = reader();
  const seen = (window.vitrineGlass = []);
  let number = 0;
  const look = (now, frame) => {
    video.requestVideoFrameCallback(look);
    number += 1;
    if (number % READ_EVERY) return;
    // The later of the two: a frame is on the glass when it has been composed.
    const shown = performance.timeOrigin + Math.max(now, frame.expectedDisplayTime);
    const date = playback.position.dateAt(frame.mediaTime);
    seen.push({ code: read(video), shown, date, height: video.videoHeight });
  };
  video.requestVideoFrameCallback(look);
}"""
).replace("READ_EVERY", str(READ_EVERY))


@dataclass(frozen=True, slots=True)
class Publication:
    """A part as a client got to know of it, PDT and wall clock in UTC milliseconds."""

    middle_ms: float
    heard_ms: float


def measure(effort: Effort) -> list[Row]:
    """Measure latencies in seconds. Raises BenchError."""
    return asyncio.run(_measure(effort))


async def _measure(effort: Effort) -> list[Row]:
    life = effort.watch_seconds + SETTLE_SECONDS + 2 * START_SECONDS
    with tempfile.TemporaryDirectory(prefix="vitrine-bench-") as folder:
        async with serving(folder) as server, client_of(server) as client, chromium() as browser:
            await until_found(client, "/readyz")
            channel = await call(client, "POST", "/api/v1/channels", {"id": CHANNEL})
            tab = await browser.tab(VIEWPORT)
            async with broadcasting(f"{server.rtmp}/{channel['stream_key']}", life) as broadcast:
                await until_found(client, f"/live/{CHANNEL}/index.m3u8")
                frames, published = await _watch(server, client, tab, effort.watch_seconds)
                figures = await tab.figures()
            stalls = await tab.stalls()
    note(f"player: target {figures['target']} s behind the edge, {stalls} stalls")
    return _rows(frames, published, broadcast, effort.watch_seconds)


async def _watch(
    server: Server, client: aiohttp.ClientSession, tab: Tab, seconds: float
) -> tuple[list[dict[str, Any]], list[Publication]]:
    await tab.open(f"{server.url}/watch/{CHANNEL}")
    await tab.plays(within=START_SECONDS)
    await asyncio.sleep(SETTLE_SECONDS)
    await tab.page.evaluate(_COLLECT)
    note(f"watching for {seconds:.0f} s, load average {os.getloadavg()[0]:.1f}")
    published = await _follow(client, seconds)
    frames: list[dict[str, Any]] = await tab.page.evaluate("window.vitrineGlass")
    return frames, published


async def _follow(client: aiohttp.ClientSession, seconds: float) -> list[Publication]:
    """Ask for each part of the best rendition; note when it is there."""
    multivariant = await until_found(client, f"/live/{CHANNEL}/index.m3u8")
    best = next(line for line in multivariant.splitlines() if line and not line.startswith("#"))
    path = f"/live/{CHANNEL}/{best.removeprefix('./')}"
    at = playlist.edge(await until_found(client, path))
    heard: list[Publication] = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        query = {"_HLS_msn": str(at.msn), "_HLS_part": str(at.parts)}
        async with client.get(path, params=query) as answer:
            if answer.status != 200:
                raise BenchError(f"{path}: {answer.status}")
            at = playlist.edge(await answer.text())
        heard.append(Publication(at.end_ms - at.part_seconds * 500, time.time() * 1000))
    return heard


def _rows(
    frames: list[dict[str, Any]],
    published: list[Publication],
    broadcast: Broadcast,
    seconds: float,
) -> list[Row]:
    good = [frame for frame in frames if frame["code"] is not None and frame["date"] is not None]
    spoilt = len(frames) - len(good)
    if len(good) * READ_EVERY < 5 * seconds or spoilt > MOST_SPOILT * len(frames) or not published:
        raise BenchError(f"{len(frames)} frames seen in {seconds} s, {spoilt} unreadable")

    def since_due(name: str) -> list[float]:
        at = [(frame["code"], frame[name] - broadcast.first_due_ms) for frame in good]
        return [timecode.age(*both, CLIP_SECONDS * 1_000, EARLY_MS) / 1_000 for both in at]

    ages, ingest = since_due("shown"), median(since_due("date"))
    encode = median([(part.heard_ms - part.middle_ms) / 1000 for part in published])
    heights = Counter(frame["height"] for frame in good)
    note(f"{len(good)} frames read, {spoilt} spoilt; by height {dict(heights)}")
    what = (
        f"{len(good)} frames in {seconds} s of Chromium, default ladder, "
        f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}"
    )
    total = median(ages)
    return [
        Row("glass to glass, p50", total, "s", what, TYPICAL),
        Row("glass to glass, p95", quantile(ages, 0.95), "s", what, NEARLY_ALL),
        Row("- picture due to its PDT", ingest, "s", "p50; RTMP, ingest"),
        Row("- PDT to part published", encode, "s", "p50; ladder, half a part, blocking reload"),
        Row("- published to shown", total - ingest - encode, "s", "rest; hold-back, player"),
    ]


if __name__ == "__main__":
    alone(measure)
