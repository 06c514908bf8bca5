"""A bad broadcast is told what is wrong with it, by API, metrics, webhooks; mended, it is not."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.helpers.hook import SECRET, Hook, hooked
from tests.helpers.senders import ffmpeg_dead, ffmpeg_well, sending
from tests.helpers.vitrine_server import Api, calling, serving

pytestmark = [pytest.mark.interop, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

DEADLINE = 60.0
OF_THE_MACHINE = {"encoding-behind", "bitrate-unstable", "connection-slow", "fps-short"}
"""What a busy machine may bring about by itself."""
WRONG = {"black", "silent", "keyframe-interval"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hook() -> AsyncIterator[Hook]:
    async with hooked() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(hook: Hook, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """A server of its own, that posts to the hook."""
    endpoint = {"url": hook.url, "secret": SECRET, "allow_private": True}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VITRINE_WEBHOOKS__ENDPOINTS", json.dumps([endpoint]))
        folder: Path = tmp_path_factory.mktemp("coach")
        with serving(folder) as running:
            async with calling(running) as client:
                yield client


def codes(channel: Any) -> set[str]:
    return {warning["code"] for warning in channel["warnings"]} - OF_THE_MACHINE


def told(hook: Hook, state: str) -> set[str]:
    events = [event["data"] for event in hook.events() if event["type"] == "stream.warning"]
    return {data["code"] for data in events if data["state"] == state} - OF_THE_MACHINE


async def test_what_is_wrong_is_named_and_taken_back_when_it_is_mended(
    api: Api, hook: Hook
) -> None:
    made = await api.add_channel("coached")
    url = f"{api.server.rtmp}/{made.stream_key}"
    seen: set[str] = set()

    async def ask() -> set[str]:
        found = codes(await api.channel(made.id))
        seen.update(found)
        return found

    async with sending(*ffmpeg_dead(url)):
        await api.until(lambda found: found >= WRONG, ask, DEADLINE)
        assert seen == WRONG, "exactly these, at no moment others"
        channel = await api.channel(made.id)
        ingest = channel["ingest"]
        assert ingest["black"]
        assert ingest["peak_left"] < -90
        assert abs(ingest["av_offset"]) < 0.08
        assert ingest["source_fps"] == pytest.approx(30, rel=0.03)
        assert (ingest["width"], ingest["height"]) == (640, 360)
        async with api.session.get(f"{api.server.url}/metrics") as answer:
            metrics = await answer.text()
        assert 'vitrine_channel_warning{channel="coached",code="black"' in metrics
        async with sending(*ffmpeg_well(url)):
            await api.until(lambda found: found == set(), ask, DEADLINE)
            mended = await api.channel(made.id)
            assert mended["session"] == channel["session"], "taken over, the same broadcast"
            assert mended["ingest"]["peak_left"] == pytest.approx(-18, abs=3)
            assert mended["ingest"]["keyframe_longest"] <= 2.1
    assert seen == WRONG
    await api.until_state(made.id, "offline")

    async def types() -> list[str]:
        return [event["type"] for event in hook.events()]

    await api.until(lambda kinds: "stream.ended" in kinds, types, DEADLINE)
    assert told(hook, "raised") == told(hook, "cleared") == WRONG
    assert (await types()).count("stream.started") == 1
    async with api.session.get(f"{api.server.url}/metrics") as answer:
        assert 'channel="coached"' not in await answer.text()
