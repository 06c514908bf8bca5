"""A shopper seeks back and jumps in the replay, the anchor pins: pages on a light broadcast."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Route

from tests.helpers.vitrine_server import Api, Channel
from tests.interop.browser import DESKTOP, PHONE, Chromium, Tab
from tests.interop.on_air import FIRST_AREA, GOODS, PAGE_SECONDS, broadcasting, watching
from tests.server.hls.reader import milliseconds

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="session"),
]

PLAYER = "document.querySelector('vitrine-player')"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def show(api: Api, small_clip: Path) -> AsyncIterator[Channel]:
    """Broadcast on a channel whose cards come and go at once."""
    async with broadcasting(api, "shop", small_clip) as made:
        yield made


async def pins(api: Api, show: Channel) -> list[str]:
    found = await api.call("GET", f"/channels/{show.id}/pins")
    return [pin["product_id"] for pin in found["items"]]


async def test_the_studio_pins_by_click_and_by_key(
    api: Api, show: Channel, browser: Chromium
) -> None:
    tab = await browser.tab(DESKTOP)
    await tab.open(f"{api.server.url}/studio/{show.id}#token={show.anchor_token}")
    tile = tab.page.get_by_role("button", name=GOODS["tea"])
    await tile.wait_for(timeout=PAGE_SECONDS * 1000)
    assert "token" not in tab.page.url

    pressed_again = asyncio.Event()

    async def held(route: Route) -> None:
        await pressed_again.wait()
        await route.continue_()

    # The second press comes while the page still waits for the first one's answer.
    await tab.page.route("**/timeline", held)
    await tile.click()
    await api.until(lambda found: found == ["tea"], lambda: pins(api, show))
    await until_pressed(tab, GOODS["tea"], "true")
    await tile.click()
    pressed_again.set()
    await api.until(lambda found: found == [], lambda: pins(api, show))
    await until_pressed(tab, GOODS["tea"], "false")
    await tab.page.unroute("**/timeline")

    await tab.page.keyboard.press("1")
    first = min(GOODS)
    await api.until(lambda found: found == [first], lambda: pins(api, show))
    await until_pressed(tab, GOODS[first], "true")
    await tab.page.keyboard.press("0")
    await api.until(lambda found: found == [], lambda: pins(api, show))
    await until_pressed(tab, GOODS[first], "false")
    assert tab.complaints == []
    await tab.page.context.close()


async def until_pressed(tab: Tab, title: str, pressed: str) -> None:
    state = f'button[aria-pressed="{pressed}"]:has-text("{title}")'
    await tab.page.locator(state).wait_for(timeout=PAGE_SECONDS * 1000)


async def test_a_shopper_seeks_back_to_a_card_and_returns_to_live(
    api: Api, show: Channel, browser: Chromium
) -> None:
    pin = await api.pin(show.id, "tin")
    tab = await watching(browser, api, show, PHONE)
    start = milliseconds(pin["start"])
    await tab.until(f"{PLAYER}.playingDate > {start + 3_000}", within=PAGE_SECONDS)
    await api.unpin(show.id, pin["id"])
    end = milliseconds((await api.intervals(show.id))[pin["id"]]["end"])
    await tab.spot("tin").wait_for(state="detached", timeout=PAGE_SECONDS * 1000)
    await tab.until(f"{PLAYER}.playingDate > {end + 4_000}", within=PAGE_SECONDS)

    bar = tab.page.get_by_role("slider", name="Seek")
    await bar.focus()
    while (await tab.playing_date() or 0) > end - 500:
        await bar.press("ArrowLeft")
    await tab.spot("tin").wait_for(timeout=PAGE_SECONDS * 1000)
    frame = await tab.frame(*FIRST_AREA)
    assert start <= frame.date_ms < end
    assert min(frame.colour) > 140
    assert "behind live" in (await bar.get_attribute("aria-valuetext") or "")
    assert GOODS["tin"] in (await bar.get_attribute("aria-valuetext") or "")
    assert await tab.page.evaluate(f"{PLAYER}.video.playbackRate") == 1

    await tab.page.get_by_role("button", name="Go to live").click()
    await tab.until(
        f"{PLAYER}.playback.position.atLive && !{PLAYER}.video.seeking", within=PAGE_SECONDS
    )
    assert (await tab.playing_date() or 0) > end
    await tab.spot("tin").wait_for(state="detached", timeout=PAGE_SECONDS * 1000)
    assert tab.complaints == []
    await tab.page.context.close()


async def test_the_replay_jumps_to_an_explanation(
    api: Api, show: Channel, browser: Chromium
) -> None:
    await explain_something(api, show)
    await api.end_show(show.id)
    session = await ended(api, show)
    shown = list((await api.intervals(show.id)).values())[-1]
    product, title = shown["product_id"], GOODS[shown["product_id"]]
    price = {"amount": 1990, "currency": "EUR"}
    await api.put_product(show.id, product, title=title, price=price)

    tab = await browser.tab(PHONE)
    await tab.open(f"{api.server.url}/replay/{show.id}/{session}/?t=2")
    await tab.plays(within=PAGE_SECONDS)
    assert 2 <= await tab.page.evaluate(f"{PLAYER}.playback.position.time") < 10
    await tab.page.get_by_role("button", name=f"{title}: jump").last.click()
    await tab.spot(product).wait_for(timeout=PAGE_SECONDS * 1000)
    frame = await tab.frame(*FIRST_AREA)
    start, end = milliseconds(shown["start"]), milliseconds(shown["end"])
    assert start <= frame.date_ms < end
    assert min(frame.colour) > 140
    row = tab.page.locator(f'#chapters [data-product="{product}"]').last
    assert "\u20ac19.90" in await row.inner_text()
    assert await tab.page.locator(".scrub-mark").count() > 0
    assert tab.complaints == []
    await tab.page.context.close()


async def explain_something(api: Api, show: Channel) -> None:
    """Show a card for some seconds, unless the tests before have."""
    if await api.intervals(show.id):
        return
    pin = await api.pin(show.id, "tin")
    start = milliseconds(pin["start"])
    await api.until(lambda now: now > start + 3_000, wall_ms)
    await api.unpin(show.id, pin["id"])


async def wall_ms() -> float:
    return time.time() * 1000


async def ended(api: Api, show: Channel) -> str:
    """Wait until the show's recording is written to its end; give its session."""
    found = await api.until(
        lambda answer: answer["items"] and answer["items"][0]["state"] == "ended",
        lambda: api.call("GET", f"/channels/{show.id}/sessions"),
    )
    return str(found["items"][0]["id"])
