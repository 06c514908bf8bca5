"""WHIP publishers to the real server: right pictures and sound, in time with each other."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

from tests.helpers.hls_client import Recording, following
from tests.helpers.rare import rare
from tests.helpers.sight import listen, watch
from tests.helpers.vitrine_server import Api
from tests.helpers.whip_publisher import encode, publishing
from tests.interop.browser import FLAGS, NAMES, PHONE, Chromium, Tab
from tests.interop.on_air import FRAME_MS, LIVE_SECONDS, PAGE_SECONDS

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

SECONDS = 8
SKEW_MS = 40.0
SETTLED_MS = 2_500
"""Until the sender's reports have told where the sound belongs; a browser's take as long."""
OWN_CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
WORD = "document.querySelector('#state').textContent"
KEEP_LINES = """
window.vitrineLines = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...settings) {
    super(...settings);
    window.vitrineLines.push(this);
  }
};
"""
FAIL = """() => {
  const line = window.vitrineLines.at(-1);
  Object.defineProperty(line, 'connectionState', { value: 'failed' });
  line.dispatchEvent(new Event('connectionstatechange'));
}"""
READINGS = "document.querySelector('#readings').innerText"


def enough(recording: Recording) -> bool:
    return all(taken.seconds >= SECONDS for taken in recording.renditions.values())


@pytest.mark.interop
@pytest.mark.alone
@pytest.mark.parametrize(
    ("codec", "sound_late"), [rare("VP8", 0.0), rare("H264", 0.0), ("H264", 0.3)], ids=str
)
async def test_pictures_and_sound_of_an_aiortc_publisher(
    api: Api, codec: str, sound_late: float
) -> None:
    """`sound_late`: the sound's packets come so late; its stamps and reports are true."""
    encoded = await asyncio.to_thread(encode, codec, 40)
    made = await api.add_channel(f"whip-{codec.lower()}-{round(sound_late * 1000)}")
    url = f"{api.server.url}/whip/{made.id}"
    async with publishing(api.session, url, made.stream_key, encoded, sound_late) as publisher:
        await api.until_state(made.id, "live", LIVE_SECONDS)
        async with following(api.session, f"{api.server.url}/live/{made.id}") as recording:
            await recording.until(enough, 60)
            document = await api.channel(made.id)
            await publisher.end()
            await recording.until_ended()
    assert document["ingest"]["protocol"] == "whip"
    assert document["ingest"]["video"] == codec.lower()
    assert document["ingest"]["audio"] == "opus"
    best = recording.rungs[0]
    assert best.variant.resolution == (1280, 720)
    assert len(best.inits) == 1, "one epoch"
    seen, heard = await asyncio.to_thread(watch, best), await asyncio.to_thread(listen, best)
    numbers = [each.number for each in seen]
    assert numbers == list(range(numbers[0], numbers[0] + len(seen)))
    late = [s.date_ms - seen[0].date_ms - (s.number - numbers[0]) * FRAME_MS for s in seen]
    assert max(map(abs, late)) <= 1.5
    lit = [b.date_ms for a, b in pairwise(seen) if b.flash and not a.flash]
    settled = [at for at in lit if at > seen[0].date_ms + SETTLED_MS]
    assert len(settled) >= SECONDS - 4
    for at in settled:
        skew = min((beep - at for beep in heard.dates_ms), key=abs)
        assert abs(skew) <= SKEW_MS, f"{skew:.1f} ms at {at}"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def phone() -> AsyncIterator[Chromium]:
    """Run a Chromium whose camera and microphone are made up: a green clock, a beep."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    assert path is not None, "Chromium is not installed: `make setup-test` installs it"
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(
            executable_path=path, headless=True, args=[*FLAGS, *OWN_CAMERA]
        )
        try:
            yield Chromium(browser)
        finally:
            await browser.close()


@pytest.mark.browser
@pytest.mark.alone
async def test_a_phone_goes_live_and_is_watched(
    api: Api, browser: Chromium, phone: Chromium
) -> None:
    made = await api.add_channel("farm")
    tab = await phone.tab(PHONE)
    await tab.page.add_init_script(KEEP_LINES)
    await tab.open(f"{api.server.url}/studio/{made.id}/camera#key={made.stream_key}")
    await tab.until(f"{WORD} === 'Ready'", within=PAGE_SECONDS)
    assert "key" not in tab.page.url
    await tab.page.get_by_role("button", name="Go live").click()
    await tab.until(f"{WORD} === 'On the air'", within=PAGE_SECONDS)
    await api.until_state(made.id, "live", LIVE_SECONDS)

    viewer = await browser.tab(PHONE)
    await viewer.open(f"{api.server.url}/watch/{made.id}")
    await viewer.plays(within=PAGE_SECONDS)
    frame = await viewer.frame(0.1, 0.1, 0.8, 0.8)
    assert frame.colour[1] > frame.colour[0] + 20, f"the made-up camera is green: {frame}"
    await tab.until(f"/bit\\/s/.test({READINGS}) && /\\d+ fps/.test({READINGS})")
    document = await api.channel(made.id)
    assert document["ingest"]["protocol"] == "whip"
    assert document["ingest"]["encoder"].startswith("Chrome ")
    # Two browsers and a ladder on two cores: either side may be too slow.
    slow = {"encoding-behind", "frames-lost"}
    assert {w["code"] for w in document["warnings"]} <= slow

    await mutes(tab)
    await goes_on_by_itself(api, tab, made.id)
    await tab.page.get_by_role("button", name="Stop").click()
    await tab.until(f"{WORD} === 'Ended'")
    await api.until_state(made.id, "offline")
    assert viewer.complaints == []
    assert tab.complaints == []
    await viewer.page.context.close()
    await tab.page.context.close()


async def mutes(tab: Tab) -> None:
    button = tab.page.locator("#mute")
    await button.click()
    assert await button.get_attribute("aria-pressed") == "true"
    assert await button.get_attribute("aria-label") == "Unmute"
    await button.click()
    assert await button.get_attribute("aria-pressed") == "false"


async def goes_on_by_itself(api: Api, tab: Tab, channel: str) -> None:
    """Tell the page that its connection has failed, as when a phone changes networks."""
    before = (await api.channel(channel))["session"]
    await tab.page.evaluate(FAIL)
    await tab.until(f"{WORD} === 'Reconnecting'")
    await tab.until(f"{WORD} === 'On the air'", within=PAGE_SECONDS)
    assert await tab.page.evaluate("window.vitrineLines.length") == 2
    assert (await api.channel(channel))["session"] == before, "the same broadcast goes on"


@pytest.mark.browser
async def test_a_show_that_was_ended_elsewhere_is_not_begun_again(
    api: Api, phone: Chromium
) -> None:
    made = await api.add_channel("ended-elsewhere")
    tab = await phone.tab(PHONE)
    await tab.open(f"{api.server.url}/studio/{made.id}/camera#key={made.stream_key}")
    await tab.page.get_by_role("button", name="Go live").click()
    await tab.until(f"{WORD} === 'On the air'", within=PAGE_SECONDS)
    await api.until_state(made.id, "live", LIVE_SECONDS)
    await api.call("POST", f"/channels/{made.id}/stop")
    await tab.until(f"{WORD} === 'Ended'", within=PAGE_SECONDS)
    said = await tab.page.evaluate("document.querySelector('#word').textContent")
    assert said == "The show was ended from elsewhere."
    await api.until_state(made.id, "offline")
    await tab.page.get_by_role("button", name="Go live").click()
    told = "document.querySelector('#word').textContent"
    await tab.until(f"/go live again in \\d+ s/.test({told})")
    assert (await api.channel(made.id))["warnings"] == [], "a person came back, no encoder"
    await tab.page.context.close()


@pytest.mark.browser
async def test_a_wrong_key_is_asked_for_again(api: Api, phone: Chromium) -> None:
    made = await api.add_channel("wrong-key")
    tab = await phone.tab(PHONE)
    await tab.open(f"{api.server.url}/studio/{made.id}/camera")
    await tab.page.get_by_label("Stream key").fill("sk-wrong")
    await tab.page.get_by_role("button", name="Continue").click()
    await tab.page.get_by_role("button", name="Go live").click()
    await tab.page.locator("#problem", has_text="This stream key is not known").wait_for()
    await tab.page.get_by_label("Stream key").fill(made.stream_key)
    await tab.page.get_by_role("button", name="Continue").click()
    await tab.page.get_by_role("button", name="Go live").click()
    await tab.until(f"{WORD} === 'On the air'", within=PAGE_SECONDS)
    await tab.page.get_by_role("button", name="Stop").click()
    await tab.until(f"{WORD} === 'Ended'")
    await tab.page.context.close()
