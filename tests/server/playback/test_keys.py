from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from server.channel import Channel, OverlaySettings, PlaybackAccess, PlaybackMode, SecretKind
from server.errors import Conflict, Invalid, NotFound
from server.playback.judge import UNKNOWN
from server.playback.keys import KEY_PREFIX, Playback
from server.playback.token import Claims, mint, read
from server.store.sqlite import SqliteStore
from tests.helpers.manual_clock import ManualClock

SECRET = "the server's own"


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = await SqliteStore.open(tmp_path / "vitrine.db")
    for name in ("tea", "cup"):
        secrets = ((SecretKind.STREAM_KEY, f"key-{name}"), (SecretKind.ANCHOR_TOKEN, f"t-{name}"))
        channel = Channel(name, name, "default", OverlaySettings(), 5)
        await store.add_channel(channel, secrets, 10)
    yield store
    await store.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def playback(store: SqliteStore, clock: ManualClock) -> Playback:
    return Playback(store, SECRET, clock)


def soon(clock: ManualClock, channel: str = "tea") -> Claims:
    return Claims(channel, clock.wall_ms() // 1000 + 3_600)


async def test_a_channel_is_public_until_it_is_signed(
    playback: Playback, clock: ManualClock
) -> None:
    await playback.refresh()
    assert not playback.is_signed("tea")
    key = await playback.set_mode("tea", PlaybackMode.SIGNED)
    assert key is not None
    assert key.startswith(KEY_PREFIX)
    assert playback.is_signed("tea")
    assert not playback.is_signed("cup")
    assert isinstance(playback.judge("tea", mint(soon(clock), key)), Claims)
    assert playback.judge("tea", mint(soon(clock), "pb_made-up")) == UNKNOWN


async def test_the_key_is_shown_once_and_outlives_a_while_in_public(
    playback: Playback, clock: ManualClock
) -> None:
    key = await playback.set_mode("tea", PlaybackMode.SIGNED)
    assert key is not None
    assert await playback.set_mode("tea", PlaybackMode.SIGNED) is None
    assert await playback.set_mode("tea", PlaybackMode.PUBLIC) is None
    assert not playback.is_signed("tea")
    assert await playback.set_mode("tea", PlaybackMode.SIGNED) is None
    assert isinstance(playback.judge("tea", mint(soon(clock), key)), Claims)


async def test_each_channel_has_its_own_key(playback: Playback, clock: ManualClock) -> None:
    tea = await playback.set_mode("tea", PlaybackMode.SIGNED)
    cup = await playback.set_mode("cup", PlaybackMode.SIGNED)
    assert tea is not None
    assert tea != cup
    assert playback.judge("cup", mint(soon(clock, "cup"), tea)) == UNKNOWN


async def test_rotation_leaves_the_old_key_its_time(playback: Playback, clock: ManualClock) -> None:
    key = await playback.set_mode("tea", PlaybackMode.SIGNED)
    assert key is not None
    old = mint(soon(clock), key)
    new = mint(soon(clock), await playback.rotate("tea", 600))
    assert isinstance(playback.judge("tea", old), Claims)
    assert isinstance(playback.judge("tea", new), Claims)
    clock.advance(600_000)
    assert playback.judge("tea", old) == UNKNOWN
    assert isinstance(playback.judge("tea", new), Claims)
    newest = mint(soon(clock), await playback.rotate("tea"))
    assert playback.judge("tea", new) == UNKNOWN, "without an overlap it is over at once"
    assert isinstance(playback.judge("tea", newest), Claims)


async def test_another_process_is_followed(
    playback: Playback, store: SqliteStore, clock: ManualClock
) -> None:
    command = Playback(store, SECRET, clock)
    key = await command.set_mode("tea", PlaybackMode.SIGNED)
    assert key is not None
    assert not playback.is_signed("tea")
    await playback.refresh()
    assert isinstance(playback.judge("tea", mint(soon(clock), key)), Claims)


async def test_recordings_of_a_removed_channel_open_for_nobody(
    playback: Playback, store: SqliteStore, clock: ManualClock
) -> None:
    key = await playback.set_mode("tea", PlaybackMode.SIGNED)
    assert key is not None
    await store.remove_channel("tea")
    await playback.refresh()
    assert playback.is_signed("tea"), "its recordings are there still"
    for signed_with in (key, playback._key("tea", "")):
        assert playback.judge("tea", mint(soon(clock), signed_with)) == UNKNOWN
    with pytest.raises(NotFound):
        await playback.mint("tea", 60)
    with pytest.raises(NotFound):
        await playback.rotate("tea")


async def test_a_channel_made_anew_is_signed_still_and_has_another_key(
    playback: Playback, store: SqliteStore
) -> None:
    key = await playback.set_mode("tea", PlaybackMode.SIGNED)
    await playback.set_mode("cup", PlaybackMode.SIGNED)
    await playback.set_mode("cup", PlaybackMode.PUBLIC)
    for name in ("tea", "cup"):
        await store.remove_channel(name)
        await store.add_channel(Channel(name, name, "default", OverlaySettings(), 5), (), 10)
    await playback.refresh()
    assert playback.is_signed("tea")
    assert not playback.is_signed("cup")
    with pytest.raises(Conflict, match="no signing key"):
        await playback.rotate("tea")
    assert await playback.set_mode("tea", PlaybackMode.SIGNED) not in (None, key)


async def test_a_slow_reading_does_not_undo_a_newer_one(
    playback: Playback, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watch reads, the reading takes its time, and meanwhile the channel is signed."""
    read, was_read, may_end = store.playbacks, asyncio.Event(), asyncio.Event()

    async def slowly() -> dict[str, PlaybackAccess]:
        found = await read()
        was_read.set()
        await may_end.wait()
        return found

    monkeypatch.setattr(store, "playbacks", slowly)
    async with asyncio.timeout(10):
        watch = asyncio.create_task(playback.refresh())
        await was_read.wait()
        monkeypatch.setattr(store, "playbacks", read)
        change = asyncio.create_task(playback.set_mode("tea", PlaybackMode.SIGNED))
        await asyncio.wait([change], timeout=0.2)  # as far as it comes
        may_end.set()
        await asyncio.gather(watch, change)
    assert playback.is_signed("tea")


async def test_neither_the_store_nor_the_secret_alone_makes_the_key(
    playback: Playback, store: SqliteStore, clock: ManualClock
) -> None:
    key = await playback.set_mode("tea", PlaybackMode.SIGNED)
    access = await store.playback("tea")
    assert access is not None
    assert key is not None
    assert key.removeprefix(KEY_PREFIX) not in str(access)
    stranger = Playback(store, "another secret", clock)
    await stranger.refresh()
    assert stranger.judge("tea", mint(soon(clock), key)) == UNKNOWN


async def test_minting(playback: Playback, clock: ManualClock) -> None:
    await playback.set_mode("tea", PlaybackMode.SIGNED)
    token, claims = await playback.mint("tea", 60, wait=30, viewer="anna", session="S1")
    begin = clock.wall_ms() // 1000 + 30
    assert claims == Claims("tea", begin + 60, "S1", begin, "anna")
    signed = read(token)
    assert signed is not None
    assert signed.claims == claims
    clock.advance(45_000)
    assert playback.judge("tea", token) == claims


async def test_what_cannot_be_done_is_told(playback: Playback) -> None:
    with pytest.raises(NotFound):
        await playback.set_mode("none", PlaybackMode.SIGNED)
    for name in ("none", "No Name"):
        with pytest.raises(NotFound):
            await playback.rotate(name)
        with pytest.raises(NotFound):
            await playback.mint(name, 60)
    with pytest.raises(Conflict, match="no signing key"):
        await playback.rotate("tea")
    with pytest.raises(Conflict, match="no signing key"):
        await playback.mint("tea", 60)
    await playback.set_mode("tea", PlaybackMode.SIGNED)
    with pytest.raises(Invalid, match=r"seconds.*viewer"):
        await playback.mint("tea", 0, viewer="a.b")
    with pytest.raises(Invalid, match="keep_old_seconds"):
        await playback.rotate("tea", 10**9)
