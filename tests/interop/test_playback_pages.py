"""A signed show in a real browser: in another site's frame, and to the end of a token."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from tests.helpers.senders import ffmpeg_file, sending
from tests.helpers.vitrine_server import Api
from tests.interop.browser import DESKTOP, Chromium
from tests.interop.on_air import LIVE_SECONDS

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

PAGE = """<!doctype html><title>Shop</title><link rel=icon href="data:,">
<iframe src="{}" width=640 height=360 allow=autoplay></iframe>"""
PAGE_MS = LIVE_SECONDS * 1_000
PLAYER = "document.querySelector('vitrine-player')"
PLAYS = f"{PLAYER}?.dataset.phase === 'playing' && {PLAYER}.video.currentTime > 1"
NOTICE = f"{PLAYER}.dataset.notice"


@asynccontextmanager
async def shop(frame: str) -> AsyncIterator[str]:
    """Serve a page of another site (its name is another) that frames ours; give its address."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=PAGE.format(frame), content_type="text/html")

    app = web.Application()
    app.router.add_get("/", page)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://localhost:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


@pytest.mark.soak
async def test_a_signed_show_in_another_sites_frame_and_its_end(
    api: Api, browser: Chromium, clip: Path
) -> None:
    made = await api.add_channel("ticketed")
    await api.call("PATCH", f"/channels/{made.id}", {"playback": "signed"})
    ticket = await api.call("POST", f"/channels/{made.id}/playback/tokens", {"viewer": "anna"})
    async with sending(*ffmpeg_file(clip, f"{api.server.rtmp}/{made.stream_key}")):
        await api.until_state(made.id, "live", LIVE_SECONDS)
        async with shop(ticket["embed_url"]) as address:
            framed = await browser.tab(DESKTOP)
            await framed.open(address)
            frame = framed.page.frame_locator("iframe")
            playing = frame.locator("vitrine-player[data-phase=playing]")
            await playing.wait_for(timeout=PAGE_MS)
            assert framed.complaints == []
            watched = await browser.tab(DESKTOP)
            await watched.open(ticket["watch_url"])
            await watched.until(PLAYS)
            assert await watched.page.evaluate("location.search") == "", "no ticket to be copied"
            await watched.page.reload()
            await watched.until(PLAYS)
            assert watched.complaints == [], "the cookie goes on"
            await api.call("POST", f"/channels/{made.id}/playback/rotate-key", {})
            await watched.until(f"{NOTICE} === 'denied'", within=LIVE_SECONDS)
            await frame.locator("vitrine-player[data-notice=denied]").wait_for(timeout=PAGE_MS)
    for tab in (framed, watched):
        await tab.page.context.close()
