"""The coach's rounds tell who listens, and nobody else."""

from __future__ import annotations

import asyncio

import pytest

from ingest.port import Publisher
from server.bus import Bus
from server.channel import Sequences
from server.live.broadcast import Broadcast
from server.live.coach import Change
from server.live.rounds import Rounds
from server.live.rules_line import PICTURE_DUE_MS
from server.live.stream import Hooks, LiveStream
from tests.helpers.manual_clock import ManualClock
from transcode.profile import DEFAULT


class Encoder(Publisher):
    peer = "192.0.2.1"

    def drop(self, reason: str) -> None:
        raise AssertionError(reason)


class Listener:
    def __init__(self) -> None:
        self.heard: list[tuple[str, str, Change]] = []
        self.came = asyncio.Event()

    async def warnings_changed(
        self, channel: str, session: str, change: Change, at_ms: int
    ) -> None:
        self.heard.append((channel, session, change))
        self.came.set()


def nothing(*_: object) -> None:
    return None


HOOKS = Hooks(nothing, nothing, nothing, nothing, nothing)


@pytest.fixture
async def stream() -> LiveStream:
    made = LiveStream(
        Broadcast("tea", "Tea", "session1", DEFAULT, Sequences()), ManualClock(), HOOKS
    )
    made.attach(Encoder(), "rtmp")
    return made


async def test_what_comes_and_goes_is_told_once(stream: LiveStream) -> None:
    clock, listener = ManualClock(), Listener()
    bus = Bus(clock)
    rounds = Rounds(lambda: (stream,), bus, clock)
    rounds.listen(listener)
    async with bus.subscribe("tea") as events:
        assert not await rounds.look(stream)
        clock.advance(PICTURE_DUE_MS + 1)
        assert await rounds.look(stream)
        assert not await rounds.look(stream)
        stream.started_ms = clock.wall_ms()
        assert await rounds.look(stream)
        told = [await events.next(1), await events.next(1)]
        assert await events.next(0.01) is None
    data = [event.data["warnings"] for event in told if event is not None]
    assert [len(warnings) for warnings in data if isinstance(warnings, list)] == [1, 0]
    assert [event.kind for event in told if event is not None] == ["health", "health"]
    (first, second) = [change for _, _, change in listener.heard]
    assert [notice.code for notice in first.raised] == ["no-picture"]
    assert [notice.code for notice in second.cleared] == ["no-picture"]


async def test_the_rounds_go_on_when_a_look_fails(stream: LiveStream) -> None:
    clock, listener = ManualClock(), Listener()
    clock.advance(PICTURE_DUE_MS + 1)
    broken = LiveStream(Broadcast("pots", "Pots", "s", DEFAULT, Sequences()), clock, HOOKS)
    del broken.figures
    rounds = Rounds(lambda: (broken, stream), Bus(clock), clock)
    rounds.listen(listener)
    rounds.start()
    async with asyncio.timeout(30):
        await listener.came.wait()
    await rounds.close()
    await rounds.close()
    assert listener.heard[0][0] == "tea"


async def test_what_stands_beside_the_coachs_is_told_with_it(stream: LiveStream) -> None:
    clock, bus = ManualClock(), Bus(ManualClock())
    beside = {"code": "source-unreadable"}
    rounds = Rounds(lambda: (stream,), bus, clock, lambda channel: (beside,))
    async with bus.subscribe("tea") as events:
        assert not await rounds.look(stream)
        clock.advance(PICTURE_DUE_MS + 1)
        assert await rounds.look(stream)
        event = await events.next(1)
    assert event is not None
    warnings = event.data["warnings"]
    assert isinstance(warnings, list)
    assert [warning["code"] for warning in warnings] == ["no-picture", "source-unreadable"]
