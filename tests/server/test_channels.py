from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from overlay.scene import Corner, Motion
from server.attempts import Attempts
from server.channel import ChannelDefaults, OverlayMode, OverlaySettings
from server.channels import LOOKS, Channels, is_channel_id
from server.errors import Conflict, Invalid, NotFound, RateLimited
from server.store.sqlite import SqliteStore
from tests.helpers.manual_clock import ManualClock

DEFAULTS = ChannelDefaults("default", frozenset({"default", "1080p"}), OverlaySettings())


@dataclass
class Desk:
    channels: Channels
    clock: ManualClock
    file: Path


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    clock, file = ManualClock(), tmp_path / "vitrine.sqlite3"
    store = await SqliteStore.open(file)
    yield Desk(Channels(store, clock, DEFAULTS, Attempts(3, 60)), clock, file)
    await store.close()


async def test_a_channel_and_its_secrets(desk: Desk) -> None:
    overlay = OverlaySettings(OverlayMode.CLIENT, Corner.TOP_LEFT, Motion.NONE, "zh-CN")
    made = await desk.channels.add("tea", " Tea room ", "1080p", overlay)
    channel = made.channel
    assert (channel.title, channel.profile, channel.overlay) == ("Tea room", "1080p", overlay)
    assert channel.created_ms == desk.clock.ms
    assert await desk.channels.get("tea") == channel
    assert await desk.channels.list() == (channel,)
    assert await desk.channels.by_stream_key(made.stream_key, "1.2.3.4") == channel
    assert await desk.channels.by_anchor_token(made.anchor_token) == channel
    assert await desk.channels.by_anchor_token(made.stream_key) is None


async def test_what_is_not_said_comes_from_the_configuration(desk: Desk) -> None:
    channel = (await desk.channels.add("tea")).channel
    assert channel.title == "tea"
    assert (channel.profile, channel.overlay) == ("default", OverlaySettings())


async def test_no_secret_is_in_the_file(desk: Desk) -> None:
    made = await desk.channels.add("tea")
    kept = b"".join(path.read_bytes() for path in desk.file.parent.iterdir())
    assert b"tea" in kept
    assert made.stream_key.encode() not in kept
    assert made.anchor_token.encode() not in kept


async def test_rotated_keys_are_dead(desk: Desk) -> None:
    made = await desk.channels.add("tea")
    key = await desk.channels.rotate_key("tea")
    token = await desk.channels.rotate_anchor_token("tea")
    assert await desk.channels.by_stream_key(made.stream_key, "a") is None
    assert await desk.channels.by_anchor_token(made.anchor_token) is None
    assert await desk.channels.by_stream_key(key, "a") == made.channel
    assert await desk.channels.by_anchor_token(token) == made.channel


async def test_removed_is_gone(desk: Desk) -> None:
    made = await desk.channels.add("tea")
    await desk.channels.remove("tea")
    assert await desk.channels.by_stream_key(made.stream_key, "a") is None
    for call in (desk.channels.get, desk.channels.remove, desk.channels.rotate_key):
        with pytest.raises(NotFound):
            await call("tea")
    with pytest.raises(NotFound):
        await desk.channels.get("../etc")


async def test_a_name_is_taken_once(desk: Desk) -> None:
    await desk.channels.add("tea")
    with pytest.raises(Conflict):
        await desk.channels.add("tea")


async def test_every_wrong_field_is_named(desk: Desk) -> None:
    overlay = replace(OverlaySettings(), locale="klingon")
    with pytest.raises(Invalid) as caught:
        await desk.channels.add("Tea room", "x" * 121, "4k", overlay)
    fields = [problem.field for problem in caught.value.problems]
    assert fields == ["id", "title", "profile", "overlay.locale"]


@pytest.mark.parametrize("name", ["a", "tea", "tea-2", "0", "a" * 32])
def test_ids_that_fit_a_url(name: str) -> None:
    assert is_channel_id(name)


@pytest.mark.parametrize("name", ["", "-a", "a-", "Tea", "a b", "a/b", "..", "ä", "a\n", "a" * 33])
def test_ids_that_do_not(name: str) -> None:
    assert not is_channel_id(name)


async def test_guessing_keys_is_slow(desk: Desk) -> None:
    await desk.channels.add("tea")
    for guess in range(3):
        assert await desk.channels.by_stream_key(f"guess {guess}", "1.2.3.4") is None
    with pytest.raises(RateLimited) as caught:
        await desk.channels.by_stream_key("guess 3", "1.2.3.4")
    assert 1 <= caught.value.retry_after <= 60
    assert f"again in {caught.value.retry_after} s" in str(caught.value)
    assert await desk.channels.by_stream_key("guess 3", "5.6.7.8") is None
    desk.clock.advance(60_000)
    assert await desk.channels.by_stream_key("guess 4", "1.2.3.4") is None


