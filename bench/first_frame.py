"""From the anchor's RTMP connect to a shopper's first picture, beside ordinary HLS.

The same sender, the same Chromium, in turn: the page is open and waits for the show. Also
how long a page opened later takes to its first picture.
Run from the repository's root: python -m bench.first_frame
"""

from __future__ import annotations

import asyncio
import re
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import aiohttp

from bench.broadcast import broadcasting
from bench.report import BenchError, Bound, Effort, Goal, Row, alone, median, note
from bench.segmenter import segmenting
from bench.serving import START_SECONDS, Server, call, client_of, serving, until_found
from tests.interop.browser import Chromium, Tab, chromium

GOAL = Goal(Bound.AT_MOST, 1.0)
VIEWPORT = (1280, 800)
LIFE_SECONDS = 150.0
POLL_SECONDS = 0.02
_WATCH = """
const find = () => {
  const video = document.querySelector('vitrine-player')?.video ?? document.querySelector('video');
  if (!video) return setTimeout(find, 10);
  video.requestVideoFrameCallback((now) => {
    window.firstFrame = { at: performance.timeOrigin + now, since: now };
  });
};
find();
"""


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds."""

    media: float
    """RTMP connect to the first part or segment that a client has whole."""
    frame: float
    """RTMP connect to the first picture on a page that waits for it."""
    join: float
    """Opening the page to the first picture, while the show is on."""

    def __str__(self) -> str:
        return f"media {self.media:.2f} s, picture {self.frame:.2f} s, join {self.join:.2f} s"


@dataclass(frozen=True, slots=True)
class Side:
    """One way from a publisher to pages."""

    publish: str
    url: str
    page: str
    first_media: Callable[[aiohttp.ClientSession], Awaitable[None]]


def measure(effort: Effort) -> list[Row]:
    """Compare the times. Raises BenchError."""
    return asyncio.run(_measure(effort))


async def _measure(effort: Effort) -> list[Row]:
    pairs: list[tuple[Start, Start]] = []
    name = ""
    with tempfile.TemporaryDirectory(prefix="vitrine-bench-") as folder:
        async with serving(Path(folder) / "data") as server, chromium() as browser:
            for number in range(effort.rounds):
                ours = await _ours(server, browser, number)
                room = Path(folder) / f"reference-{number}"
                async with segmenting(room) as other:
                    name = other.name
                    first = partial(_first_segment, path=other.playlist)
                    side = Side(other.rtmp, other.url, other.page, first)
                    pairs.append((ours, await _start(side, browser)))
                note(f"round {number + 1}: {pairs[-1][0]}; {name}: {pairs[-1][1]}")
    return _rows(pairs, name)


async def _ours(server: Server, browser: Chromium, number: int) -> Start:
    """Start a channel that was never on the air."""
    channel = f"first{number}"
    async with client_of(server) as client:
        await until_found(client, "/readyz")
        key = (await call(client, "POST", "/api/v1/channels", {"id": channel}))["stream_key"]
    first = partial(_first_part, live=f"/live/{channel}")
    side = Side(f"{server.rtmp}/{key}", server.url, f"/watch/{channel}", first)
    return await _start(side, browser)


async def _start(side: Side, browser: Chromium) -> Start:
    waiting, later = await browser.tab(VIEWPORT), await browser.tab(VIEWPORT)
    timeout = aiohttp.ClientTimeout(total=START_SECONDS)
    async with aiohttp.ClientSession(side.url, timeout=timeout) as client:
        await _open(waiting, side.url + side.page)
        async with broadcasting(side.publish, LIFE_SECONDS) as broadcast:
            await side.first_media(client)
            media_ms = time.time() * 1000
            frame = await _first_frame(waiting)
            await waiting.page.close()
            await _open(later, side.url + side.page)
            join = await _first_frame(later)
            await later.page.close()
    return Start(
        (media_ms - broadcast.connecting_ms) / 1000,
        (frame["at"] - broadcast.connecting_ms) / 1000,
        join["since"] / 1000,
    )


async def _open(tab: Tab, url: str) -> None:
    await tab.page.add_init_script(_WATCH)
    await tab.open(url)


async def _first_frame(tab: Tab) -> dict[str, float]:
    try:
        frame: dict[str, float] = await tab.until("window.firstFrame", within=START_SECONDS)
    except TimeoutError as error:
        raise BenchError(f"no picture: {error}") from error
    return frame


async def _first_part(client: aiohttp.ClientSession, live: str) -> None:
    """Wait until the best rendition has a part, and fetch it."""
    multivariant = await until_found(client, f"{live}/index.m3u8", POLL_SECONDS)
    best = next(line for line in multivariant.splitlines() if line and not line.startswith("#"))
    path = f"{live}/{best.removeprefix('./')}"
    await _first(client, path, re.compile(r'#EXT-X-PART:.*URI="([^"]+)"'))


async def _first_segment(client: aiohttp.ClientSession, path: str) -> None:
    await _first(client, path, re.compile(r"^([^#\s].*)$", re.MULTILINE))


async def _first(client: aiohttp.ClientSession, path: str, entry: re.Pattern[str]) -> None:
    """Poll a media playlist until it has an `entry`, and fetch what that names."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        found = entry.search(await until_found(client, path, POLL_SECONDS))
        if found is not None:
            await until_found(client, f"{path.rpartition('/')[0]}/{found[1].strip()}", POLL_SECONDS)
            return
        await asyncio.sleep(POLL_SECONDS)
    raise BenchError(f"{path} stayed empty")


def _rows(pairs: list[tuple[Start, Start]], reference: str) -> list[Row]:
    rows: list[Row] = []
    for what, goal, times in (
        ("publish to first media", GOAL, [(own.media, other.media) for own, other in pairs]),
        ("publish to first picture", GOAL, [(own.frame, other.frame) for own, other in pairs]),
        # The reference's page is bare, ours is the whole shop: no goal.
        ("page opened to picture", None, [(own.join, other.join) for own, other in pairs]),
    ):
        seconds = median([mine for mine, _ in times])
        ratio = median([mine / other for mine, other in times])
        rows.append(Row(what, seconds, "s", f"median of {len(pairs)} starts, default ladder"))
        rows.append(Row(f"- {what}, ratio", ratio, "x", reference, goal))
    return rows


if __name__ == "__main__":
    alone(measure)
