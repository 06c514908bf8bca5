"""The studio's preview against the real server: how soon it shows, and what it falls back to."""

from __future__ import annotations

import asyncio
import statistics
import time

import aiohttp
import pytest

from tests.helpers.clips import BLACK, STAMP_BITS, WHITE
from tests.helpers.eventually import eventually
from tests.helpers.time_code import RATE
from tests.helpers.vitrine_server import Api
from tests.helpers.whep_viewer import Viewer
from tests.helpers.whip_publisher import encode, publishing
from tests.interop.browser import DESKTOP, Chromium, Tab
from tests.interop.on_air import LIVE_SECONDS

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

SECONDS = 40
PICTURES = 60
LATE_SECONDS = 2.0
"""No figure of a benchmark: that it is no delay of segments, on a busy machine too."""
BOX = "document.querySelector('#preview-box')"
DIRECT = "document.querySelector('.preview-direct')"
READ = """async (bits) => {
  const video = document.querySelector('.preview-direct');
  const canvas = document.createElement('canvas');
  await new Promise((resolve) => video.requestVideoFrameCallback(resolve));
  const at = Date.now();
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, 0);
  const block = canvas.width / bits;
  const { data } = context.getImageData(0, Math.round(block / 2), canvas.width, 1);
  const levels = [...Array(bits).keys()].map((bit) => data[4 * Math.round((bit + 0.5) * block)]);
  return { at, levels };
}"""


async def post(api: Api, channel: str, token: str, offer: str) -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
    url = f"{api.server.url}/whep/{channel}"
    async with api.session.post(url, data=offer, headers=headers) as answer:
        return answer.status, await answer.text()


async def number(tab: Tab) -> tuple[int, float]:
    """Read the number of a picture as Chromium shows it, and when that was (UTC s)."""
    read = await tab.page.evaluate(READ, STAMP_BITS)
    middle = (BLACK + WHITE) / 2
    return sum((level > middle) << bit for bit, level in enumerate(read["levels"])), read[
        "at"
    ] / 1e3


@pytest.mark.interop
async def test_a_viewer_sees_what_is_sent_now(api: Api) -> None:
    encoded = await asyncio.to_thread(encode, "H264", SECONDS, (640, 360))
    made = await api.add_channel("looked-at")
    viewer = Viewer()
    url = f"{api.server.url}/whip/{made.id}"
    try:
        async with publishing(api.session, url, made.stream_key, encoded) as publisher:
            await api.until_state(made.id, "live", LIVE_SECONDS)
            status, answer = await post(api, made.id, made.anchor_token, await viewer.offer())
            assert status == 201, answer
            await viewer.take(answer)
            await eventually(lambda: min(len(viewer.seen), viewer.sounds) >= PICTURES, 30)
            newest = viewer.seen[-PICTURES // 2 :]
            late = [seen.at - publisher.began - seen.number / RATE for seen in newest]
            await publisher.end()
            await eventually(lambda: viewer.ended, 20)
    finally:
        await viewer.close()
    assert statistics.median(late) < LATE_SECONDS


@pytest.mark.browser
@pytest.mark.soak
async def test_the_studio_shows_it_and_falls_back(api: Api, browser: Chromium) -> None:
    encoded = await asyncio.to_thread(encode, "H264", SECONDS)
    made = await api.add_channel("previewed")
    tab = await browser.tab(DESKTOP)
    await tab.open(f"{api.server.url}/studio/{made.id}#token={made.anchor_token}")
    await tab.until(f"{BOX}.dataset.preview === 'viewers'")
    async with aiohttp.ClientSession() as session:
        url = f"{api.server.url}/whip/{made.id}"
        async with publishing(session, url, made.stream_key, encoded) as publisher:
            await tab.until(f"{BOX}.dataset.preview === 'direct'", within=LIVE_SECONDS)
            await tab.until(f"{DIRECT}.videoWidth === 1280 && {DIRECT}.currentTime > 1")
            offset = time.time() - time.monotonic()
            late = []
            for _ in range(20):
                shown, at = await number(tab)
                late.append(at - offset - publisher.began - shown / RATE)
            assert statistics.median(late) < LATE_SECONDS
            toggle = tab.page.locator(".preview-toggle")
            await toggle.click()
            await tab.until(f"{BOX}.dataset.preview === 'viewers'")
            await toggle.click()
            await tab.until(f"{BOX}.dataset.preview === 'direct'")
            await publisher.end()
        await tab.until(f"{BOX}.dataset.preview === 'viewers'", within=LIVE_SECONDS)
    assert tab.complaints == []
    await tab.page.context.close()
