"""The studio in a real Chromium says what is wrong with a real broadcast, and when it is mended."""

from __future__ import annotations

import pytest

from tests.helpers.senders import ffmpeg_dead, ffmpeg_well, sending
from tests.helpers.vitrine_server import Api
from tests.interop.browser import DOCK, Chromium, Tab

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="session"),
]

DEADLINE = 60.0
CARD = "document.querySelector('.warning[data-code=\"{}\"]')"
SUMMARY = "document.getElementById('health-sum').textContent"
OVERFLOW = "document.documentElement.scrollWidth - innerWidth"


async def test_the_studio_tells_what_to_mend_and_that_it_is_mended(
    api: Api, browser: Chromium
) -> None:
    made = await api.add_channel("mended")
    tab = await browser.tab(DOCK)
    await tab.open(f"{api.server.url}/studio/{made.id}#token={made.anchor_token}")
    await tab.until(f"{SUMMARY} === 'Off air'")
    url = f"{api.server.rtmp}/{made.stream_key}"
    async with sending(*ffmpeg_dead(url)):
        for code in ("black", "silent", "keyframe-interval"):
            await tab.until(CARD.format(code), within=DEADLINE)
        assert "to mend" in await tab.page.evaluate(SUMMARY)
        advice = await tab.page.locator('.warning[data-code="keyframe-interval"]').inner_text()
        path = "Settings \u203a Output \u203a Streaming \u203a Keyframe Interval"
        assert path in advice.replace("\u00a0", " ")
        chip = tab.page.locator("#health-chip")
        assert await chip.get_attribute("data-level") == "warning"
        await chip.click()
        assert await tab.page.locator("#health-heading").is_visible()
        assert await tab.page.evaluate(OVERFLOW) <= 0
        async with sending(*ffmpeg_well(url)):
            for code in ("black", "silent", "keyframe-interval"):
                await tab.until(f"!{CARD.format(code)}", within=DEADLINE)
            sound = tab.page.get_by_role("meter", name="Left level")
            await tab.until("document.querySelector('[role=meter]').ariaValueNow > -30")
            assert await sound.is_visible()
            assert await tab.page.locator(".spark-line").first.get_attribute("d")
            await show_is_ended(api, tab, made.id)
    assert tab.complaints == []
    await tab.page.context.close()


async def show_is_ended(api: Api, tab: Tab, channel: str) -> None:
    """End the show while its encoder sends: it is asked once more, Enter twice ends none."""
    end = tab.page.get_by_role("button", name="End the show")
    await end.press("Enter")
    await tab.page.keyboard.press("Enter")
    assert await end.is_enabled()
    await end.click()
    assert await tab.page.evaluate(OVERFLOW) <= 0
    assert (await api.call("GET", f"/channels/{channel}"))["state"] == "live"
    await tab.page.get_by_role("button", name="End it").click()
    await tab.until(f"{SUMMARY} === 'Off air'", within=DEADLINE)
    assert (await api.call("GET", f"/channels/{channel}"))["state"] == "offline"
    await tab.until("document.querySelector('.studio-end').disabled")
    assert await end.is_visible()
