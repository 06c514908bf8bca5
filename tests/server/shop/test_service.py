"""Products, sessions and snapshots through the service."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from overlay.scene import Money
from overlay.tiles import check
from server.channel import Sequences
from server.errors import Invalid, NotFound, TooLarge, Unavailable
from server.shop.catalogue import IMAGE_PATH
from server.shop.draft import Draft, parse
from server.shop.feeds import Format
from server.shop.port import LiveSession
from server.shop.service import Shop
from server.store.port import Change, NewProduct
from tests.helpers.scripted_stage import FRAME_MS
from tests.server.shop.conftest import NOW, QUICK, Room, product


def png(side: int = 20, shade: int = 200) -> bytes:
    out = io.BytesIO()
    Pillow.fromarray(np.full((side, side, 3), shade, np.uint8)).save(out, "PNG")
    return out.getvalue()


async def put(room: Room, name: str, **changes: object) -> Change:
    done = await room.shop.put_product("tea", Draft(product(name, **changes)), "operator")
    return done.change


async def test_listeners_hear_of_real_changes_only(room: Room) -> None:
    assert await put(room, "a") is Change.CREATED
    assert await put(room, "a") is Change.UNCHANGED
    assert await put(room, "a", title="New") is Change.UPDATED
    told = await room.told("product")
    assert [(e.data["title"], e.data["revision"]) for e in told] == [("Title a", 1), ("New", 2)]


async def test_a_change_while_pinned_is_a_new_interval(room: Room) -> None:
    await room.put("a")
    await room.go_live()
    pin = await room.pin("a")
    room.stage.now = NOW + 4_000
    await put(room, "a", price=Money(990, "EUR"))
    old, new = (await room.shop.timeline("tea")).intervals
    assert (old.id, old.end, old.revision) == (pin.id, NOW + 4_000 + FRAME_MS, 1)
    assert (new.start, new.end, new.revision, new.slot) == (old.end, None, 2, old.slot)
    assert new.id != old.id, "nothing changes under an id"
    assert [card.price for card in room.on_screen()] == [Money(990, "EUR")]
    assert [item.end_ms for item in room.stage.ranges] == [old.end, None]


async def test_a_change_of_stock_leaves_the_card_alone(room: Room) -> None:
    await room.put("a")
    await room.go_live()
    pin = await room.pin("a")
    scenes = len(room.stage.scenes)
    await put(room, "a", stock=3)
    assert [item.id for item in await room.shop.pins("tea")] == [pin.id]
    assert len(room.stage.scenes) == scenes
    (told,) = await room.told("stock")
    assert told.data == {"product_id": "a", "stock": 3, "availability": "in_stock"}


async def test_a_pinned_product_keeps_a_card_that_can_be_drawn(room: Room) -> None:
    await room.put("a")
    await room.go_live()
    pin = await room.pin("a")
    with pytest.raises(Invalid, match="U\\+10A60"):
        await put(room, "a", title="Tea \U00010a60")
    assert (await room.shop.product("tea", "a")).title == "Title a"
    assert [item.id for item in await room.shop.pins("tea")] == [pin.id]


async def test_removing_a_product_ends_its_pin(room: Room) -> None:
    await room.put("a")
    await room.go_live()
    await room.pin("a")
    await room.shop.remove_product("tea", "a", "operator")
    assert await room.shop.pins("tea") == ()
    assert room.on_screen() == ()
    assert (await room.told("product"))[-1].data == {"id": "a", "removed": True}
    with pytest.raises(NotFound):
        await room.shop.remove_product("tea", "a", "operator")


async def test_a_picture_goes_into_the_card_and_has_its_own_url(room: Room) -> None:
    await room.put("a")
    done = await room.shop.put_image("tea", "a", png(), "operator")
    name = done.product.image.removeprefix(IMAGE_PATH)
    stored = await room.shop.image(name)
    assert stored is not None
    assert stored.content_type == "image/jpeg"
    again = await room.shop.put_image("tea", "a", png(), "operator")
    assert again.change is Change.UNCHANGED
    await room.go_live()
    await room.pin("a")
    assert room.on_screen()[0].image == stored.data
    await room.shop.put_image("tea", "a", png(shade=9), "operator")
    assert room.on_screen()[0].image != stored.data, "a new picture is a new card"
    with pytest.raises(NotFound):
        await room.shop.put_image("tea", "nothing", png(), "operator")


async def test_what_get_gave_can_be_put_back(room: Room) -> None:
    data = base64.b64encode(png()).decode()
    fields = {"id": "a", "title": "A", "price": "1 EUR", "image": f"data:image/png;base64,{data}"}
    made = await room.shop.put_product("tea", parse(fields), "operator")
    assert made.product.image.startswith(IMAGE_PATH)
    back = {**fields, "image": made.product.image, "revision": 1}
    assert (await room.shop.put_product("tea", parse(back), "x")).change is Change.UNCHANGED
    silent = {name: value for name, value in fields.items() if name != "image"}
    assert (await room.shop.put_product("tea", parse(silent), "x")).change is Change.UNCHANGED
    strange = {**fields, "image": f"{IMAGE_PATH}{'0' * 64}.jpg"}
    with pytest.raises(Invalid, match="not stored here"):
        await room.shop.put_product("tea", parse(strange), "x")


async def test_a_linked_picture_is_for_pages_and_the_card_goes_without(room: Room) -> None:
    await put(room, "a", image="https://shop.example/a.jpg")
    await room.go_live()
    await room.pin("a")
    assert room.on_screen()[0].image is None


async def test_an_import_takes_the_good_rows_and_explains_the_bad(
    room: Room, tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(png())
    (tmp_path / "notes.txt").write_text("no picture")
    rows = [
        "id,title,price,image",
        "a,Tea,12.90 EUR,a.png",
        "b,Cup,1 EUR,../a.png",
        "c,,1 EUR,",
        "d,Pot,1 EUR,notes.txt",
        "e,Spoon,3 EUR,",
    ]
    feed = "\n".join(rows).encode()
    folder = tmp_path / "."
    done = await room.shop.import_feed("tea", feed, Format.CSV, "operator", folder)
    assert (done.imported, done.updated, done.unchanged) == (2, 0, 0)
    assert [item.line for item in done.rejected] == [3, 4, 5]
    reasons = [item.reason for item in done.rejected]
    assert "cannot be read" in reasons[0] or "own folder" in reasons[0]
    assert "title: must not be empty" in reasons[1] or "title: is missing" in reasons[1]
    assert "not a whole JPEG, PNG or WebP" in reasons[2]
    assert (await room.shop.product("tea", "a")).image.startswith(IMAGE_PATH)
    again = await room.shop.import_feed("tea", feed, Format.CSV, "operator", folder)
    assert (again.imported, again.updated, again.unchanged) == (0, 0, 2)


@pytest.mark.parametrize("kind", list(Format))
async def test_an_id_is_taken_by_the_first_good_row_only(room: Room, kind: Format) -> None:
    rows = [
        {"id": "a", "title": title, "price": "1 EUR", "image": image}
        for title, image in (("Bad", "none.png"), ("Good", ""), ("Again", ""))
    ]
    feed = json.dumps(rows)
    if kind is Format.CSV:
        lines = (",".join(each) for each in (list(rows[0]), *(row.values() for row in rows)))
        feed = "\n".join(lines)
    done = await room.shop.import_feed("tea", feed.encode(), kind, "operator")
    assert (done.imported, len(done.rejected)) == (1, 2)
    assert done.rejected[0].reason.startswith("image: ")
    where = "line 3" if kind is Format.CSV else "item 2"
    assert done.rejected[1].reason == f"id: 'a' is already in {where}"
    assert (await room.shop.product("tea", "a")).title == "Good"


async def test_over_http_no_file_is_read(room: Room) -> None:
    feed = json.dumps([{"id": "a", "title": "A", "price": "1 EUR", "image": "/etc/passwd"}])
    done = await room.shop.import_feed("tea", feed.encode(), Format.JSON, "anchor:tea")
    assert "beside the feed" in done.rejected[0].reason


@pytest.mark.parametrize("name", ["../secret.png", "/etc/hostname", "link.png", "inner", ""])
async def test_a_picture_outside_the_feeds_folder_stays_there(
    room: Room, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "feed"
    (folder / "inner").mkdir(parents=True)
    (tmp_path / "secret.png").write_bytes(png())
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    feed = json.dumps([{"id": "a", "title": "A", "price": "1 EUR", "image": name}]).encode()
    done = await room.shop.import_feed("tea", feed, Format.JSON, "operator", folder)
    if name:
        assert done.imported == 0
        assert done.rejected[0].reason.startswith("image: ")
    else:
        assert done.imported == 1, "an empty name is no picture"


async def test_a_large_import_is_told_in_one_word(room: Room) -> None:
    rows = [{"id": f"p{n}", "title": "T", "price": "1 EUR"} for n in range(40)]
    await room.shop.import_feed("tea", json.dumps(rows).encode(), Format.JSON, "operator")
    assert [dict(event.data) for event in await room.told("product")] == [
        {"reload": True, "changed": 40}
    ]
    more = [{"id": f"q{n}", "title": "T", "price": "1 EUR"} for n in range(11)]
    with pytest.raises(TooLarge):
        await room.shop.import_feed("tea", json.dumps(more).encode(), Format.JSON, "operator")


async def test_the_end_of_a_session_closes_every_pin(room: Room) -> None:
    await room.put("a", "b")
    await room.go_live()
    await room.pin("a")
    room.stage.prompt = False
    await room.pin("b")
    await room.shop.session_ended("tea", "other", NOW + 1_000)
    assert len(await room.shop.pins("tea")) == 2, "another session's end is not ours"
    await room.shop.session_ended("tea", "s1", NOW + 9_000)
    room.stage.live = None
    snapshot = await room.shop.timeline("tea")
    assert snapshot.session is not None
    assert snapshot.session.ended_ms == NOW + 9_000
    assert [(item.end, item.end_exact) for item in snapshot.intervals] == [(NOW + 9_000, True)] * 2
    assert [item.end_ms for item in room.stage.ranges] == [NOW + 9_000], "never drawn, never told"
    assert await room.shop.pins("tea") == ()


async def test_a_new_session_starts_with_an_empty_stage(room: Room) -> None:
    await room.put("a")
    await room.go_live()
    await room.pin("a")
    await room.shop.session_started("tea", "s2", NOW + 10_000)
    room.stage.live = LiveSession("s2", NOW + 10_000)
    assert await room.shop.pins("tea") == ()
    assert (await room.shop.timeline("tea")).intervals == ()


async def test_after_a_crash_the_open_pins_end_where_the_media_did(room: Room) -> None:
    await room.put("a")
    await room.go_live()
    pin = await room.pin("a")
    await room.store.save_sequences("tea", Sequences(30, 1, NOW + 7_000))
    room.stage.live = None
    again = Shop(room.store, room.bus, room.stage, room.clock, check, QUICK)
    await again.recover()
    snapshot = await again.timeline("tea")
    assert [(item.id, item.end, item.end_exact) for item in snapshot.intervals] == [
        (pin.id, NOW + 7_000, True)
    ]
    assert snapshot.session is not None
    assert snapshot.session.ended_ms == NOW + 7_000


async def test_a_session_that_goes_on_after_a_restart_keeps_its_pins(room: Room) -> None:
    await room.put("kept", "changed", "gone")
    await room.go_live()
    pins = {name: await room.pin(name) for name in ("kept", "changed", "gone")}
    before = room.stage.ranges
    room.stage.scenes.clear()
    room.stage.ranges = ()
    await room.store.remove_product("tea", "gone")
    cheaper = replace(product("changed"), price=Money(1, "EUR"))
    await room.store.put_products("tea", [NewProduct(cheaper)], 50)

    again = Shop(room.store, room.bus, room.stage, room.clock, check, QUICK)
    room.stage.now = NOW + 5_000
    await again.recover({"s1"})
    found = {item.product_id: item for item in await again.pins("tea")}
    assert found.keys() == {"kept", "changed"}
    assert found["kept"] == pins["kept"]
    assert found["changed"].id != pins["changed"].id
    assert {card.id for card in room.on_screen()} == {item.id for item in found.values()}
    assert before[0] in room.stage.ranges
    snapshot = await again.timeline("tea")
    assert snapshot.session is not None
    assert snapshot.session.ended_ms is None
    await again.close()


async def test_a_product_that_can_be_drawn_no_more_does_not_keep_the_server_from_starting(
    room: Room,
) -> None:
    await room.put("kept", "odd")
    await room.go_live()
    kept = await room.pin("kept")
    await room.pin("odd")
    # As a command does that is given while no server runs: nobody judges the card.
    odd = replace(product("odd"), title="\u0e0a\u0e32")
    await room.store.put_products("tea", [NewProduct(odd)], 50)
    again = Shop(room.store, room.bus, room.stage, room.clock, check, QUICK)
    await again.recover({"s1"})
    assert [item.id for item in await again.pins("tea")] == [kept.id]
    assert [card.id for card in room.on_screen()] == [kept.id]
    await again.close()


async def test_a_session_whose_end_was_not_kept_is_ended_by_the_next(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    await room.go_live("s1")
    close = room.store.close_session

    async def away(*_: object) -> tuple[()]:
        raise Unavailable("The store is away.")

    monkeypatch.setattr(room.store, "close_session", away)
    with pytest.raises(Unavailable):
        await room.shop.session_ended("tea", "s1", NOW)
    monkeypatch.setattr(room.store, "close_session", close)
    await room.go_live("s2")
    assert [session.id for _, session in await room.store.unfinished_sessions()] == ["s2"]


async def test_a_snapshot_is_the_asked_part_with_products_as_they_are_now(room: Room) -> None:
    empty = await room.shop.timeline("tea")
    assert (empty.session, empty.intervals, empty.seq) == (None, (), 0)
    await room.put("a", "b")
    await room.go_live()
    first = await room.pin("a")
    room.stage.now = NOW + 10_000
    await room.shop.unpin("tea", first.id, "x")
    second = await room.pin("b")
    await put(room, "b", stock=1)
    whole = await room.shop.timeline("tea")
    assert [item.id for item in whole.intervals] == [first.id, second.id]
    assert whole.products["b"].stock == 1
    assert [event.seq for event in whole.events] == list(range(1, 7))
    assert whole.seq == 6
    early = await room.shop.timeline("tea", until=NOW + 5_000)
    assert [item.id for item in early.intervals] == [first.id]
    late = await room.shop.timeline("tea", since=NOW + 10_000 + FRAME_MS)
    assert [item.id for item in late.intervals] == [second.id]
    with pytest.raises(NotFound):
        await room.shop.timeline("coffee")


async def test_nothing_is_lost_between_snapshot_and_events(room: Room) -> None:
    await room.put("a")
    await room.go_live()
    snapshot = await room.shop.timeline("tea")
    pin = await room.pin("a")
    async with room.bus.subscribe("tea", snapshot.cursor) as events:
        event = await events.next(0)
        assert event is not None
        assert event.data["intervals"][0]["id"] == pin.id  # type: ignore[index]


async def test_a_removed_channel_is_let_go(room: Room) -> None:
    await room.put("a")
    await room.go_live()
    await room.pin("a")
    await room.store.remove_channel("tea")
    await room.shop.forget("tea")
    with pytest.raises(NotFound):
        await room.shop.pins("tea")
