"""A real worker process, killed, stopped and starved."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from ingest.unit import AudioUnit, Unit, VideoUnit
from overlay.scene import Card, Money, Scene
from tests.helpers.clips import Clip, units
from tests.helpers.eventually import eventually
from tests.helpers.rendered import epochs, parts
from transcode.message import Closed, Interrupt, Open, Shown, Up
from transcode.profile import Profile, Rung
from transcode.supervisor import Patience, Supervisor

pytestmark = pytest.mark.slow  # real processes, in real time

PROFILE = Profile("test", (Rung(90, 200_000),))
CLIP = Clip(seconds=1.0, width=160, height=90)
PATIENCE = Patience(silence=20.0, close=20.0, backoff_first=0.01, backoff_most=0.05)
DEADLINE = 40.0


class Broadcast:
    """Feeds a supervisor from a clip that goes round for ever."""

    def __init__(self, patience: Patience = PATIENCE, profile: Profile = PROFILE) -> None:
        self.messages: list[Up] = []
        self.supervisor = Supervisor(
            "test", lambda: Open(profile, 0), self.messages.append, patience
        )
        media = units(CLIP)
        self.configs = [u for u in media if not isinstance(u, VideoUnit | AudioUnit)]
        self._media = [u for u in media if isinstance(u, VideoUnit | AudioUnit)]
        self._round = 0

    async def start(self) -> None:
        await self.supervisor.start()
        self.supervisor.feed(self.configs, 0)

    def feed_round(self) -> None:
        """Feed one more second."""
        shift = self._round * 90_000
        for unit in self._media:
            self.supervisor.feed([shifted(unit, shift)], self._round * 1_000)
        self._round += 1

    async def until(self, condition: Callable[[], bool]) -> None:
        """Feed on until `condition()` holds."""
        async with asyncio.timeout(DEADLINE):
            while not condition():
                self.feed_round()
                await asyncio.sleep(0.05)


def shifted(unit: Unit, ticks: int) -> Unit:
    if isinstance(unit, VideoUnit):
        return replace(unit, dts=unit.dts + ticks, pts=unit.pts + ticks)
    if isinstance(unit, AudioUnit):
        return replace(unit, pts=unit.pts + ticks)
    return unit


@asynccontextmanager
async def on_air(
    patience: Patience = PATIENCE, profile: Profile = PROFILE
) -> AsyncIterator[Broadcast]:
    broadcast = Broadcast(patience, profile)
    await broadcast.start()
    try:
        yield broadcast
    finally:
        await broadcast.supervisor.close()


@pytest.fixture
async def broadcast() -> AsyncIterator[Broadcast]:
    async with on_air() as one:
        yield one


async def test_parts_come_back_and_close_gives_the_rest(broadcast: Broadcast) -> None:
    broadcast.feed_round()
    broadcast.feed_round()
    await broadcast.supervisor.close()
    assert sum(part.duration for part in parts(broadcast.messages, "90p")) == 2 * 90_000
    assert isinstance(broadcast.messages[-1], Closed)
    assert broadcast.supervisor.restarts == 0
    assert broadcast.supervisor.pid is None


async def test_a_killed_worker_is_replaced_and_goes_on_in_a_new_epoch(
    broadcast: Broadcast,
) -> None:
    await broadcast.until(lambda: bool(parts(broadcast.messages, "90p")))
    broadcast.supervisor.show(Scene("on", (Card("p", "Tea", Money(500, "EUR")),)), 0)
    await broadcast.until(lambda: any(isinstance(m, Shown) for m in broadcast.messages))
    pid = broadcast.supervisor.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await broadcast.until(lambda: len(epochs(broadcast.messages)) == 2)
    assert broadcast.supervisor.restarts == 1
    assert broadcast.supervisor.pid != pid
    second = broadcast.messages.index(epochs(broadcast.messages)[1])
    await broadcast.until(lambda: bool(parts(broadcast.messages[second:], "90p")))
    shown = [m for m in broadcast.messages[second:] if isinstance(m, Shown)]
    assert shown
    assert shown[0].at_ms == epochs(broadcast.messages)[1].pdt_ms


async def test_a_worker_that_stops_answering_is_killed() -> None:
    async with on_air(replace(PATIENCE, silence=3.0)) as broadcast:
        await broadcast.until(lambda: bool(parts(broadcast.messages, "90p")))
        pid = broadcast.supervisor.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        await broadcast.until(lambda: len(epochs(broadcast.messages)) == 2)
        assert broadcast.supervisor.restarts == 1


async def test_what_a_stopped_worker_does_not_take_is_bounded() -> None:
    patience = replace(PATIENCE, silence=20.0, unread_ms=10**9, unread_bytes=100_000)
    await _stop_and_count(patience, most_held=200_000)


async def test_what_a_stopped_worker_does_not_take_does_not_grow_old() -> None:
    await _stop_and_count(replace(PATIENCE, silence=20.0, unread_ms=3_000), most_held=400_000)


async def _stop_and_count(patience: Patience, most_held: int) -> None:
    async with on_air(patience) as broadcast:
        await broadcast.until(lambda: bool(parts(broadcast.messages, "90p")))
        pid = broadcast.supervisor.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            await broadcast.until(lambda: broadcast.supervisor.dropped > 300)
            process = broadcast.supervisor._process
            assert process is not None
            assert 0 < process.held < most_held
        finally:
            os.kill(pid, signal.SIGCONT)


async def test_a_worker_that_dies_at_once_leaves_its_last_words() -> None:
    async with on_air(profile=replace(PROFILE, preset="nonsense")) as broadcast:
        await broadcast.until(lambda: broadcast.supervisor.restarts >= 1)
        assert any("90p: libx264 refused" in line for line in broadcast.supervisor.last_words)


async def test_a_publisher_that_pauses_costs_no_worker() -> None:
    async with on_air(replace(PATIENCE, silence=0.5)) as broadcast:
        pid = broadcast.supervisor.pid
        for _ in range(4):  # no more than may be unanswered, however slow the worker starts
            broadcast.feed_round()
        await eventually(lambda: bool(parts(broadcast.messages, "90p")), DEADLINE)
        with pytest.raises(TimeoutError):
            await eventually(lambda: broadcast.supervisor.restarts > 0, 1.5)
        assert broadcast.supervisor.pid == pid


async def test_a_worker_that_is_replaced_meanwhile_hears_of_an_interruption(
    broadcast: Broadcast,
) -> None:
    await broadcast.until(lambda: bool(parts(broadcast.messages, "90p")))
    supervisor = broadcast.supervisor
    supervisor._kill()
    supervisor.interrupt(Interrupt(slate=True, title="Tea", width=160, height=90))
    now_ms = 100_000

    def stands() -> bool:
        nonlocal now_ms
        now_ms += 10
        supervisor.tick(now_ms)
        return any(epoch.slate for epoch in epochs(broadcast.messages))

    await eventually(stands, DEADLINE)
    assert supervisor.restarts == 1
    supervisor.resume()
    before = len(epochs(broadcast.messages))
    supervisor.feed(broadcast.configs, now_ms)
    await broadcast.until(lambda: len(epochs(broadcast.messages)) > before)
    assert not epochs(broadcast.messages)[-1].slate


async def test_sound_alone_does_not_fill_memory_either() -> None:
    async with on_air(replace(PATIENCE, unread_bytes=100_000)) as broadcast:
        pid = broadcast.supervisor.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            for number in range(2_000):
                broadcast.supervisor.feed([AudioUnit(number * 1_920, bytes(1_000))], 0)
            assert 100_000 < broadcast.supervisor._held() < 200_000
        finally:
            os.kill(pid, signal.SIGCONT)
