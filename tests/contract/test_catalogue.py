"""What every catalogue of recordings promises."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from server.channel import Channel, OverlaySettings
from server.record.catalogue import Catalogue, Deed, Entry, Hold
from server.store.sqlite import SqliteStore

ONE = Entry("tea", "01A", "Tea", 1_000)
ENDED = replace(ONE, ended_ms=5_000, duration_ms=4_000, size=77, gaps=2)
HOLD = Hold("a court asked", "operator", 9_000)


@pytest.fixture
def catalogue(store: SqliteStore) -> Catalogue:
    return store.recordings


async def ended(catalogue: Catalogue, session: str = "01A", ended_ms: int = 5_000) -> Entry:
    entry = replace(ENDED, session=session, ended_ms=ended_ms)
    await catalogue.begin(entry)
    await catalogue.finish(entry, 6_000)
    return entry


async def test_a_recording_begins_and_is_finished_once(catalogue: Catalogue) -> None:
    await catalogue.begin(ONE)
    await catalogue.begin(replace(ONE, title="Another"))
    assert await catalogue.get("tea", "01A") == ONE
    assert await catalogue.unfinished() == (ONE,)
    await catalogue.finish(ENDED, 6_000)
    await catalogue.finish(replace(ENDED, size=1), 7_000)
    assert await catalogue.get("tea", "01A") == ENDED
    assert await catalogue.unfinished() == ()
    (line,) = await catalogue.log("tea", 0, 10)
    assert (line.deed, line.at_ms, line.session) == (Deed.RECORDED, 6_000, "01A")


async def test_pages_are_newest_first(catalogue: Catalogue) -> None:
    for session in ("01A", "01C", "01B"):
        await ended(catalogue, session)
    await catalogue.begin(Entry("pot", "01D", "Pot", 0))
    assert [e.session for e in await catalogue.page("tea", None, 2)] == ["01C", "01B"]
    assert [e.session for e in await catalogue.page("tea", "01B", 2)] == ["01A"]
    assert [e.session for e in await catalogue.page(None, None, 9)] == ["01D", "01C", "01B", "01A"]


async def test_what_is_held_cannot_be_claimed_nor_is_it_overdue(catalogue: Catalogue) -> None:
    await ended(catalogue)
    assert await catalogue.hold("tea", "01A", HOLD)
    assert not await catalogue.claim("tea", "01A")
    assert await catalogue.overdue(10_000, 10) == ()
    held = await catalogue.get("tea", "01A")
    assert held is not None
    assert held.hold == HOLD
    by = Hold("the court is done", "operator", 9_500)
    assert await catalogue.release("tea", "01A", by)
    assert await catalogue.release("tea", "01A", by)
    assert [e.session for e in await catalogue.overdue(10_000, 10)] == ["01A"]
    deeds = [(line.deed, line.reason) for line in await catalogue.log("tea", 1, 10)]
    assert deeds == [(Deed.HELD, "a court asked"), (Deed.RELEASED, "the court is done")]


async def test_a_hold_comes_before_a_removal_or_not_at_all(catalogue: Catalogue) -> None:
    await ended(catalogue)
    assert await catalogue.claim("tea", "01A")
    assert await catalogue.claim("tea", "01A")
    assert not await catalogue.hold("tea", "01A", HOLD)
    assert not await catalogue.release("tea", "01A", HOLD)
    assert [e.removing for e in await catalogue.overdue(0, 10)] == [True]
    await catalogue.erase("tea", "01A", 8_000, "operator", "asked for")
    await catalogue.erase("tea", "01A", 8_000, "operator", "asked for")
    assert await catalogue.get("tea", "01A") is None
    last = (await catalogue.log("tea", 0, 10))[-1]
    assert (last.deed, last.actor, last.reason) == (Deed.REMOVED, "operator", "asked for")
    assert len(await catalogue.log(None, 0, 10)) == 2


async def test_what_is_on_the_air_cannot_be_removed_but_held(catalogue: Catalogue) -> None:
    await catalogue.begin(ONE)
    assert not await catalogue.claim("tea", "01A")
    assert await catalogue.hold("tea", "01A", HOLD)
    await catalogue.finish(ENDED, 6_000)
    found = await catalogue.get("tea", "01A")
    assert found == replace(ENDED, hold=HOLD)


async def test_only_what_ended_before_is_overdue_oldest_first(catalogue: Catalogue) -> None:
    await ended(catalogue, "01A", 5_000)
    await ended(catalogue, "01B", 4_000)
    await ended(catalogue, "01C", 6_000)
    await catalogue.begin(Entry("tea", "01D", "Tea", 0))
    assert [e.session for e in await catalogue.overdue(5_500, 10)] == ["01B", "01A"]
    assert [e.session for e in await catalogue.overdue(5_500, 1)] == ["01B"]
    assert await catalogue.claim("tea", "01B")
    assert [e.session for e in await catalogue.overdue(5_500, 1)] == ["01A"]
    assert [e.session for e in await catalogue.overdue(5_500, 10)] == ["01A", "01B"]


async def test_copies_are_noted(catalogue: Catalogue) -> None:
    await ended(catalogue)
    (waiting,) = await catalogue.afloat(uploaded=False, ended_before_ms=9_000, limit=10)
    await catalogue.mark(waiting.channel, waiting.session, uploaded=True, local=True)
    assert await catalogue.afloat(uploaded=False, ended_before_ms=9_000, limit=10) == ()
    (there,) = await catalogue.afloat(uploaded=True, ended_before_ms=9_000, limit=10)
    await catalogue.mark(there.channel, there.session, uploaded=True, local=False)
    assert await catalogue.afloat(uploaded=True, ended_before_ms=9_000, limit=10) == ()


async def test_what_they_take_is_summed(catalogue: Catalogue) -> None:
    await ended(catalogue, "01A")
    await ended(catalogue, "01B")
    await catalogue.hold("tea", "01B", HOLD)
    usage = await catalogue.usage()
    assert (usage.recordings, usage.size, usage.held, usage.held_size) == (2, 154, 1, 77)


async def test_recordings_outlive_their_channel(store: SqliteStore, catalogue: Catalogue) -> None:
    await store.add_channel(Channel("tea", "Tea", "default", OverlaySettings(), 0), (), 10)
    await ended(catalogue)
    assert await store.remove_channel("tea")
    assert await catalogue.get("tea", "01A") is not None


async def test_an_older_store_gets_its_catalogue(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path / "vitrine.db")
    await store.recordings.begin(ONE)
    await store.close()
    again = await SqliteStore.open(tmp_path / "vitrine.db")
    assert await again.recordings.get("tea", "01A") == ONE
    await again.close()
