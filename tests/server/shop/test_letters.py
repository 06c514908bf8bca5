"""Webhook messages of sessions and pins, stored with what they tell of."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from overlay.tiles import check
from server.errors import Conflict
from server.shop.draft import Draft
from server.shop.service import Shop
from server.webhooks.message import Endpoint
from server.webhooks.writer import Writer
from tests.helpers.hook import SECRET
from tests.server.shop.conftest import NOW, QUICK, Room, product

SHOP = Endpoint("https://shop.example/hook", SECRET)
PINS_ONLY = Endpoint("https://pins.example/hook", SECRET, ("product.*",))


@pytest.fixture
async def told(room: Room) -> Room:
    """The room, with a shop that writes to two endpoints."""
    await room.shop.close()
    write = Writer([SHOP, PINS_ONLY], room.clock)
    shop = Shop(room.store, room.bus, room.stage, room.clock, check, QUICK, write)
    return replace(room, shop=shop)


async def posted(room: Room, endpoint: Endpoint = SHOP) -> list[tuple[str, Any]]:
    waiting = await room.store.outbox(endpoint.url, 2**60, 100)
    events = [json.loads(item.message.body) for item in waiting]
    assert [event["type"] for event in events] == [item.message.kind for item in waiting]
    return [(event["type"], event["data"]) for event in events]


async def test_a_whole_show_is_told_in_order(told: Room) -> None:
    await told.put("a")
    await told.go_live()
    pin = await told.pin("a")
    told.stage.now = NOW + 5_000
    await told.shop.unpin("tea", pin.id, "anchor:tea")
    await told.shop.unpin("tea", pin.id, "anchor:tea")
    await told.shop.session_ended("tea", "s1", NOW + 9_000)
    await told.shop.session_ended("tea", "s1", NOW + 9_000)
    events = await posted(told)
    assert [kind for kind, _ in events] == [
        "stream.started", "product.pinned", "product.unpinned", "stream.ended",
    ]  # fmt: skip
    assert {(data["channel"], data["session"]) for _, data in events} == {("tea", "s1")}
    started, pinned, unpinned, ended = [data for _, data in events]
    assert pinned["product"]["price"] == {"amount": 1290, "currency": "EUR"}
    assert (pinned["pin"], pinned["product_id"], pinned["revision"]) == (pin.id, "a", 1)
    assert unpinned["pin"] == pin.id
    times = [data["at"] for data in (started, pinned, unpinned, ended)]
    assert times == sorted(times)
    assert [kind for kind, _ in await posted(told, PINS_ONLY)] == [
        "product.pinned", "product.unpinned",
    ]  # fmt: skip


async def test_the_same_event_has_one_id_for_all(told: Room) -> None:
    await told.put("a")
    await told.go_live()
    await told.pin("a")
    everything = await told.store.outbox(SHOP.url, 2**60, 100)
    pins = await told.store.outbox(PINS_ONLY.url, 2**60, 100)
    assert {item.message.id for item in pins} < {item.message.id for item in everything}


async def test_pins_end_with_their_session_and_are_told_so(told: Room) -> None:
    await told.put("a", "b")
    await told.go_live()
    await told.pin("a")
    await told.pin("b")
    await told.shop.session_ended("tea", "s1", NOW + 9_000)
    kinds = [kind for kind, _ in await posted(told)]
    assert kinds.count("product.unpinned") == 2
    assert kinds[-1] == "stream.ended"


async def test_what_was_refused_is_not_told(told: Room) -> None:
    await told.put("a")
    await told.go_live()
    await told.pin("a")
    with pytest.raises(Conflict):
        await told.pin("a")
    assert [kind for kind, _ in await posted(told)].count("product.pinned") == 1


async def test_a_changed_product_is_told_with_its_new_price(told: Room) -> None:
    await told.put("a")
    await told.go_live()
    await told.pin("a")
    changed = product("a", title="New")
    await told.shop.put_product("tea", Draft(changed), "operator")
    kinds = [(kind, data.get("product", {}).get("title")) for kind, data in await posted(told)]
    assert kinds[1:] == [
        ("product.pinned", "Title a"), ("product.unpinned", None), ("product.pinned", "New"),
    ]  # fmt: skip


async def test_what_a_crash_left_open_is_told_at_the_next_start(told: Room) -> None:
    await told.put("a")
    await told.go_live()
    await told.pin("a")
    told.stage.live = None
    write = Writer([SHOP], told.clock)
    again = Shop(told.store, told.bus, told.stage, told.clock, check, QUICK, write)
    await again.recover()
    kinds = [kind for kind, _ in await posted(told)]
    assert kinds[-2:] == ["product.unpinned", "stream.ended"]
    await again.recover()
    assert len(await posted(told)) == len(kinds)


async def test_an_interruption_leaves_the_pins(told: Room) -> None:
    await told.put("a")
    await told.go_live()
    pin = await told.pin("a")
    await told.shop.session_interrupted("tea", "s1", NOW)
    await told.shop.session_resumed("tea", "s1", NOW + 8_000)
    assert [item.id for item in await told.shop.pins("tea")] == [pin.id]
