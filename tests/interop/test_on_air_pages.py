"""The viewer's page in a real Chromium, on a real broadcast of the whole ladder."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.helpers.machine import elsewhere, usage
from tests.helpers.vitrine_server import Api, Channel
from tests.interop.browser import DESKTOP, PHONE, Chromium, Tab
from tests.interop.frame_log import Shown, begin_log, frames, phases, stalls
from tests.interop.on_air import FIRST_AREA, FRAME_MS, GOODS, PAGE_SECONDS, broadcasting, watching
from tests.server.hls.reader import milliseconds

pytestmark = [
    pytest.mark.browser,
    pytest.mark.alone,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="session"),
]

PLAY_SECONDS = 30.0
OTHERS_MAY_USE = 0.2
"""Share of the machine's processors above which a stall may be other work's: measured anew."""
MORE_TRIES = 2
POSITION = "document.querySelector('vitrine-player').video.currentTime"
PICTURE_BOX = """() => {
  const { video } = document.querySelector('vitrine-player');
  const box = video.getBoundingClientRect();
  const scale = Math.min(box.width / video.videoWidth, box.height / video.videoHeight);
  const [width, height] = [video.videoWidth * scale, video.videoHeight * scale];
  const x = box.x + (box.width - width) / 2;
  return { x, y: box.y + (box.height - height) / 2, width, height };
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def show(api: Api, clip: Path) -> AsyncIterator[Channel]:
    """Broadcast on a channel whose cards come and go at once."""
    async with broadcasting(api, "show", clip) as made:
        yield made


async def opens(tab: Tab, title: str) -> None:
    """Wait for the product's sheet, then close it."""
    sheet = tab.page.get_by_role("dialog", name=title)
    await sheet.wait_for(timeout=10_000)
    assert await sheet.get_by_role("heading", name=title).is_visible()
    await tab.page.keyboard.press("Escape")
    await sheet.wait_for(state="hidden", timeout=10_000)


async def lies_over_the_card(tab: Tab) -> None:
    """Compare the hot-spot's box on the page with the card's place in the picture."""
    spot, video = await tab.spot("tea").bounding_box(), await tab.page.evaluate(PICTURE_BOX)
    assert spot is not None
    left, top, wide, high = FIRST_AREA
    wanted = (
        video["x"] + left * video["width"],
        video["y"] + top * video["height"],
        wide * video["width"],
        high * video["height"],
    )
    found = (spot["x"], spot["y"], spot["width"], spot["height"])
    assert found == pytest.approx(wanted, abs=3)


def judge(shown: list[Shown], product: str, start: int, end: int) -> None:
    """Hold every presented frame to the timeline: card and hot-spot are in it, or neither is.

    A hot-spot may come with the next frame that the screen shows.
    """
    before = [f for f in shown if f.date_ms < start - 2]
    during = [f for f in shown if start + 2 * FRAME_MS < f.date_ms < end - 2]
    after = [f for f in shown if f.date_ms > end + 2 * FRAME_MS]
    assert min(len(before), len(during), len(after)) >= 15
    assert not any(product in f.spots for f in [*before, *after])
    assert all(product in f.spots for f in during)
    empty = max(f.light for f in [*before, *after])
    assert empty < 140 < min(f.light for f in during)


@dataclass(frozen=True)
class Played:
    """What came of PLAY_SECONDS."""

    stalls: list[dict[str, Any]]
    phases: set[str]
    took: float
    elsewhere: float
    """Share of the machine's processors that others had meanwhile."""


async def test_the_page_plays_and_the_card_can_be_clicked_where_it_is_seen(
    api: Api, show: Channel, browser: Chromium
) -> None:
    played = await play_and_click(api, show, browser)
    for _ in range(MORE_TRIES):
        if played.stalls and played.elsewhere > OTHERS_MAY_USE:
            played = await play_and_click(api, show, browser)
    assert played.stalls == [], f"others had {played.elsewhere:.0%} of the machine meanwhile"
    assert played.phases <= {"playing"}
    assert played.took < PLAY_SECONDS * 1.1


async def play_and_click(api: Api, show: Channel, browser: Chromium) -> Played:
    tab = await watching(browser, api, show, DESKTOP)
    before, began = usage(), time.monotonic()
    at = await tab.page.evaluate(POSITION)
    await begin_log(tab, FIRST_AREA)
    await tab.until("window.vitrineLog.frames.length > 60", within=PAGE_SECONDS)

    pin = await api.pin(show.id, "tea")
    await can_be_clicked(tab)
    await api.unpin(show.id, pin["id"])
    await tab.spot("tea").wait_for(state="detached", timeout=PAGE_SECONDS * 1000)
    await tab.until(f"{POSITION} > {at + PLAY_SECONDS}", within=PLAY_SECONDS + PAGE_SECONDS)
    took = time.monotonic() - began

    shown = await frames(tab)
    known = (await api.intervals(show.id))[pin["id"]]
    judge(shown, "tea", milliseconds(known["start"]), milliseconds(known["end"]))
    assert all(a.media_time < b.media_time for a, b in pairwise(shown))
    assert (await tab.figures())["fault"] == ""
    assert tab.complaints == []
    seen = await stalls(tab), set(await phases(tab))
    others = elsewhere(before, usage())
    await tab.page.context.close()
    return Played(*seen, took, others)


async def can_be_clicked(tab: Tab) -> None:
    spot = tab.spot("tea")
    await spot.wait_for(timeout=PAGE_SECONDS * 1000)
    await spot.click()
    await opens(tab, GOODS["tea"])
    await spot.focus()
    assert await spot.evaluate("spot => spot.getRootNode().activeElement === spot")
    await tab.page.keyboard.press("Enter")
    await opens(tab, GOODS["tea"])
    assert GOODS["tea"] in (await spot.get_attribute("aria-label") or "")
    await lies_over_the_card(tab)


async def test_who_comes_late_finds_the_card_at_once(
    api: Api, show: Channel, browser: Chromium
) -> None:
    pin = await api.pin(show.id, "cup")
    start = milliseconds(pin["start"])
    early = await watching(browser, api, show, PHONE)
    await early.spot("cup").wait_for(timeout=PAGE_SECONDS * 1000)
    await early.until(f"document.querySelector('vitrine-player').playingDate > {start + 2000}")
    tab = await watching(browser, api, show, PHONE)
    await tab.spot("cup").wait_for(timeout=2_000)
    frame = await tab.frame(*FIRST_AREA)
    assert frame.date_ms > start
    assert min(frame.colour) > 140
    assert early.complaints == tab.complaints == []
    await early.page.context.close()
    await tab.page.context.close()
    await api.unpin(show.id, pin["id"])
