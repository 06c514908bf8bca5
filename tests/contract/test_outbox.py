"""What every store must do with webhook messages. Run on each of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from server.channel import Channel, OverlaySettings, Session
from server.errors import NotFound
from server.shop.timeline import Event, EventKind
from server.store import port
from server.store.port import Store
from server.webhooks.message import Message, Waiting
from tests.contract.conftest import Reopen

SHOP, BOOKS = "https://shop.example/hook", "https://books.example/hook"
NOW = 1_000_000


def message(name: str, endpoint: str = SHOP, made_ms: int = NOW) -> Message:
    return Message(name, endpoint, "stream.started", b'{"a":"\xc3\xa4"}', made_ms)


async def names(store: Store, endpoint: str = SHOP, now_ms: int = NOW, limit: int = 99) -> str:
    return "".join(w.message.id for w in await store.outbox(endpoint, now_ms, limit))


async def add(store: Store) -> None:
    await store.add_channel(Channel("tea", "Tea", "default", OverlaySettings(), 1), (), 10)


async def test_what_is_posted_is_kept_whole_until_it_is_delivered(
    store: Store, reopen: Reopen
) -> None:
    await store.post([message("a"), message("a", BOOKS), message("b")])
    other = await reopen()
    assert await other.outbox(SHOP, NOW, 99) == (
        Waiting(message("a"), 0),
        Waiting(message("b"), 0),
    )
    assert await other.outbox(SHOP, NOW - 1, 99) == ()
    await other.delivered(message("a"))
    await other.delivered(message("a"))
    assert (await names(store), await names(store, BOOKS)) == ("b", "a")


async def test_a_message_is_posted_once(store: Store) -> None:
    await store.post([message("a")])
    await store.put_off(message("a"), 3, NOW + 5)
    await store.post([message("a")])
    assert await store.outbox(SHOP, NOW + 5, 1) == (Waiting(message("a"), 3),)


async def test_what_is_put_off_comes_when_it_is_due_behind_what_is_due_longer(
    store: Store,
) -> None:
    await store.post([message("a"), message("b", made_ms=NOW + 1), message("c", made_ms=NOW + 2)])
    await store.put_off(message("a"), 1, NOW + 10)
    assert await names(store, now_ms=NOW + 9) == "bc"
    assert await names(store, now_ms=NOW + 10) == "bca"
    assert await names(store, now_ms=NOW + 10, limit=2) == "bc"


async def test_messages_to_former_endpoints_are_dropped(store: Store) -> None:
    await store.post([message("a"), message("b"), message("a", BOOKS)])
    assert await store.clear_outbox([BOOKS]) == 2
    assert (await names(store), await names(store, BOOKS)) == ("", "a")
    assert await store.clear_outbox([]) == 1


async def test_an_endpoint_that_never_answers_does_not_fill_the_store(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("server.store.port", "server.store.outbox"):
        monkeypatch.setattr(f"{module}.MOST_WAITING", 3)
    assert port.MOST_WAITING == 3
    await store.post([message("x", BOOKS)])
    for number, name in enumerate("abcde"):
        await store.post([message(name, made_ms=NOW + number)])
    assert await names(store, now_ms=NOW + 9) == "cde"
    assert await names(store, BOOKS) == "x"


async def test_a_session_and_its_message_are_one_step(store: Store) -> None:
    await add(store)
    for name in ("a", "again"):
        await store.open_session("tea", Session("s1", 1), [message(name)])
    assert await names(store) == "a", "begun once, told once"
    for name in ("b", "again"):
        await store.close_session("tea", "s1", 2, [], [message(name)])
    assert await names(store) == "ab"
    with pytest.raises(NotFound):
        await store.open_session("coffee", Session("s", 1), [message("lost")])
    assert await names(store) == "ab"


async def test_an_end_is_told_though_the_channel_is_gone(store: Store) -> None:
    await add(store)
    await store.open_session("tea", Session("s1", 1))
    await store.remove_channel("tea")
    await store.close_session("tea", "s1", 2, [], [message("end")])
    assert await names(store) == "end"


async def test_events_and_their_messages_are_one_step(store: Store) -> None:
    event = Event("e", EventKind.PIN, "pin", "cup", 1, 5, 6, "anchor")
    await add(store)
    await store.open_session("tea", Session("s1", 1))
    (kept,) = await store.append("tea", "s1", [event], [message("a")])
    assert kept == replace(event, seq=1)
    with pytest.raises(NotFound):
        await store.append("coffee", "s1", [event], [message("lost")])
    assert await names(store) == "a"
