"""What a viewer and a player see when the worker dies, the anchor changes, the show ends."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from tests.helpers.hls_client import Recording, Taken, following
from tests.helpers.senders import END_SECONDS, end, ffmpeg_file, sending
from tests.helpers.sight import watch
from tests.helpers.vitrine_server import Api, Channel
from tests.interop.browser import DESKTOP, Chromium, Tab
from tests.interop.on_air import DRAWN, FIRST_AREA, LIVE_SECONDS, PAGE_SECONDS, stock
from tests.server.hls.reader import milliseconds

pytestmark = [
    pytest.mark.interop,
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="session"),
]

RUNG = "360p"
PLAYER = "document.querySelector('vitrine-player')"


def after_the_break(recording: Recording) -> list[int]:
    """Give the msns of whole segments from the first discontinuity on."""
    whole = recording.renditions[RUNG].whole
    breaks = [s.msn for s in whole if s.discontinuity]
    return [s.msn for s in whole if breaks and s.msn >= breaks[0]]


def sending_to(api: Api, channel: Channel, small_clip: Path) -> tuple[str, ...]:
    return ffmpeg_file(small_clip, f"{api.server.rtmp}/{channel.stream_key}", loop=True)


async def begin_watching(browser: Chromium, api: Api, channel: Channel) -> Tab:
    """Open the viewer's page; a mark in it tells later whether it was loaded anew."""
    tab = await browser.tab(DESKTOP)
    await tab.open(f"{api.server.url}/watch/{channel.id}")
    await tab.page.evaluate("window.vitrineMark = 1")
    return tab


async def plays_past(tab: Tab, date_ms: float) -> None:
    """Wait until the page, never loaded anew, plays a picture of after `date_ms`."""
    await tab.until(f"{PLAYER}.playingDate > {date_ms}", within=PAGE_SECONDS)
    await tab.until(f"{PLAYER}.dataset.phase === 'playing'", within=PAGE_SECONDS)
    assert await tab.page.evaluate("window.vitrineMark") == 1


async def until_broken(recording: Recording) -> Taken:
    """Wait for two whole segments behind a discontinuity."""
    await recording.until(lambda r: len(after_the_break(r)) >= 2, PAGE_SECONDS)
    return recording.renditions[RUNG]


async def test_a_worker_that_is_killed(api: Api, small_clip: Path, browser: Chromium) -> None:
    made = await api.add_channel("killed", motion="none")
    await stock(api, made.id)
    others = set(api.server.workers())
    async with sending(*sending_to(api, made, small_clip)):
        await api.until_state(made.id, "live", LIVE_SECONDS)
        session = (await api.channel(made.id))["session"]
        tab = await begin_watching(browser, api, made)
        await tab.plays(within=PAGE_SECONDS)
        pin = await api.pin(made.id, "tea")
        await tab.spot("tea").wait_for(timeout=PAGE_SECONDS * 1000)
        async with following(api.session, f"{api.server.url}/live/{made.id}", RUNG) as recording:
            (worker,) = set(api.server.workers()) - others
            os.kill(worker, signal.SIGKILL)
            taken = await until_broken(recording)

            first, second, *_ = after_the_break(recording)
            await plays_past(tab, taken.segments[second].pdt_ms)
            assert await tab.spot("tea").is_visible()
            channel = await api.channel(made.id)
            # What was answered to the pin is where it was asked for; a busy worker draws it later.
            begun = (await api.intervals(made.id))[pin["id"]]["start"]
        (again,) = set(api.server.workers()) - others
    assert again != worker
    assert (channel["state"], channel["session"]) == ("live", session)
    assert channel["ingest"]["worker_restarts"] == 1
    seen = await asyncio.to_thread(watch, taken, {"0": FIRST_AREA})
    on_show = [s for s in seen if s.date_ms >= milliseconds(begun)]
    assert any(s.msn >= first for s in on_show)
    assert all(s.drawn["0"] >= DRAWN for s in on_show)
    assert taken.ranges.keys() == {f"pin-{pin['id']}"}
    assert tab.complaints == []
    await tab.page.context.close()
    await api.until_state(made.id, "offline")


@pytest.mark.soak
async def test_a_second_encoder_with_the_same_key_takes_over(
    api: Api, small_clip: Path, browser: Chromium
) -> None:
    made = await api.add_channel("taken-over", motion="none")
    async with sending(*sending_to(api, made, small_clip)) as one:
        await api.until_state(made.id, "live", LIVE_SECONDS)
        session = (await api.channel(made.id))["session"]
        tab = await begin_watching(browser, api, made)
        await tab.plays(within=PAGE_SECONDS)
        async with (
            following(api.session, f"{api.server.url}/live/{made.id}", RUNG) as recording,
            sending(*sending_to(api, made, small_clip)) as two,
        ):
            await asyncio.wait_for(one.wait(), END_SECONDS)
            taken = await until_broken(recording)
            await plays_past(tab, taken.segments[after_the_break(recording)[1]].pdt_ms)
            channel = await api.channel(made.id)
            assert two.returncode is None
    assert (channel["state"], channel["session"]) == ("live", session)
    assert channel["ingest"]["worker_restarts"] == 0
    assert tab.complaints == []
    await tab.page.context.close()
    await api.until_state(made.id, "offline")


@pytest.mark.soak
async def test_a_show_ends_and_another_begins_before_the_same_page(
    api: Api, small_clip: Path, browser: Chromium
) -> None:
    made = await api.add_channel("twice", motion="none")
    await stock(api, made.id)
    live = f"{api.server.url}/live/{made.id}"
    tab = await begin_watching(browser, api, made)
    await tab.until(f"{PLAYER}.dataset.notice === 'soon'", within=PAGE_SECONDS)
    assert await tab.page.get_by_text("Starts soon").first.is_visible()

    async with sending(*sending_to(api, made, small_clip)) as sender:
        await api.until_state(made.id, "live", LIVE_SECONDS)
        await tab.plays(within=PAGE_SECONDS)
        pin = await api.pin(made.id, "tea")
        async with following(api.session, live, RUNG) as recording:
            await tab.spot("tea").wait_for(timeout=PAGE_SECONDS * 1000)
            await end(sender)
            await recording.until_ended()
            first = recording.renditions[RUNG]
    assert first.ended
    assert first.ranges[f"pin-{pin['id']}"]["END-DATE"]
    await api.until_state(made.id, "offline")
    await tab.until(f"{PLAYER}.dataset.notice === 'ended'", within=PAGE_SECONDS)
    assert await tab.page.get_by_text("This show has ended").first.is_visible()
    assert await tab.spot("tea").count() == 0

    async with sending(*sending_to(api, made, small_clip)):
        channel = await api.until_state(made.id, "live", LIVE_SECONDS)
        async with following(api.session, live, RUNG) as recording:
            await recording.until(lambda r: r.renditions[RUNG].seconds >= 4, PAGE_SECONDS)
            await plays_past(tab, milliseconds(channel["started_at"]))
            second = recording.renditions[RUNG]
    assert min(second.segments) > max(first.segments)
    assert min(s.pdt_ms for s in second.whole) > max(s.pdt_ms for s in first.whole)
    assert second.ranges == {}
    assert tab.complaints == []
    await tab.page.context.close()
    await api.until_state(made.id, "offline")
