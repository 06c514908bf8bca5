"""What every store must do. Run on each of them."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from overlay.scene import Money, Rect
from server.channel import (
    Channel,
    OverlayMode,
    OverlaySettings,
    PlaybackAccess,
    PlaybackMode,
    SecretKind,
    Sequences,
    Session,
    StreamKey,
)
from server.errors import Conflict, NotFound, TooLarge, Unavailable
from server.shop.catalogue import IMAGE_PATH, Image, Kind, Product
from server.shop.timeline import Event, EventKind
from server.source import Source
from server.store.port import Change, NewProduct, Put, Store, StoredAnswer
from tests.contract.conftest import Reopen

TEA = Channel("tea", "Tea room", "default", OverlaySettings(OverlayMode.CLIENT, locale="zh-CN"), 5)
CUP = Product(
    "cup",
    "茶杯 Cup",
    Money(1290, "EUR"),
    sale_price=Money(990, "EUR"),
    stock=3,
    images=("https://a.example/2.jpg",),
    kind=Kind.PREORDER,
    attributes=(("colour", "blue"), ("size", "L")),
)


def image(letter: str) -> Image:
    return Image(letter * 64 + ".jpg", "image/jpeg", letter.encode() * 10)


def pictured(product: Product, picture: Image) -> NewProduct:
    return NewProduct(replace(product, image=IMAGE_PATH + picture.name), picture)


def event(name: str, t_media: int = 1_000) -> Event:
    rect = Rect(0.1, 0.2, 0.3, 0.4)
    return Event(name, EventKind.SHOWN, "pin", "cup", 2, t_media, 7, "worker", 1, True, True, rect)


async def add(store: Store, channel: Channel = TEA, limit: int = 10) -> None:
    secrets = (
        (SecretKind.STREAM_KEY, f"key-{channel.id}"),
        (SecretKind.ANCHOR_TOKEN, f"token-{channel.id}"),
    )
    await store.add_channel(channel, secrets, limit)


async def put(store: Store, *products: Product | NewProduct, limit: int = 10) -> tuple[Put, ...]:
    news = [item if isinstance(item, NewProduct) else NewProduct(item) for item in products]
    return await store.put_products("tea", news, limit)


async def test_a_channel_is_kept_whole_and_found_by_its_secrets(
    store: Store, reopen: Reopen
) -> None:
    await add(store)
    other = await reopen()
    assert await other.channel("tea") == TEA
    assert await other.channel_by_secret(SecretKind.STREAM_KEY, "key-tea") == TEA
    assert await other.channel_by_secret(SecretKind.ANCHOR_TOKEN, "token-tea") == TEA
    assert await other.channel_by_secret(SecretKind.STREAM_KEY, "token-tea") is None
    assert await other.channel("coffee") is None


async def test_a_name_is_taken_once(store: Store) -> None:
    await add(store)
    with pytest.raises(Conflict) as caught:
        await add(store)
    assert caught.value.code == "exists"


async def test_a_channel_gets_another_title_and_keeps_the_rest(
    store: Store, reopen: Reopen
) -> None:
    await add(store)
    assert await store.set_title("tea", "Tea at six")
    assert not await store.set_title("coffee", "Coffee")
    assert await (await reopen()).channels() == (replace(TEA, title="Tea at six"),)


async def test_a_stream_key_is_kept_with_its_expiry(store: Store, reopen: Reopen) -> None:
    expiring = replace(TEA, id="mate", key_expires_ms=900)
    await add(store)
    await add(store, expiring)
    other = await reopen()
    assert await other.stream_key("key-tea") == StreamKey(TEA, "key-tea")
    assert await other.stream_key("key-mate") == StreamKey(expiring, "key-mate", 900)
    assert await other.stream_key("token-tea") is None
    assert await other.channel("mate") == expiring
    assert await other.channels() == (expiring, TEA)
    assert await other.channel_by_secret(SecretKind.ANCHOR_TOKEN, "token-mate") == expiring


async def test_a_rotated_key_is_gone_or_expires_soon(store: Store) -> None:
    await add(store)
    assert await store.rotate_key("tea", "second", None, None)
    assert await store.stream_key("key-tea") is None
    assert await store.rotate_key("tea", "third", 5_000, 700)
    third = replace(TEA, key_expires_ms=5_000)
    assert await store.stream_key("second") == StreamKey(third, "second", 700)
    assert await store.stream_key("third") == StreamKey(third, "third", 5_000)
    assert await store.rotate_key("tea", "fourth", None, 9_000)
    assert await store.stream_key("second") is None, "the last but one"
    assert await store.stream_key("third") == StreamKey(TEA, "third", 5_000), "it had no longer"
    assert await store.stream_key("fourth") == StreamKey(TEA, "fourth")
    assert await store.rotate_key("tea", "fifth", None, None)
    assert await store.stream_key("third") is None
    assert await store.channel_by_secret(SecretKind.ANCHOR_TOKEN, "token-tea") == TEA
    assert not await store.rotate_key("coffee", "x", None, None)


async def test_which_keys_stand_is_one_question(store: Store) -> None:
    await add(store)
    await add(store, replace(TEA, id="mate"))
    await store.rotate_key("mate", "new", None, 1)
    assert await store.standing_keys(["tea", "mate", "coffee"]) == {
        "tea": frozenset({"key-tea"}),
        "mate": frozenset({"key-mate", "new"}),
    }
    await store.remove_channel("mate")
    many = [f"no-{number}" for number in range(1_200)]
    assert await store.standing_keys([*many, "mate", "tea"]) == {"tea": frozenset({"key-tea"})}
    assert await store.standing_keys([]) == {}


async def test_a_channel_without_a_key_stands_all_the_same(store: Store) -> None:
    await store.add_channel(TEA, (), 10)
    assert await store.standing_keys(["tea"]) == {"tea": frozenset()}


async def test_channels_have_a_limit_and_an_order(store: Store) -> None:
    await add(store, limit=2)
    await add(store, replace(TEA, id="coffee"), limit=2)
    with pytest.raises(TooLarge):
        await add(store, replace(TEA, id="milk"), limit=2)
    assert [channel.id for channel in await store.channels()] == ["coffee", "tea"]


async def test_a_secret_replaced_is_dead(store: Store) -> None:
    await add(store)
    assert await store.set_secret("tea", SecretKind.STREAM_KEY, "new")
    assert await store.channel_by_secret(SecretKind.STREAM_KEY, "key-tea") is None
    assert await store.channel_by_secret(SecretKind.STREAM_KEY, "new") == TEA
    assert not await store.set_secret("coffee", SecretKind.STREAM_KEY, "x")


async def test_removing_a_channel_takes_all_but_its_sequences(store: Store) -> None:
    await add(store)
    picture = image("a")
    await put(store, pictured(CUP, picture))
    await store.open_session("tea", Session("s", 1))
    await store.append("tea", "s", [event("e")])
    await store.save_sequences("tea", Sequences(9, 2, 3))
    assert await store.remove_channel("tea")
    assert not await store.remove_channel("tea")
    assert await store.channel_by_secret(SecretKind.STREAM_KEY, "key-tea") is None
    assert await store.image(picture.name) is None
    await add(store)
    assert await store.products("tea") == ()
    assert await store.last_session("tea") is None
    assert await store.events("tea", "s") == ()
    assert await store.sequences("tea") == Sequences(9, 2, 3)


async def test_a_source_is_kept_replaced_and_removed_with_its_channel(
    store: Store, reopen: Reopen
) -> None:
    await add(store)
    yard = Source("rtsp://ann:s3cret@camera.example/1", loop=True)
    assert await store.source("tea") is None
    await store.put_source("tea", yard, 1)
    other = await reopen()
    assert await other.source("tea") == yard
    assert await other.sources() == {"tea": yard}
    film = Source("http://films.example/a.mp4")
    await other.put_source("tea", film, 1)
    assert await store.source("tea") == film
    assert await store.remove_source("tea")
    assert not await store.remove_source("tea")
    await store.put_source("tea", yard, 1)
    assert await store.remove_channel("tea")
    assert await store.sources() == {}


async def test_sources_need_their_channel_and_have_a_limit(store: Store) -> None:
    await add(store)
    await add(store, replace(TEA, id="coffee"))
    film = Source("http://films.example/a.mp4")
    with pytest.raises(NotFound):
        await store.put_source("milk", film, 5)
    await store.put_source("tea", film, 1)
    with pytest.raises(TooLarge):
        await store.put_source("coffee", film, 1)


async def test_a_source_is_exchanged_only_for_the_one_that_was_meant(store: Store) -> None:
    await add(store)
    film = Source("http://films.example/a.mp4")
    off = replace(film, enabled=False)
    assert not await store.replace_source("tea", film, off)
    await store.put_source("tea", film, 1)
    assert await store.replace_source("tea", film, off)
    assert not await store.replace_source("tea", film, off)
    assert await store.source("tea") == off


async def test_sequences_never_go_back(store: Store, reopen: Reopen) -> None:
    assert await store.sequences("tea") == Sequences()
    await store.save_sequences("tea", Sequences(10, 3, 1_000))
    await store.save_sequences("tea", Sequences(8, 4, 900))
    assert await (await reopen()).sequences("tea") == Sequences(10, 4, 1_000)


async def test_a_product_comes_back_as_it_was_put(store: Store, reopen: Reopen) -> None:
    await add(store)
    (made,) = await put(store, CUP)
    assert made == Put(replace(CUP, revision=1), Change.CREATED, None)
    assert await (await reopen()).product("tea", "cup") == replace(CUP, revision=1)


async def test_the_revision_grows_with_real_changes_only(store: Store) -> None:
    await add(store)
    await put(store, CUP)
    (again,) = await put(store, CUP)
    assert (again.change, again.product.revision) == (Change.UNCHANGED, 1)
    (changed,) = await put(store, replace(CUP, title="Cup"))
    assert (changed.change, changed.product.revision) == (Change.UPDATED, 2)
    assert changed.before == replace(CUP, revision=1)
    assert await store.remove_product("tea", "cup")
    assert not await store.remove_product("tea", "cup")
    (anew,) = await put(store, CUP)
    assert (anew.change, anew.product.revision) == (Change.CREATED, 3)


async def test_products_are_paged_by_id(store: Store) -> None:
    await add(store)
    await put(store, *(replace(CUP, id=name) for name in "dacb"))
    assert [product.id for product in await store.products("tea")] == list("abcd")
    page = await store.products("tea", after="a", limit=2)
    assert [product.id for product in page] == ["b", "c"]
    assert set(await store.products_by_id("tea", ["a", "d", "nothing"])) == {"a", "d"}
    assert await store.products_by_id("tea", []) == {}


async def test_over_the_limit_none_of_a_batch_is_put(store: Store) -> None:
    await add(store)
    await put(store, CUP, limit=2)
    with pytest.raises(TooLarge):
        await put(store, replace(CUP, id="b"), replace(CUP, id="c"), limit=2)
    assert [product.id for product in await store.products("tea")] == ["cup"]


async def test_products_need_their_channel(store: Store) -> None:
    with pytest.raises(NotFound):
        await put(store, CUP)


async def test_an_image_lives_as_long_as_a_product_shows_it(store: Store) -> None:
    await add(store)
    one, two = image("a"), image("b")
    await put(store, pictured(CUP, one), pictured(replace(CUP, id="b"), one))
    assert await store.image(one.name) == one
    await put(store, pictured(CUP, two))
    assert await store.image(one.name) == one, "the other product shows it"
    await store.remove_product("tea", "b")
    assert await store.image(one.name) is None
    assert await store.image(two.name) == two


async def test_an_image_not_spoken_of_stays(store: Store) -> None:
    await add(store)
    picture = image("a")
    await put(store, pictured(CUP, picture))
    (kept,) = await put(store, NewProduct(replace(CUP, title="New"), keeps_image=True))
    assert kept.product.image == IMAGE_PATH + picture.name
    (gone,) = await put(store, replace(CUP, title="New"))
    assert gone.product.image == ""
    assert await store.image(picture.name) is None


async def test_events_are_numbered_through_the_channel(store: Store, reopen: Reopen) -> None:
    await add(store)
    await store.open_session("tea", Session("s1", 1))
    first = await store.append("tea", "s1", [event("a"), event("b")])
    second = await store.append("tea", "s2", [event("c")])
    assert [item.seq for item in first + second] == [1, 2, 3]
    other = await reopen()
    assert await other.events("tea", "s1") == first
    assert await other.events("tea", "s2") == second
    with pytest.raises(NotFound):
        await store.append("coffee", "s1", [event("d")])


async def test_appending_at_once_gives_each_event_its_number(store: Store) -> None:
    await add(store)
    made = await asyncio.gather(
        *(store.append("tea", "s", [event(f"{n}a"), event(f"{n}b")]) for n in range(20))
    )
    assert sorted(item.seq for pair in made for item in pair) == list(range(1, 41))
    assert all(pair[1].seq == pair[0].seq + 1 for pair in made)


async def test_a_session_ends_once_with_its_last_events(store: Store) -> None:
    await add(store)
    await store.open_session("tea", Session("s1", 100))
    await store.open_session("tea", Session("s1", 999))
    assert await store.unfinished_sessions() == (("tea", Session("s1", 100)),)
    ended = await store.close_session("tea", "s1", 200, [event("end")])
    assert [item.seq for item in ended] == [1]
    assert await store.close_session("tea", "s1", 300, [event("again")]) == ()
    assert await store.last_session("tea") == Session("s1", 100, 200)
    assert await store.unfinished_sessions() == ()
    await store.open_session("tea", Session("s2", 50))
    assert await store.last_session("tea") == Session("s2", 50), "by order, not by clock"
    with pytest.raises(NotFound):
        await store.open_session("coffee", Session("s", 1))


async def test_the_first_answer_stays_until_it_is_old(store: Store) -> None:
    first = StoredAnswer("digest", 201, b"body\x00")
    await store.store_answer("who", "key", first, now_ms=1_000, keep_ms=500)
    await store.store_answer("who", "key", StoredAnswer("x", 500, b""), 1_400, 500)
    assert await store.stored_answer("who", "key") == first
    assert await store.stored_answer("other", "key") is None
    await store.store_answer("who", "other", first, 1_501, 500)
    assert await store.stored_answer("who", "key") is None


async def test_what_is_written_here_is_read_there_at_once(store: Store, reopen: Reopen) -> None:
    other = await reopen()
    for number in range(10):
        channel = replace(TEA, id=f"c{number}")
        await add(store if number % 2 else other, channel)
        assert await (other if number % 2 else store).channel(channel.id) == channel


async def test_a_closed_store_says_so(store: Store) -> None:
    await store.close()
    await store.close()
    with pytest.raises(Unavailable):
        await store.channel("tea")


async def test_who_may_watch(store: Store, reopen: Reopen) -> None:
    await add(store)
    assert await store.playback("tea") is None
    assert await store.set_playback("none", PlaybackMode.SIGNED, "s1") is None
    signed = PlaybackAccess(PlaybackMode.SIGNED, "s1")
    assert await store.set_playback("tea", PlaybackMode.SIGNED, "s1") == signed
    public = PlaybackAccess(PlaybackMode.PUBLIC, "s1")
    assert await store.set_playback("tea", PlaybackMode.PUBLIC, "s2") == public, "the salt stays"
    assert await store.rotate_playback("tea", "s2", 500)
    assert await store.playback("tea") == PlaybackAccess(PlaybackMode.PUBLIC, "s2", "s1", 500)
    store = await reopen()
    assert await store.rotate_playback("tea", "s3", None)
    assert await store.playbacks() == {"tea": PlaybackAccess(PlaybackMode.PUBLIC, "s3")}
    assert not await store.rotate_playback("none", "s4", 500)
    await store.remove_channel("tea")
    assert await store.playbacks() == {}


async def test_of_a_removed_channel_only_its_key_goes(store: Store) -> None:
    await add(store)
    await store.set_playback("tea", PlaybackMode.SIGNED, "s1")
    await store.remove_channel("tea")
    assert await store.playbacks() == {"tea": PlaybackAccess(PlaybackMode.SIGNED, "")}
    assert not await store.rotate_playback("tea", "s2", 500), "there is none to replace"
    assert await store.set_playback("tea", PlaybackMode.PUBLIC, "s2") is None, "nor a channel"
    await add(store)
    again = PlaybackAccess(PlaybackMode.SIGNED, "s3")
    assert await store.set_playback("tea", PlaybackMode.SIGNED, "s3") == again
