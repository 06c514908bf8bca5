"""Players that are not ours play one broadcast, live and its replay, without an error.

hls.js is in our own pages, and their tests play with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from tests.helpers.senders import ffmpeg_made, sending
from tests.helpers.vitrine_server import Api
from tests.interop.browser import Chromium
from tests.interop.on_air import FIRST_AREA, FRAME_MS, LIVE_SECONDS, stock
from tests.interop.other_players import (
    FRAME_RATE,
    Ran,
    Watched,
    another_site,
    cues,
    ffmpeg_pictures,
    ffmpeg_plays,
    gstreamer_dates,
    gstreamer_plays,
    gstreamer_plays_all,
    light,
    opened,
    watch,
    watch_the_end,
)
from tests.server.hls.reader import milliseconds, read

pytestmark = [
    pytest.mark.interop,
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.soak,
    pytest.mark.asyncio(loop_scope="session"),
]

PICTURE = (
    f"testsrc2=size=854x480:rate={FRAME_RATE},"
    "drawbox=x=0:y=ih/2:w=iw/2:h=ih/2:color=black:thickness=fill"
)
"""Something to encode, black where the card comes."""
SOUND = "sine=frequency=440:sample_rate=48000"
BRIGHT = 140
LIVE = 10.0
PROGRAM = 5.0
END = 3.0


@dataclass(frozen=True)
class Show:
    """A broadcast that other players have seen live, and that is over."""

    site: str
    """Where their pages are."""
    replay: str
    seconds: float
    began_ms: int
    """PDT of the replay's first picture."""
    pins: tuple[dict[str, Any], ...]
    """In order of start, as the timeline has them."""
    shaka: Watched
    ffmpeg: Ran
    gstreamer: Ran


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def show(api: Api, browser: Chromium) -> AsyncIterator[Show]:
    """Broadcast two rungs; pin while others play it live; end it with a pin in the picture."""
    made = await api.add_channel("others", motion="none")
    await stock(api, made.id)
    live = f"{api.server.url}/live/{made.id}/index.m3u8"
    url = f"{api.server.rtmp}/{made.stream_key}"
    async with another_site() as site:
        async with sending(*ffmpeg_made(url, PICTURE, SOUND, 2)):
            session = (await api.until_state(made.id, "live", LIVE_SECONDS))["session"]
            # In its first seconds: most of what is listed is still growing.
            tab = await opened(browser, site, "shaka", live)
            watching = asyncio.create_task(watch(tab, LIVE))
            ffmpeg = await ffmpeg_plays(live, PROGRAM)
            tea = await pinned(api, made.id, "tea")
            gstreamer = await gstreamer_plays(live, round(PROGRAM * FRAME_RATE))
            shaka = await watching
            await tab.page.context.close()
            await api.unpin(made.id, tea)
            await pinned(api, made.id, "cup")
        told = await api.until(
            lambda found: found["state"] == "ended",
            lambda: api.call("GET", f"/channels/{made.id}/sessions/{session}"),
        )
        pins = sorted((await api.intervals(made.id)).values(), key=lambda pin: pin["start"])
        replay = f"{api.server.url}{told['replay_url']}"
        began_ms = read(await best(api, replay)).segments[0].pdt_ms
        assert began_ms is not None
        seconds = told["duration_seconds"]
        yield Show(site, replay, seconds, began_ms, tuple(pins), shaka, ffmpeg, gstreamer)


async def pinned(api: Api, channel: str, product: str) -> str:
    """Pin a product, wait until its card was drawn, give the pin's id."""
    pin: str = (await api.pin(channel, product))["id"]
    await api.until(lambda found: found[pin]["exact"], lambda: api.intervals(channel))
    return pin


async def best(api: Api, url: str) -> str:
    """Fetch the media playlist of the rendition that a multivariant playlist names first."""
    async with api.session.get(url) as answer:
        listed = (await answer.text()).splitlines()
    name = next(line for line in listed if not line.startswith("#"))
    async with api.session.get(url.replace("index.m3u8", name)) as answer:
        return await answer.text()


async def test_shaka_plays_live_and_the_replay(show: Show, browser: Chromium) -> None:
    assert show.shaka.faults == ()
    assert show.shaka.seconds >= LIVE
    assert show.shaka.height > 0
    tab = await opened(browser, show.site, "shaka", show.replay)
    begun = await watch(tab, PROGRAM)
    assert begun.faults == ()
    assert begun.at >= PROGRAM
    over = await watch_the_end(tab, END)
    assert over.faults == ()
    assert over.ended
    assert over.at == pytest.approx(show.seconds, abs=0.5)
    assert over.seconds >= begun.seconds + END - 0.5
    await tab.page.context.close()


async def test_video_js_has_the_pins_as_cues_where_they_are_in_the_replay(
    show: Show, browser: Chromium
) -> None:
    tab = await opened(browser, show.site, "videojs", show.replay)
    seen = await watch(tab, END)
    assert seen.faults == ()
    assert seen.seconds >= END
    found = [cue for cue in await cues(tab) if isinstance(cue.data, str)]
    assert [cue.data for cue in found] == [pin["product_id"] for pin in show.pins] == ["tea", "cup"]
    assert [cue.id for cue in found] == [f"pin-{pin['id']}" for pin in show.pins]
    frame = FRAME_MS / 1000
    for cue, pin in zip(found, show.pins, strict=True):
        start, end = (milliseconds(pin[side]) - show.began_ms for side in ("start", "end"))
        assert cue.start == pytest.approx(start / 1000, abs=frame)
        assert cue.end == pytest.approx(end / 1000, abs=frame)
    begins = found[0].start
    assert await light(tab, begins - 3 * frame, FIRST_AREA) < BRIGHT
    assert await light(tab, begins + 3 * frame, FIRST_AREA) > BRIGHT
    assert tab.complaints == []
    await tab.page.context.close()


async def test_ffmpeg_plays_live_and_the_replay(show: Show) -> None:
    replayed = await ffmpeg_plays(show.replay, PROGRAM)
    for ran in (show.ffmpeg, replayed):
        assert (ran.status, ran.complaints) == (0, "")
        assert ffmpeg_pictures(ran) == pytest.approx(PROGRAM * FRAME_RATE, abs=2)


async def test_gstreamer_plays_live_and_the_replay(show: Show) -> None:
    replayed = await gstreamer_plays_all(show.replay)
    for ran in (show.gstreamer, replayed):
        assert (ran.status, ran.complaints) == (0, ""), ran.output[-2000:]
        assert "GstHLSDemux2" in ran.output
    dates = gstreamer_dates(replayed)
    assert dates == pytest.approx([number / FRAME_RATE for number in range(len(dates))], abs=0.002)
    assert len(dates) == pytest.approx(show.seconds * FRAME_RATE, abs=2)
