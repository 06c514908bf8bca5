"""Pins through the service: on a real store and bus, before a directed stage."""

from __future__ import annotations

import asyncio

import pytest

from server.errors import Conflict, Invalid, NotFound
from server.shop.draft import Draft
from server.shop.pins import PinRequest
from server.shop.timeline import Anchor
from tests.helpers.eventually import eventually
from tests.helpers.manual_clock import START_MS
from tests.helpers.scripted_stage import FRAME_MS, RECT
from tests.server.shop.conftest import NOW, Room, product


async def test_a_pin_begins_at_the_frame_that_the_worker_drew(room: Room) -> None:
    await room.put("a")
    await room.go_live()
    pin = await room.pin("a")
    assert (pin.t_media, pin.start, pin.end) == (NOW, NOW + FRAME_MS, None)
    assert pin.start_exact
    assert not pin.late
    assert pin.rect == RECT
    assert (pin.product_id, pin.revision, pin.slot) == ("a", 1, 0)
    at, scene = room.stage.scenes[-1]
    assert at == NOW
    assert [card.id for card in scene.cards] == [pin.id]


async def test_an_unpin_ends_it_at_the_frame_without_it(room: Room) -> None:
    await room.put("a")
    await room.go_live()
    pin = await room.pin("a")
    room.stage.now = NOW + 5_000
    ended = await room.shop.unpin("tea", pin.id, "anchor:tea")
    assert (ended.end, ended.end_exact) == (NOW + 5_000 + FRAME_MS, True)
    assert room.on_screen() == ()
    room.stage.now = NOW + 9_000
    assert await room.shop.unpin("tea", pin.id, "anchor:tea") == ended
    assert await room.shop.pins("tea") == ()


async def test_the_playlists_hear_of_exact_facts_only(room: Room) -> None:
    await room.put("a")
    await room.go_live()
    room.stage.prompt = False
    pin = await room.pin("a")
    assert not pin.start_exact
    assert not room.stage.ranges, "an expected start could change under its id"
    room.stage.draw(NOW + 2_500)
    await eventually(lambda: bool(room.stage.ranges))
    (begun,) = room.stage.ranges
    assert (begun.id, begun.start_ms, begun.end_ms) == (f"pin-{pin.id}", NOW + 2_500, None)
    assert begun.planned_ms > 0
    assert dict(begun.attributes) == {"X-VITRINE-PRODUCT": "a", "X-VITRINE-REV": 1}
    room.stage.now = NOW + 5_000
    await room.shop.unpin("tea", pin.id, "anchor:tea")
    assert room.stage.ranges == (begun,), "the end is not known yet"
    room.stage.draw(NOW + 5_100)
    await eventually(lambda: room.stage.ranges[0].end_ms == NOW + 5_100)
    assert room.stage.ranges[0].start_ms == begun.start_ms


async def test_late_news_corrects_what_listeners_know(room: Room) -> None:
    await room.put("a")
    await room.go_live()
    room.stage.prompt = False
    pin = await room.pin("a")
    (expected,) = await room.told("timeline")
    room.stage.draw(NOW + 700)
    event = await room.events.next(5)
    assert event is not None
    first, second = (e.data["intervals"][0] for e in (expected, event))  # type: ignore[index]
    assert (first["id"], first["exact"], first["rect"]) == (pin.id, False, None)
    assert (second["id"], second["exact"]) == (pin.id, True)
    assert second["start"] == "2026-01-01T00:01:00.700Z"
    assert second["rect"] == {"x": 0.05, "y": 0.7, "width": 0.4, "height": 0.2}
    assert second["product"]["title"] == "Title a"


async def test_slots_are_the_lowest_free_and_three_at_most(room: Room) -> None:
    await room.put("a", "b", "c", "d")
    await room.go_live()
    pins = [await room.pin(name) for name in "abc"]
    assert [pin.slot for pin in pins] == [0, 1, 2]
    with pytest.raises(Conflict) as caught:
        await room.pin("d")
    assert caught.value.code == "pins-full"
    await room.shop.unpin("tea", pins[1].id, "anchor:tea")
    assert (await room.pin("d")).slot == 1
    assert {card.slot: card.title for card in room.on_screen()} == {
        0: "Title a",
        1: "Title d",
        2: "Title c",
    }


async def test_pins_at_once_are_taken_one_after_the_other(room: Room) -> None:
    await room.put("a", "b", "c", "d", "e")
    await room.go_live()
    done = await asyncio.gather(*(room.pin(name) for name in "abcde"), return_exceptions=True)
    pins = [item for item in done if not isinstance(item, BaseException)]
    refused = [item for item in done if isinstance(item, Conflict)]
    assert sorted(pin.slot for pin in pins) == [0, 1, 2]
    assert [error.code for error in refused] == ["pins-full", "pins-full"]


async def test_the_same_product_twice_is_a_conflict(room: Room) -> None:
    await room.put("a")
    await room.go_live()
    await room.pin("a")
    with pytest.raises(Conflict) as caught:
        await room.pin("a")
    assert caught.value.code == "already-pinned"


async def test_offline_says_what_to_do(room: Room) -> None:
    await room.put("a")
    with pytest.raises(Conflict, match="start streaming") as caught:
        await room.pin("a")
    assert caught.value.code == "offline"
    await room.go_live()
    room.stage.now = None
    with pytest.raises(Conflict, match="No picture") as caught:
        await room.pin("a")
    assert caught.value.code == "offline"


