from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.errors import Conflict, NotFound, Unavailable
from server.record.catalogue import Deed, Hold
from server.record.errors import StorageDown
from server.record.local import LocalStorage
from server.record.retention import DAY_MS, Retention
from server.record.storage import home
from tests.helpers.eventually import eventually
from tests.server.record.deck import CHANNEL, SESSION, Deck, deck
from tests.server.record.test_faults import SteppedClock

HOLD = Hold("a court asked", "operator", 0)
TEN_MINUTES = 600_000


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Deck]:
    """A deck with one recording that has ended."""
    async with deck(tmp_path, clock=SteppedClock()) as made:
        show = made.show()
        await made.begin(show)
        show.segments(2)
        await made.end(show)
        yield made


def retention(here: Deck, days: float = 60) -> Retention:
    return Retention(here.library, here.clock, days)


async def there(here: Deck) -> bool:
    return await asyncio.to_thread((here.folder / home(CHANNEL, SESSION)).exists)


async def test_a_recording_goes_when_its_time_is_over(here: Deck) -> None:
    keeper = retention(here)
    entry = await here.sealed()
    assert keeper.expires_ms(entry) == (entry.ended_ms or 0) + 60 * DAY_MS
    await keeper.sweep()
    here.clock.advance(60 * DAY_MS - TEN_MINUTES)
    assert await keeper.sweep() == 0
    here.clock.advance(2 * TEN_MINUTES)
    assert await keeper.sweep() == 1
    assert not await there(here)
    with pytest.raises(NotFound):
        await here.playlist()
    last = (await here.store.recordings.log(CHANNEL, 0, 10))[-1]
    assert (last.deed, last.actor, last.reason) == (Deed.REMOVED, "server", "older than 60 days")


async def test_the_first_sweep_is_at_the_start_and_the_next_removes_what_is_due(
    here: Deck, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed: list[int] = []

    class Told(Retention):
        async def sweep(self) -> int:
            removed.append(await super().sweep())
            return removed[-1]

    keeper = Told(here.library, here.clock, 60)
    here.clock.advance(61 * DAY_MS)
    keeper.start()
    await eventually(lambda: removed == [0])  # the clock has not proved steady
    await keeper.close()
    monkeypatch.setattr("server.record.retention.FIRST_SECONDS", 0.01)
    keeper = Told(here.library, here.clock, 60)
    keeper.start()
    await eventually(lambda: removed == [0, 0, 1])  # ten minutes to go to the next one
    await keeper.close()
    assert not await there(here)


async def test_what_is_held_stays_until_it_is_released(here: Deck) -> None:
    keeper = retention(here)
    await here.store.recordings.hold(CHANNEL, SESSION, HOLD)
    assert keeper.expires_ms(await here.sealed()) is None
    await keeper.sweep()
    here.clock.advance(100 * DAY_MS)
    assert await keeper.sweep() == 0
    with pytest.raises(Conflict, match="a court asked") as refused:
        await keeper.remove(CHANNEL, SESSION, "operator", "asked for")
    assert refused.value.code == "held"
    assert (await here.playlist()).segments
    await here.store.recordings.release(CHANNEL, SESSION, HOLD)
    here.clock.advance(TEN_MINUTES)
    assert await keeper.sweep() == 1


async def test_without_a_time_nothing_goes_by_itself(here: Deck) -> None:
    keeper = retention(here, 0)
    assert keeper.expires_ms(await here.sealed()) is None
    await keeper.sweep()
    here.clock.advance(9_999 * DAY_MS)
    assert await keeper.sweep() == 0
    await keeper.remove(CHANNEL, SESSION, "operator", "asked for")
    assert not await there(here)


async def test_a_clock_that_was_set_costs_no_recording(here: Deck) -> None:
    clock = here.clock
    assert isinstance(clock, SteppedClock)
    keeper = retention(here)
    await keeper.sweep()
    clock.advance(60 * DAY_MS - 1_800_000)
    await keeper.sweep()
    clock.off_ms += 3_600_000  # half an hour too early
    clock.advance(TEN_MINUTES)
    assert await keeper.sweep() == 0
    clock.off_ms -= 3_600_000
    clock.advance(TEN_MINUTES)
    assert await keeper.sweep() == 0
    clock.advance(1_800_000)
    assert await keeper.sweep() == 1


async def test_what_is_on_the_air_cannot_be_removed(here: Deck) -> None:
    session = "01KE00000000000000000000BB"
    show = here.show(session, "r2")
    await here.begin(show, session)
    show.segments(1)
    with pytest.raises(Conflict) as refused:
        await retention(here).remove(CHANNEL, session, "operator", "asked for")
    assert refused.value.code == "on-air"


async def test_a_removal_that_failed_is_finished_by_a_sweep(
    here: Deck, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = retention(here)
    assert (await here.media("r1-1.m4s")).body

    async def down(_self: LocalStorage, _prefix: str) -> int:
        raise StorageDown("no answer")

    with monkeypatch.context() as broken:
        broken.setattr(LocalStorage, "remove", down)
        with pytest.raises(Unavailable):
            await keeper.remove(CHANNEL, SESSION, "operator", "asked for")
        assert await keeper.sweep() == 0
    with pytest.raises(NotFound):
        await here.library.entry(CHANNEL, SESSION)
    with pytest.raises(NotFound):
        await here.media("r1-1.m4s")
    assert await keeper.sweep() == 1
    assert not await there(here)