async def knock(desk: Desk, times: int) -> None:
    """Try an old key so often; from the fourth time on that is too often."""
    for _ in range(3):
        await desk.channels.stream_key("old", "1.2.3.4")
    for _ in range(times - 3):
        with pytest.raises(RateLimited):
            await desk.channels.stream_key("old", "1.2.3.4")


async def test_an_old_key_without_end_locks_no_good_one_out(desk: Desk) -> None:
    made = await desk.channels.add("tea")
    await knock(desk, 3 * LOOKS - 1)
    assert await desk.channels.by_stream_key(made.stream_key, "1.2.3.4") == made.channel


async def test_past_a_flood_of_wrong_keys_the_store_is_spared(desk: Desk) -> None:
    made = await desk.channels.add("tea")
    await knock(desk, 3 * LOOKS)
    with pytest.raises(RateLimited) as caught:
        await desk.channels.stream_key(made.stream_key, "1.2.3.4")
    assert 1 <= caught.value.retry_after <= 60
    desk.clock.advance(60_000)
    assert await desk.channels.by_stream_key(made.stream_key, "1.2.3.4") == made.channel


async def test_an_expired_key_opens_nothing_and_is_still_known(desk: Desk) -> None:
    until = desk.clock.ms + 1_000
    made = await desk.channels.add("tea", key_expires_ms=until)
    assert (await desk.channels.get("tea")).key_expires_ms == until
    assert await desk.channels.by_stream_key(made.stream_key, "a") == made.channel
    desk.clock.advance(1_000)
    assert await desk.channels.by_stream_key(made.stream_key, "a") is None
    found = await desk.channels.stream_key(made.stream_key, "a")
    assert found is not None
    assert (found.channel, found.expires_ms) == (made.channel, until)
    fresh = await desk.channels.rotate_key("tea")
    assert await desk.channels.stream_key(made.stream_key, "a") is None
    assert await desk.channels.by_stream_key(fresh, "a") is not None


async def test_an_expired_key_is_no_guess_and_no_pardon(desk: Desk) -> None:
    made = await desk.channels.add("tea", key_expires_ms=desk.clock.ms + 1)
    desk.clock.advance(1)
    for _ in range(10):
        assert await desk.channels.stream_key(made.stream_key, "a") is not None
    for _ in range(2):
        await desk.channels.stream_key("guess", "a")
        await desk.channels.stream_key(made.stream_key, "a")
    await desk.channels.stream_key("guess", "a")
    with pytest.raises(RateLimited):
        await desk.channels.stream_key("guess", "a")


async def test_keys_can_be_rolled_without_a_cut(desk: Desk) -> None:
    made = await desk.channels.add("tea")
    new = await desk.channels.rotate_key("tea", keep_old_seconds=60)
    for key in (made.stream_key, new):
        assert await desk.channels.by_stream_key(key, "a") == made.channel
    desk.clock.advance(60_000)
    assert await desk.channels.by_stream_key(made.stream_key, "a") is None
    assert await desk.channels.by_stream_key(new, "a") == made.channel


@pytest.mark.parametrize(
    ("ahead_ms", "keep", "fields"),
    [
        (0, 0, ["expires_at"]),
        (-5_000, -1, ["expires_at", "keep_old_seconds"]),
        (11 * 366 * 86_400_000, 604_801, ["expires_at", "keep_old_seconds"]),
    ],
)
async def test_an_expiry_that_cannot_be_meant(
    desk: Desk, ahead_ms: int, keep: int, fields: list[str]
) -> None:
    made = await desk.channels.add("tea")
    with pytest.raises(Invalid) as caught:
        await desk.channels.rotate_key("tea", desk.clock.ms + ahead_ms, keep)
    assert [problem.field for problem in caught.value.problems] == fields
    assert await desk.channels.by_stream_key(made.stream_key, "a") == made.channel
    with pytest.raises(Invalid) as caught:
        await desk.channels.add("pots", key_expires_ms=desk.clock.ms + ahead_ms)
    assert [problem.field for problem in caught.value.problems] == ["key_expires_at"]


async def test_guesses_from_one_ipv6_network_are_counted_together(desk: Desk) -> None:
    made = await desk.channels.add("tea")
    for guess in range(3):
        await desk.channels.by_stream_key("guess", f"2001:db8::{guess}")
    with pytest.raises(RateLimited):
        await desk.channels.by_stream_key("guess", "2001:db8::ffff")
    assert await desk.channels.by_stream_key(made.stream_key, "2001:db8:0:1::1") == made.channel
