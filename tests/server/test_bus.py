from __future__ import annotations

import asyncio

import pytest

from server.bus import RESET, Bus, BusLimits, Event
from server.errors import RateLimited
from tests.helpers.manual_clock import ManualClock

LIMITS = BusLimits(history=4, queue=3, listeners=2)


@pytest.fixture
def bus() -> Bus:
    return Bus(ManualClock(), LIMITS)


async def test_listeners_get_their_channels_events_in_order(bus: Bus) -> None:
    async with bus.subscribe("a") as one, bus.subscribe("b") as other:
        first = bus.publish("a", "product", {"n": 1})
        second = bus.publish("a", "stock", {"n": 2})
        assert await one.next(1) == first
        assert await one.next(1) == second
        assert second.seq > first.seq
        assert await one.next(0) is None
        assert await other.next(0) is None


async def test_a_listener_is_woken(bus: Bus) -> None:
    async with bus.subscribe("a") as one:
        waiting = asyncio.ensure_future(one.next(5))
        await asyncio.sleep(0)
        event = bus.publish("a", "product", {})
        assert await waiting == event


async def test_kinds_that_are_not_for_a_listener_neither_wake_nor_fill_it(bus: Bus) -> None:
    seen = bus.publish("a", "product", {})
    bus.publish("a", "health", {})
    missed = bus.publish("a", "product", {})
    async with bus.subscribe("a", seen.seq, frozenset({"health"})) as one:
        for _ in range(2 * LIMITS.queue):
            bus.publish("a", "health", {})
        last = bus.publish("a", "product", {})
        assert [await one.next(0), await one.next(0)] == [missed, last]
        assert await one.next(0) is None


async def test_events_missed_are_given_again(bus: Bus) -> None:
    seen = bus.publish("a", "product", {"n": 0})
    missed = [bus.publish("a", "product", {"n": n}) for n in range(3)]
    async with bus.subscribe("a", seen.seq) as one:
        assert [await one.next(0) for _ in range(4)] == [*missed, None]
    async with bus.subscribe("a", bus.last("a")) as one:
        assert await one.next(0) is None


async def kinds(bus: Bus, after: int) -> list[str]:
    async with bus.subscribe("a", after) as one:
        return [event.kind async for event in one]


async def test_events_forgotten_are_a_reset(bus: Bus) -> None:
    first = bus.publish("a", "product", {})
    for _ in range(LIMITS.history + 1):
        bus.publish("a", "product", {})
    assert await kinds(bus, first.seq) == [RESET]
    assert await kinds(bus, bus.last("a") + 1_000_000) == [RESET], "never published"


async def test_an_older_process_event_is_a_reset_and_a_quiet_channel_is_not(bus: Bus) -> None:
    old = Bus(ManualClock(ManualClock().ms - 5_000)).publish("a", "product", {})
    assert await kinds(bus, old.seq) == [RESET]
    start = bus.last("a")
    event = bus.publish("a", "product", {})
    async with bus.subscribe("a", start) as one:
        assert await one.next(0) == event


async def test_a_slow_listener_is_told_and_let_go(bus: Bus) -> None:
    async with bus.subscribe("a") as slow:
        for _ in range(LIMITS.queue + 5):
            bus.publish("a", "product", {})
        assert bus.listeners("a") == 0
        assert [event.kind async for event in slow] == [RESET]
        with pytest.raises(StopAsyncIteration):
            await slow.__anext__()


async def test_listeners_are_counted_and_bounded(bus: Bus) -> None:
    async with bus.subscribe("a"):
        async with bus.subscribe("a"):
            assert bus.listeners("a") == 2
            with pytest.raises(RateLimited):
                bus.subscribe("a")
        assert bus.listeners("a") == 1
        bus.subscribe("a").close()
    assert bus.listeners("a") == 0


async def test_closing_ends_every_wait(bus: Bus) -> None:
    async def all_of(channel: str) -> list[Event]:
        async with bus.subscribe(channel) as one:
            return [event async for event in one]

    waits = [asyncio.ensure_future(all_of(name)) for name in "aab"]
    await asyncio.sleep(0)
    bus.forget("a")
    assert await asyncio.wait_for(asyncio.gather(*waits[:2]), 5) == [[], []]
    bus.close()
    assert await asyncio.wait_for(waits[2], 5) == []
