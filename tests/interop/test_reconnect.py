"""The anchor's line breaks, or the server is started anew: viewers wait, and the show goes on."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import AsyncExitStack, ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.helpers.hls_client import Taken, following
from tests.helpers.senders import ffmpeg_size, sending
from tests.helpers.vitrine_server import Api, Channel, VitrineServer, calling, serving
from tests.interop.browser import PHONE, Chromium, Tab
from tests.interop.on_air import LIVE_SECONDS, PAGE_SECONDS, stock
from tests.server.hls.reader import ReadPlaylist, ReadSegment, read

pytestmark = [
    pytest.mark.interop,
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="session"),
]

LANDSCAPE, PORTRAIT = (640, 360), (360, 640)
RUNG = "360p"
AWAY_SECONDS = 8.0
BACK_SECONDS = 6.0
"""How long a page may take to play on, from the moment that there is a picture again."""
PLAYER = "document.querySelector('vitrine-player')"
SHAPE = f"`${{{PLAYER}.video.videoWidth}}x${{{PLAYER}.video.videoHeight}}`"


class Watched:
    """A channel with a pinned product, an open page on it, and an encoder that comes and goes."""

    def __init__(self, api: Api, made: Channel, tab: Tab) -> None:
        self.api = api
        self.made = made
        self.tab = tab
        self.session = ""
        self.pin = ""

    async def begin(self, stack: AsyncExitStack) -> asyncio.subprocess.Process:
        """Start the broadcast and watch it until its pinned product can be tapped."""
        api, tab, name = self.api, self.tab, self.made.id
        await stock(api, name)
        sender = await self.send(stack, LANDSCAPE)
        self.session = (await api.until_state(name, "live", LIVE_SECONDS))["session"]
        await tab.open(f"{api.server.url}/watch/{name}")
        await tab.page.evaluate("window.vitrineMark = 1")
        await tab.plays(within=PAGE_SECONDS)
        self.pin = (await api.pin(name, "tea"))["id"]
        await tab.spot("tea").wait_for(timeout=PAGE_SECONDS * 1000)
        return sender

    async def send(
        self, stack: AsyncExitStack, size: tuple[int, int]
    ) -> asyncio.subprocess.Process:
        url = f"{self.api.server.rtmp}/{self.made.stream_key}"
        return await stack.enter_async_context(sending(*ffmpeg_size(url, *size)))

    async def goes_on(self, size: tuple[int, int]) -> None:
        """See the page, never loaded anew, play pictures of `size` soon after there are some."""
        tab = self.tab
        found = await self.api.until_state(self.made.id, "live", LIVE_SECONDS)
        since = time.time() * 1000
        assert found["session"] == self.session
        await tab.until(f"{PLAYER}.dataset.phase === 'playing'", within=BACK_SECONDS)
        await tab.until(f"{SHAPE} === '{size[0]}x{size[1]}'", within=PAGE_SECONDS)
        await tab.until(f"{PLAYER}.playingDate > {since}", within=PAGE_SECONDS)
        assert await tab.page.evaluate("window.vitrineMark") == 1
        pins = (await self.api.call("GET", f"/channels/{self.made.id}/pins"))["items"]
        assert [pin["id"] for pin in pins] == [self.pin]
        await tab.spot("tea").wait_for(timeout=PAGE_SECONDS * 1000)

    async def playlist(self) -> ReadPlaylist:
        url = f"{self.api.server.url}/live/{self.made.id}/{RUNG}/index.m3u8"
        async with self.api.session.get(url) as answer:
            assert answer.status == 200
            return read(await answer.text())

    async def body(self, segment: ReadSegment) -> bytes:
        url = f"{self.api.server.url}/live/{self.made.id}/{RUNG}/{segment.uri}"
        async with self.api.session.get(url) as answer:
            assert answer.status == 200
            return await answer.read()


def gaps(taken: Taken) -> int:
    return sum(segment.gap for segment in taken.segments.values())


async def test_a_killed_encoder_comes_back_with_another_resolution(
    api: Api, browser: Chromium
) -> None:
    made = await api.add_channel("reconnect", motion="none")
    watched = Watched(api, made, await browser.tab(PHONE))
    async with AsyncExitStack() as stack:
        sender = await watched.begin(stack)
        live = f"{api.server.url}/live/{made.id}"
        recording = await stack.enter_async_context(following(api.session, live, RUNG))
        taken = recording.renditions[RUNG]
        sender.send_signal(signal.SIGKILL)
        await sender.wait()
        away = time.monotonic()
        await api.until_state(made.id, "interrupted")
        await watched.tab.until(f"{PLAYER}.dataset.notice === 'interrupted'", within=PAGE_SECONDS)
        assert await watched.tab.page.get_by_text("Back in a moment").first.is_visible()
        await recording.until(
            lambda _: gaps(taken) >= 2 and time.monotonic() - away >= AWAY_SECONDS, PAGE_SECONDS
        )
        again = await watched.send(stack, PORTRAIT)
        await watched.goes_on(PORTRAIT)
        # The strict reader has seen to it that neither sequence ever went back.
        await recording.until(lambda _: after_the_gaps(taken) >= 2, PAGE_SECONDS)
        again.send_signal(signal.SIGTERM)
        await again.wait()
        await recording.until_ended()
    await api.until_state(made.id, "offline")
    listed = [segment for _, segment in sorted(taken.segments.items())]
    missing = [segment for segment in listed if segment.gap]
    first = next(segment for segment in listed if segment.discontinuity)
    assert first.map_uri != listed[0].map_uri
    assert first.msn == missing[-1].msn + 1
    hole = first.pdt_ms - missing[0].pdt_ms
    assert abs(hole - float(sum(s.duration or 0 for s in missing)) * 1000) < 5
    assert [s.pdt_ms for s in listed] == sorted(s.pdt_ms for s in listed)
    assert watched.tab.complaints == []
    await watched.tab.page.context.close()


async def test_a_slate_stands_in_for_the_anchor_and_nobody_stalls(
    tmp_path: Path, browser: Chromium
) -> None:
    async with AsyncExitStack() as stack:
        server = stack.enter_context(serving(tmp_path, {"INGEST__INTERRUPTION": "slate"}))
        api = await stack.enter_async_context(calling(server))
        made = await api.add_channel("slate", motion="none")
        watched = Watched(api, made, await browser.tab(PHONE))
        sender = await watched.begin(stack)
        live = f"{server.url}/live/{made.id}"
        recording = await stack.enter_async_context(following(api.session, live, RUNG))
        taken = recording.renditions[RUNG]
        sender.send_signal(signal.SIGKILL)
        await sender.wait()
        lost = (await api.until_state(made.id, "interrupted"))["session"]
        assert lost == watched.session
        await recording.until(lambda _: after_the_gaps(taken) >= 3, PAGE_SECONDS)
        slate = next(s.pdt_ms for s in taken.whole if s.discontinuity)
        await watched.tab.until(f"{PLAYER}.playingDate > {slate + 2000}", within=PAGE_SECONDS)
        assert await watched.tab.page.evaluate(f"{PLAYER}.dataset.phase") == "playing"
        assert await watched.tab.spot("tea").is_visible()
        await watched.send(stack, PORTRAIT)
        await watched.goes_on(PORTRAIT)
        assert gaps(taken) == 0
        assert watched.tab.complaints == []
        await watched.tab.page.context.close()


def after_the_gaps(taken: Taken) -> int:
    """Count the whole segments behind the first discontinuity."""
    breaks = [s.msn for s in taken.whole if s.discontinuity]
    return sum(s.msn >= breaks[0] for s in taken.whole) if breaks else 0


async def test_a_second_encoder_takes_over_at_once(api: Api, browser: Chromium) -> None:
    made = await api.add_channel("takeover", motion="none")
    watched = Watched(api, made, await browser.tab(PHONE))
    async with AsyncExitStack() as stack:
        sender = await watched.begin(stack)
        await watched.send(stack, PORTRAIT)
        await asyncio.wait_for(sender.wait(), PAGE_SECONDS)
        states = {
            event["event"]
            for event in api.server.events()
            if event.get("channel") == made.id and event.get("session") == watched.session
        }
        assert "taken over" in states
        assert "interrupted" not in states
        await watched.tab.until(f"{SHAPE} === '{PORTRAIT[0]}x{PORTRAIT[1]}'", within=PAGE_SECONDS)
        await watched.goes_on(PORTRAIT)
        assert watched.tab.complaints == []
    await watched.tab.page.context.close()


@pytest.mark.parametrize("planned", [False, True], ids=["crash", "planned"])
async def test_a_restarted_server_goes_on_before_the_same_page(
    tmp_path: Path, browser: Chromium, planned: bool
) -> None:
    with ExitStack() as first:
        server = first.enter_context(serving(tmp_path))
        async with AsyncExitStack() as stack:
            api = await stack.enter_async_context(calling(server))
            made = await api.add_channel("restart", motion="none")
            watched = Watched(api, made, await browser.tab(PHONE))
            await watched.begin(stack)
            before = await watched.playlist()
            bodies = [await watched.body(segment) for segment in before.segments]
            if not planned:
                crash(server)
            first.close()
        await watched.tab.until(f"{PLAYER}.dataset.phase !== 'playing'", within=PAGE_SECONDS)
    with serving(tmp_path, after=server) as again:
        async with AsyncExitStack() as stack:
            watched.api = await stack.enter_async_context(calling(again))
            assert (await watched.api.channel(made.id))["state"] == "interrupted"
            await watched.send(stack, PORTRAIT)
            await watched.goes_on(PORTRAIT)
            after = await watched.playlist()
            old = [await watched.body(segment) for segment in before.segments]
    assert after.media_sequence == before.media_sequence
    assert sequence(after) == sequence(before)
    kept = len(before.segments)
    for now, then in zip(after.segments[:kept], before.segments, strict=True):
        assert replace(now, parts=[]) == replace(then, parts=[])
    resumed = next(segment for segment in after.all_segments[kept:] if segment.discontinuity)
    assert resumed.discontinuity_number == before.all_segments[-1].discontinuity_number + 1
    gaps = [segment for segment in after.segments if segment.gap]
    assert gaps[-1].msn == resumed.msn - 1
    assert old == bodies
    assert f"pin-{watched.pin}" in after.ranges
    assert [event for event in again.events() if "exception" in event] == []
    await watched.tab.page.context.close()


def crash(server: VitrineServer) -> None:
    workers = server.workers()
    for pid in (server.pid, *workers):
        os.kill(pid, signal.SIGKILL)


def sequence(playlist: ReadPlaylist) -> int:
    return int(playlist.tags["EXT-X-DISCONTINUITY-SEQUENCE"])