async def test_what_does_not_exist_cannot_be_pinned(room: Room) -> None:
    await room.go_live()
    with pytest.raises(NotFound):
        await room.pin("nothing")
    with pytest.raises(NotFound):
        await room.shop.unpin("tea", "nothing", "x")
    with pytest.raises(NotFound):
        await room.shop.pin("coffee", PinRequest("a"), "x")


async def test_a_missing_glyph_is_named_and_nothing_is_written(room: Room) -> None:
    await room.shop.put_product("tea", Draft(product("a", title="Tea \U00010a60")), "x")
    await room.go_live()
    with pytest.raises(Invalid, match="U\\+10A60"):
        await room.pin("a")
    assert (await room.shop.timeline("tea")).intervals == ()
    assert room.stage.scenes == []


async def test_seen_in_the_past_is_late_but_drawn_now(room: Room) -> None:
    await room.put("a", "b")
    await room.go_live()
    gone = await room.pin("b")
    await room.shop.unpin("tea", gone.id, "x")
    room.stage.now = NOW + 3_000
    pin = await room.shop.pin("tea", PinRequest("a", Anchor.SEEN, NOW + 10), "x")
    assert pin.late
    assert (pin.t_media, pin.start) == (NOW + 10, NOW + 3_000 + FRAME_MS)
    at, scene = room.stage.scenes[-1]
    assert at == NOW + 3_000
    assert [card.id for card in scene.cards] == [pin.id], "what has ended does not come back"
    assert room.stage.ranges[-1].start_ms == pin.start


async def test_a_pin_ahead_waits_for_its_instant(room: Room) -> None:
    await room.put("a", "b")
    await room.go_live()
    ahead = await room.shop.pin("tea", PinRequest("a", Anchor.AT, NOW + 30_000), "x")
    assert (ahead.start, ahead.start_exact, ahead.late) == (NOW + 30_000, False, False)
    now = await room.pin("b")
    first, second = room.stage.scenes[-2:]
    assert (first[0], [card.id for card in first[1].cards]) == (NOW, [now.id])
    assert (second[0], [card.id for card in second[1].cards]) == (NOW + 30_000, [ahead.id, now.id])
    room.stage.now = NOW + 30_100
    room.stage.draw(NOW + 30_000)
    await eventually(lambda: len(room.stage.ranges) == 2)
    pins = {pin.id: pin for pin in await room.shop.pins("tea")}
    assert pins[ahead.id].start_exact
    assert pins[now.id].start == NOW + FRAME_MS, "an exact start stays"


async def test_a_pin_ahead_can_be_taken_back(room: Room) -> None:
    await room.put("a")
    await room.go_live()
    ahead = await room.shop.pin("tea", PinRequest("a", Anchor.AT, NOW + 30_000), "x")
    await room.shop.unpin("tea", ahead.id, "x")
    at, scene = room.stage.scenes[-1]
    assert (at, scene.cards) == (NOW, ()), "replaces what was staged for later"
    assert (await room.shop.timeline("tea")).intervals == ()
    assert not room.stage.ranges


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        pytest.param(PinRequest("a", Anchor.NOW, NOW), "goes with", id="now-with-an-instant"),
        pytest.param(PinRequest("a", Anchor.SEEN), "is needed", id="seen-without"),
        pytest.param(PinRequest("a", Anchor.AT, START_MS - 11_000), "before", id="before-start"),
        pytest.param(PinRequest("a", Anchor.AT, NOW + 600_001), "ahead", id="too-far-ahead"),
    ],
)
async def test_an_instant_that_makes_no_sense(
    room: Room, request_: PinRequest, problem: str
) -> None:
    await room.put("a")
    await room.go_live()
    with pytest.raises(Invalid, match=problem) as caught:
        await room.shop.pin("tea", request_, "x")
    assert caught.value.problems[0].field == "t_media"


async def test_a_card_left_out_is_told_and_not_claimed(room: Room) -> None:
    await room.put("a")
    await room.go_live()
    room.stage.problems = ("picture broken",)
    pin = await room.pin("a")
    assert not pin.start_exact
    assert not room.stage.ranges
    assert [event.data.get("problems") for event in await room.told("timeline")] == [
        None,
        ["picture broken"],
    ]


async def test_a_card_that_the_page_draws_needs_no_worker(page_room: Room) -> None:
    await page_room.put("a", "b")
    await page_room.go_live()
    pin = await page_room.pin("a")
    assert (pin.start, pin.start_exact, pin.rect) == (NOW, True, None)
    late = await page_room.shop.pin("tea", PinRequest("b", Anchor.SEEN, NOW - 4_000), "x")
    assert (late.start, late.late) == (NOW - 4_000, True)
    assert page_room.stage.scenes == []
    assert [item.id for item in page_room.stage.ranges] == [f"pin-{pin.id}"], "late: JSON only"


async def test_a_pin_remembers_what_its_card_asked_for(room: Room) -> None:
    await room.put("a")
    await room.go_live()
    pin = await room.pin("a")
    sold = await room.shop.product("tea", "a")
    (written, *_) = await room.store.events("tea", "s1")
    assert (pin.price, pin.sale_price) == (sold.price, sold.sale_price)
    assert (written.price, written.sale_price) == (sold.price, sold.sale_price)
