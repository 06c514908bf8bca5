"""Replaced keys and removed channels end what is on the air, whoever changed the store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from server.auth import digest
from server.channel import Channel, OverlaySettings, SecretKind
from server.errors import Unavailable
from server.live.warden import REPLACED, Warden
from server.store.sqlite import SqliteStore
from tests.helpers.eventually import eventually


@dataclass
class Tower:
    """What is on the air, as a registry tells it."""

    on_air: dict[str, str] = field(default_factory=dict)
    interrupted: set[str] = field(default_factory=set)
    out: list[tuple[str, str]] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)

    def keys(self) -> dict[str, str]:
        return self.on_air

    def turn_out(self, channel: str, reason: str) -> bool:
        if channel in self.interrupted:
            return False
        self.interrupted.add(channel)
        self.out.append((channel, reason))
        return True

    async def stop(self, channel: str, reason: str) -> bool:
        self.stopped.append(channel)
        return self.on_air.pop(channel, None) is not None

    async def forget(self, channel: str) -> None:
        self.gone.append(channel)


@dataclass
class Watch:
    store: SqliteStore
    other: SqliteStore
    """The same, as a command beside the server opens it."""
    tower: Tower
    warden: Warden

    async def channel(self, name: str, key: str) -> None:
        channel = Channel(name, name, "default", OverlaySettings(), 0)
        await self.store.add_channel(channel, ((SecretKind.STREAM_KEY, digest(key)),), 10)
        self.tower.on_air[name] = digest(key)


@pytest.fixture
async def watch(tmp_path: Path) -> AsyncIterator[Watch]:
    store, other = [await SqliteStore.open(tmp_path / "a") for _ in range(2)]
    tower = Tower()
    warden = Warden(store, tower, tower.forget, seconds=0.01)
    made = Watch(store, other, tower, warden)
    await made.channel("tea", "one")
    await made.channel("pots", "two")
    yield made
    await warden.close()
    for each in (store, other):
        await each.close()


async def test_good_keys_stay_on(watch: Watch) -> None:
    watch.tower.on_air["pots"] = ""  # a source that needs no key
    await watch.other.rotate_key("tea", digest("new"), None, 1)  # the old one, long expired, stands
    await watch.warden.look()
    assert (watch.tower.out, watch.tower.stopped) == ([], [])


async def test_a_replaced_key_is_turned_out_once(watch: Watch) -> None:
    await watch.other.rotate_key("tea", digest("new"), None, None)
    with capture_logs() as lines:
        await watch.warden.look()
        await watch.warden.look()  # interrupted now, and waiting for the new key
    assert watch.tower.out == [("tea", REPLACED)]
    assert watch.tower.stopped == []
    assert [(line["event"], line["channel"]) for line in lines] == [
        ("a publisher's key was replaced", "tea")
    ]


async def test_a_removed_channel_goes_off_the_air_and_is_forgotten(watch: Watch) -> None:
    watch.tower.interrupted.add("tea")
    await watch.other.remove_channel("tea")
    await watch.warden.look()
    await watch.warden.look()
    assert watch.tower.stopped == ["tea"]
    assert watch.tower.gone == ["tea"]
    assert watch.tower.out == []


async def test_a_name_that_is_used_anew_is_another_channel(watch: Watch) -> None:
    old = watch.tower.on_air["tea"]
    await watch.other.remove_channel("tea")
    await watch.channel("tea", "of the new channel")
    watch.tower.on_air["tea"] = old
    await watch.warden.look()
    assert watch.tower.out == [("tea", REPLACED)]


async def test_who_took_over_meanwhile_is_not_turned_out(watch: Watch) -> None:
    await watch.other.rotate_key("tea", digest("new"), None, None)
    looking = asyncio.create_task(watch.warden.look())
    await asyncio.sleep(0)
    watch.tower.on_air["tea"] = digest("new")
    await looking
    assert watch.tower.out == []


async def test_a_store_that_does_not_answer_turns_nobody_out(watch: Watch) -> None:
    await watch.store.close()
    with pytest.raises(Unavailable):
        await watch.warden.look()
    watch.warden.start()
    with capture_logs() as lines:
        await eventually(lambda: len(lines) > 1)
    assert {line["event"] for line in lines} == {"stream keys cannot be checked"}
    assert (watch.tower.out, watch.tower.stopped) == ([], [])


async def test_it_looks_again_and_again(watch: Watch) -> None:
    watch.warden.start()
    await watch.other.rotate_key("tea", digest("new"), None, None)
    await eventually(lambda: len(watch.tower.out) == 1)
    await watch.other.remove_channel("pots")
    await eventually(lambda: watch.tower.gone == ["pots"])
