"""The studio off the air: until when the stream key is good, the title. In a real browser."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from server.instant import rfc3339
from tests.helpers.vitrine_server import Api, calling, serving
from tests.interop.browser import DOCK, Tab, chromium

pytestmark = [pytest.mark.interop, pytest.mark.browser]

PAGE_MS = 30_000


async def test_the_studio_warns_of_a_key_that_ends_soon_and_takes_another_title(
    tmp_path: Path,
) -> None:
    with serving(tmp_path) as server:
        async with calling(server) as api, chromium() as browser:
            until = rfc3339(int(time.time() + 2 * 3_600) * 1000)
            made = await api.call("POST", "/channels", {"id": "tea", "key_expires_at": until})
            tab = await browser.tab(DOCK)
            await tab.open(f"{server.url}/studio/tea#token={made['anchor_token']}")
            warning = tab.page.locator("#warnings li")
            await warning.wait_for(timeout=PAGE_MS)
            told = await warning.inner_text()
            assert told.startswith("The stream key expires in 1 h 5")
            assert await tab.page.locator(".encoder .key-near").text_content() == told
            # The next reading of the channel takes it back: the new key has no end.
            await api.call("POST", "/channels/tea/rotate-key")
            await warning.wait_for(state="detached", timeout=PAGE_MS)
            assert tab.complaints == []
            viewer = await browser.tab(DOCK)
            await viewer.open(f"{server.url}/watch/tea")
            await title_is_changed(api, tab)
            assert tab.complaints == []
            await title_is_followed(viewer)
            assert viewer.complaints == []


async def title_is_changed(api: Api, tab: Tab) -> None:
    """Change the title where it stands, once in earnest."""
    heading = tab.page.get_by_role("heading", level=1)
    change = tab.page.get_by_role("button", name="Change the title")
    field = tab.page.get_by_role("textbox", name="Title")
    await change.click()
    assert await field.input_value() == "tea"
    await field.fill("Never mind")
    await field.press("Escape")
    assert await heading.inner_text() == "tea"
    await change.click()
    await field.fill("Tea at <six> & cake")
    await field.press("Enter")
    await heading.filter(has_text="Tea at <six> & cake").wait_for(timeout=PAGE_MS)
    assert await tab.page.title() == "Studio \u00b7 Tea at <six> & cake"
    assert (await api.call("GET", "/channels/tea"))["title"] == "Tea at <six> & cake"


async def title_is_followed(tab: Tab) -> None:
    """See a watch page that was open before take the title with its next look at the channel."""
    await tab.page.evaluate("document.querySelector('vitrine-player').feed.refreshChannel()")
    await tab.until("document.title === 'Tea at <six> & cake \u00b7 Vitrine'")
    for place in ("h1", ".panel-title"):
        assert await tab.page.locator(place).first.text_content() == "Tea at <six> & cake"
