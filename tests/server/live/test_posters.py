"""The picture of a show that is on, made by the real process."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence

import cv2
import numpy as np
import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from server.errors import NotFound
from server.hls.edge import Edge
from server.hls.window import Window
from server.live.posters import FRESH_SECONDS, LONGER_SIDE, Poster, Posters
from server.shop.port import LiveSession
from tests.helpers.children import darkrooms
from tests.helpers.clips import Clip, read_number, units
from tests.helpers.eventually import eventually
from tests.helpers.manual_clock import ManualClock
from tests.helpers.worker_run import transcode
from transcode.message import Up
from transcode.part import Epoch, Part, Track

SECONDS = 60.0
AGED_MS = round(1000 * FRESH_SECONDS)


@pytest.fixture(scope="module")
def messages() -> list[Up]:
    """What a worker makes of four seconds."""
    return transcode(units(Clip(seconds=4.0)))


class OneChannel:
    """`tea` is on the air with what was published."""

    def __init__(self, clock: ManualClock) -> None:
        self.on: LiveSession | None = LiveSession("S1", 0)
        self._edge = Edge(Window("r1"), clock)

    def session(self, channel: str) -> LiveSession | None:
        return self.on if channel == "tea" else None

    def edge(self, channel: str) -> Edge | None:
        return self._edge if channel == "tea" else None

    def publish(self, messages: Sequence[Up], segment: int) -> None:
        """Publish a segment, from the first part that a worker made of it to the last."""
        window = self._edge.window
        for message in messages:
            if isinstance(message, Epoch) and segment == 0:
                window.open_epoch(message)
            elif isinstance(message, Part) and message.segment == segment:
                window.add(message)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def stage(clock: ManualClock, messages: list[Up]) -> OneChannel:
    made = OneChannel(clock)
    made.publish(messages, 0)
    return made


@pytest_asyncio.fixture
async def posters(stage: OneChannel, clock: ManualClock) -> AsyncIterator[Posters]:
    made = Posters(stage.session, stage.edge, clock)
    made.start()
    yield made
    await made.close()


def number(poster: Poster) -> int:
    """Read the number of the picture that a poster shows."""
    pixels = cv2.imdecode(np.frombuffer(poster.data, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert pixels is not None
    assert pixels.shape == (360, LONGER_SIDE)
    return read_number(np.asarray(pixels, np.uint8))


async def made(posters: Posters) -> Poster:
    """Ask until there is one: a busy machine may take longer than one request waits."""
    found: list[Poster] = []

    async def ask() -> bool:
        poster = await posters.poster("tea")
        found.extend([poster] if poster is not None else [])
        return poster is not None

    async with asyncio.timeout(SECONDS):
        while not await ask():  # noqa: ASYNC110 - what came to nothing leaves nothing to wait for
            await asyncio.sleep(0.05)
    return found[0]


async def test_the_newest_picture_and_again_when_it_has_aged(
    posters: Posters, stage: OneChannel, clock: ManualClock, messages: list[Up]
) -> None:
    first, second = await asyncio.gather(made(posters), made(posters))
    assert first is second, "one is made for all who ask"
    assert number(first) == 0
    stage.publish(messages, 1)
    assert await posters.poster("tea") is first, "it is fresh still"
    clock.advance(AGED_MS)
    later = await made(posters)
    assert number(later) > 0
    clock.advance(AGED_MS)
    assert await made(posters) is later, "nothing new was published"
    assert len(darkrooms()) == 1


async def test_a_channel_off_the_air_has_none_and_a_new_session_not_the_last_ones(
    posters: Posters, stage: OneChannel
) -> None:
    first = await made(posters)
    stage.on = None
    with pytest.raises(NotFound):
        await posters.poster("tea")
    with pytest.raises(NotFound):
        await posters.poster("none")
    stage.on = LiveSession("S2", 0)
    assert (await made(posters)).session == "S2"
    assert first.session == "S1"


async def test_before_the_first_picture_there_is_none_and_then_at_once(
    clock: ManualClock, messages: list[Up]
) -> None:
    stage = OneChannel(clock)
    posters = Posters(stage.session, stage.edge, clock)
    posters.start()
    assert await posters.poster("tea") is None
    assert darkrooms() == []
    stage.publish(messages, 0)
    assert number(await made(posters)) == 0
    await posters.close()


async def test_a_darkroom_that_is_killed_costs_one_picture(
    posters: Posters, stage: OneChannel, clock: ManualClock, messages: list[Up]
) -> None:
    first = await made(posters)
    os.kill(darkrooms()[0].pid, signal.SIGKILL)
    stage.publish(messages, 1)
    clock.advance(AGED_MS)
    with capture_logs() as logs:
        assert await posters.poster("tea") is first, "the one before is given instead"
    assert [line["event"] for line in logs] == ["no picture of a show"]
    assert await posters.poster("tea") is first, "the next try is not at once"
    clock.advance(AGED_MS)
    assert number(await made(posters)) > 0


async def test_the_darkroom_is_there_only_while_somebody_looks(
    stage: OneChannel, clock: ManualClock
) -> None:
    posters = Posters(stage.session, stage.edge, clock, idle_seconds=0.01)
    posters.start()
    await made(posters)
    await eventually(lambda: darkrooms() == [], SECONDS)
    clock.advance(AGED_MS)
    assert number(await made(posters)) == 0
    await posters.close()


async def test_of_sound_alone_there_will_be_none(clock: ManualClock) -> None:
    stage = OneChannel(clock)
    sound = Track(name="audio", codecs="mp4a.40.2", bandwidth=140_000, init=b"init")
    stage.publish([Epoch(0, 0, 0, 30_000, 180_000, (sound,))], 0)
    posters = Posters(stage.session, stage.edge, clock)
    with pytest.raises(NotFound):
        await posters.poster("tea")
    assert darkrooms() == []
