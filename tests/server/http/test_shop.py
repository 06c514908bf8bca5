"""The shop over HTTP: products, pictures, imports, pins, the timeline."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import pytest
import structlog
from PIL import Image

from server.http import idempotency
from tests.helpers.eventually import eventually
from tests.server.running import Client

SHOP = "/api/v1/channels/tea"
CUP = {"title": "Cup", "price": {"amount": 1290, "currency": "EUR"}}


def a_picture(side: int = 32) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((side, side)).convert("RGB").save(out, "PNG")
    return out.getvalue()


async def put(site: Client, name: str, **fields: Any) -> Any:
    answer = await site.ask("PUT", f"{SHOP}/products/{name}", json={**CUP, **fields})
    assert answer.status in (200, 201), answer.body
    return answer.json()


async def test_a_product_is_put_read_and_removed(site: Client) -> None:
    await site.channel()
    made = await site.ask("PUT", f"{SHOP}/products/cup", json=CUP)
    assert made.status == 201
    again = await site.ask("PUT", f"{SHOP}/products/cup", json=CUP)
    assert again.status == 200
    assert again.json() == made.json()
    changed = await put(site, "cup", sale_price={"amount": 990, "currency": "EUR"})
    assert changed["revision"] > made.json()["revision"]
    read = (await site.ask("GET", f"{SHOP}/products/cup", token=None)).json()
    assert read["price"] == {"amount": 1290, "currency": "EUR"}
    assert (await site.ask("DELETE", f"{SHOP}/products/cup")).status == 204
    assert (await site.ask("GET", f"{SHOP}/products/cup", token=None)).status == 404


async def test_every_wrong_field_of_a_product_is_named(site: Client) -> None:
    await site.channel()
    body = {"price": {"amount": -1, "currency": "EUR"}, "stock": "many", "colour": "red"}
    refused = await site.ask("PUT", f"{SHOP}/products/cup", json=body)
    assert refused.status == 422
    assert {e["field"] for e in refused.json()["errors"]} >= {"title", "price", "stock", "colour"}


async def test_bodies_that_are_no_json_object_are_refused(site: Client) -> None:
    await site.channel()
    for body in (b"{", b"[]", b"\xff\xfe", b"[" * 60_000):
        refused = await site.ask("PUT", f"{SHOP}/products/cup", data=body)
        assert refused.status == 422, body[:10]
        assert refused.json()["errors"][0]["field"] == "body"


async def test_products_are_paged_and_tagged(site: Client) -> None:
    await site.channel()
    for name in ("b", "a", "c"):
        await put(site, name)
    first = await site.ask("GET", f"{SHOP}/products?limit=2", token=None)
    assert [item["id"] for item in first.json()["items"]] == ["a", "b"]
    assert first.json()["next"] == "b"
    headers = {"If-None-Match": first.headers["ETag"]}
    same = await site.ask("GET", f"{SHOP}/products?limit=2", token=None, headers=headers)
    assert (same.status, same.body) == (304, b"")
    assert (await site.ask("GET", f"{SHOP}/products?limit=0", token=None)).status == 422


async def test_a_picture_is_served_for_ever_under_its_own_name(site: Client) -> None:
    await site.channel()
    await put(site, "cup")
    done = await site.ask("PUT", f"{SHOP}/products/cup/image", data=a_picture())
    assert done.status == 200, done.body
    path = done.json()["image"]
    picture = await site.ask("GET", path, token=None)
    assert picture.status == 200
    assert picture.headers["Content-Type"].startswith("image/")
    assert "immutable" in picture.headers["Cache-Control"]
    with Image.open(io.BytesIO(picture.body)) as opened:
        assert opened.size == (32, 32)
    headers = {"If-None-Match": picture.headers["ETag"]}
    assert (await site.ask("GET", path, token=None, headers=headers)).status == 304
    assert (await site.ask("GET", "/images/none.jpg", token=None)).status == 404


async def test_what_is_no_picture_is_refused(site: Client) -> None:
    await site.channel()
    await put(site, "cup")
    refused = await site.ask("PUT", f"{SHOP}/products/cup/image", data=b"<svg/>")
    assert refused.status == 422


async def test_a_body_over_its_limit_is_413_announced_or_not(site: Client) -> None:
    await site.channel()
    limit = site.server.config.server.max_image_bytes
    path = f"{SHOP}/products/cup/image"
    announced = await site.ask("PUT", path, data=io.BytesIO(bytes(limit + 1)))

    async def unannounced() -> Any:
        for _ in range(limit // 65536 + 2):
            yield bytes(65536)

    piecemeal = await site.ask("PUT", path, data=unannounced())
    for refused in (announced, piecemeal):
        assert refused.status == 413
        assert refused.json()["limit"] == limit


async def test_an_import_takes_the_good_rows_and_names_the_bad(site: Client) -> None:
    await site.channel()
    feed = b"id,title,price\ncup,Cup,12.90 EUR\npot,,9 EUR\njar,Jar,5 EUR\n"
    done = await site.ask("POST", f"{SHOP}/products:import?format=csv", data=feed)
    assert done.status == 200
    told = done.json()
    assert (told["imported"], told["updated"]) == (2, 0)
    assert [row["line"] for row in told["rejected"]] == [3]
    again = await site.ask("POST", f"{SHOP}/products:import?format=csv", data=feed)
    assert (again.json()["imported"], again.json()["unchanged"]) == (0, 2)
    unknown = await site.ask("POST", f"{SHOP}/products:import?format=tsv", data=feed)
    assert unknown.status == 422


async def test_a_pin_needs_a_broadcast(site: Client) -> None:
    await site.channel()
    await put(site, "cup")
    refused = await site.ask("POST", f"{SHOP}/pins", json={"product_id": "cup"})
    assert (refused.status, refused.json()["code"]) == (409, "offline")
    wrong = await site.ask("POST", f"{SHOP}/pins", json={"anchor": "soon"})
    assert {e["field"] for e in wrong.json()["errors"]} == {"product_id", "anchor"}
    late = await site.ask(
        "POST", f"{SHOP}/pins", json={"product_id": "cup", "anchor": "at", "t_media": "noon"}
    )
    assert late.json()["errors"][0]["field"] == "t_media"


async def test_the_timeline_is_a_snapshot_with_a_tag(site: Client) -> None:
    await site.channel()
    first = await site.ask("GET", f"{SHOP}/timeline", token=None)
    assert first.json()["intervals"] == []
    headers = {"If-None-Match": first.headers["ETag"]}
    assert (await site.ask("GET", f"{SHOP}/timeline", token=None, headers=headers)).status == 304
    wrong = await site.ask("GET", f"{SHOP}/timeline?from=noon&to=", token=None)
    assert wrong.status == 422


async def test_a_write_sent_twice_is_done_once(site: Client) -> None:
    await site.channel()
    headers = {"Idempotency-Key": "once"}
    path = f"{SHOP}/products/cup"
    both = await asyncio.gather(
        *(site.ask("PUT", path, json=CUP, headers=headers) for _ in range(2))
    )
    assert [answer.status for answer in both] == [201, 201]
    other = await site.ask("PUT", path, json={**CUP, "title": "Mug"}, headers=headers)
    assert (other.status, other.json()["code"]) == (409, "idempotency-mismatch")
    bad = await site.ask("PUT", path, json=CUP, headers={"Idempotency-Key": "x" * 200})
    assert bad.status == 422


async def test_the_second_of_two_at_once_does_not_wait_for_ever(
    site: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    await site.channel()
    monkeypatch.setattr(idempotency, "WAIT_SECONDS", 0.05)
    begun, go_on = _slow_puts(site, monkeypatch)
    path, headers = f"{SHOP}/products/cup", {"Idempotency-Key": "once"}
    first = asyncio.create_task(site.ask("PUT", path, json=CUP, headers=headers))
    await begun.wait()
    second = await site.ask("PUT", path, json=CUP, headers=headers)
    assert (second.status, second.headers["Retry-After"]) == (503, "1")
    go_on.set()
    assert (await first).status == 201


async def test_a_write_is_finished_when_its_client_hangs_up(
    site: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    await site.channel()
    begun, go_on = _slow_puts(site, monkeypatch)
    with structlog.testing.capture_logs() as lines:
        asked = asyncio.create_task(site.ask("PUT", f"{SHOP}/products/cup", json=CUP))
        await begun.wait()
        asked.cancel()
        await eventually(lambda: any(line.get("status") == 499 for line in lines))
    go_on.set()
    async with asyncio.timeout(5):
        while (await site.ask("GET", f"{SHOP}/products/cup")).status != 200:
            pass


def _slow_puts(
    site: Client, monkeypatch: pytest.MonkeyPatch
) -> tuple[asyncio.Event, asyncio.Event]:
    """Let products be put only when told: begun, go on."""
    begun, go_on = asyncio.Event(), asyncio.Event()
    put_product = site.server.shop.put_product

    async def slow(*arguments: Any) -> Any:
        begun.set()
        await go_on.wait()
        return await put_product(*arguments)

    monkeypatch.setattr(site.server.shop, "put_product", slow)
    return begun, go_on


async def test_viewers_read_but_do_not_write(site: Client) -> None:
    await site.channel()
    for method, path in (
        ("PUT", "/products/cup"),
        ("DELETE", "/products/cup"),
        ("POST", "/products:import"),
        ("POST", "/pins"),
        ("DELETE", "/pins/x"),
    ):
        assert (await site.ask(method, SHOP + path, token=None, json=CUP)).status == 401, path
