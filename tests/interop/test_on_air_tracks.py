"""Senders with one track only, or with a picture that stands on end, to the real server."""

from __future__ import annotations

import asyncio
import io

import av
import numpy as np
import pytest

from tests.helpers.hls_client import Recording, Taken, following
from tests.helpers.senders import ffmpeg, sending
from tests.helpers.sight import epochs, pictures
from tests.helpers.vitrine_server import Api
from tests.interop.browser import DESKTOP, Chromium
from tests.interop.on_air import LIVE_SECONDS, PAGE_SECONDS

pytestmark = [
    pytest.mark.interop,
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="session"),
]

SECONDS = 5
TONE = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100")
AAC = ("-c:a", "aac", "-ac", "1")
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "60", "-pix_fmt", "yuv420p")


def scene(width: int, height: int) -> tuple[str, ...]:
    return ("-f", "lavfi", "-i", f"testsrc2=size={width}x{height}:rate=30")


def enough(recording: Recording) -> bool:
    return all(taken.seconds >= SECONDS for taken in recording.renditions.values())


def loudness(taken: Taken) -> float:
    """Decode all of the sound; give its loudest sample."""
    loudest = 0.0
    for init, segments in epochs(taken):
        data = init + b"".join(segment.data for segment in segments)
        with av.open(io.BytesIO(data), "r") as source:
            for frame in source.decode(audio=0):
                loudest = max(loudest, float(np.abs(frame.to_ndarray()).max()))
    return loudest


async def test_sound_alone_is_on_the_air_and_the_page_plays_it(api: Api, browser: Chromium) -> None:
    made = await api.add_channel("radio")
    url = f"{api.server.rtmp}/{made.stream_key}"
    async with sending(*ffmpeg(*TONE, *AAC, "-f", "flv", url)):
        await api.until_state(made.id, "live", LIVE_SECONDS)
        document = await api.channel(made.id)
        tab = await browser.tab(DESKTOP)
        await tab.open(f"{api.server.url}/watch/{made.id}")
        async with following(api.session, f"{api.server.url}/live/{made.id}") as recording:
            await recording.until(enough, PAGE_SECONDS)
        await tab.plays(within=PAGE_SECONDS)
        assert tab.complaints == []
        await tab.page.context.close()
    assert [each["name"] for each in document["renditions"]] == ["audio"]
    assert {n: t.variant.resolution for n, t in recording.renditions.items()} == {"audio": None}
    assert await asyncio.to_thread(loudness, recording.renditions["audio"]) > 0.05
    await api.until_state(made.id, "offline")


async def test_pictures_alone_are_on_the_air_with_silence(api: Api) -> None:
    made = await api.add_channel("mute")
    url = f"{api.server.rtmp}/{made.stream_key}"
    async with sending(*ffmpeg(*scene(1280, 720), *X264, "-f", "flv", url)):
        await api.until_state(made.id, "live", LIVE_SECONDS)
        async with following(api.session, f"{api.server.url}/live/{made.id}") as recording:
            await recording.until(enough, PAGE_SECONDS)
    assert list(recording.renditions) == ["720p", "480p", "360p", "audio"]
    assert await asyncio.to_thread(loudness, recording.renditions["360p"]) < 0.001
    await api.until_state(made.id, "offline")


@pytest.mark.alone
async def test_a_phone_held_upright(api: Api) -> None:
    made = await api.add_channel("upright")
    url = f"{api.server.rtmp}/{made.stream_key}"
    async with sending(*ffmpeg(*scene(1080, 1920), *TONE, *X264, *AAC, "-f", "flv", url)):
        await api.until_state(made.id, "live", LIVE_SECONDS)
        async with following(api.session, f"{api.server.url}/live/{made.id}") as recording:
            await recording.until(enough, PAGE_SECONDS)
    sizes = {name: taken.variant.resolution for name, taken in recording.renditions.items()}
    assert sizes == {"720p": (720, 1280), "480p": (480, 854), "360p": (360, 640), "audio": None}
    seen = await asyncio.to_thread(lambda: list(pictures(recording.renditions["360p"])))
    assert {(frame.width, frame.height) for _, _, frame in seen} == {(360, 640)}
    await api.until_state(made.id, "offline")
