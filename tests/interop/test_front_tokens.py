"""Channels that ask for tokens behind the shipped nginx: kept once, held, judged for each."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from bench.serving import free_port
from server.clock import SystemClock
from server.hls.edge import Edge
from server.http.playback import MEDIA_GRACE_SECONDS
from server.playback.judge import SKEW_SECONDS
from server.playback.token import Claims, mint
from tests.helpers.eventually import eventually
from tests.helpers.front import Front, Got, nginx
from tests.server.hls.show import Show, on_air
from tests.server.http.test_replay import API, REPLAY, SESSION, SETTINGS, record
from tests.server.running import Client, running

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

MEDIA = "720p/r1-0.m4s"
TRUST: dict[str, object] = {"server.trusted_proxies": ["127.0.0.1"]}
RECORDING = Path(__file__).resolve().parents[2] / "docs" / "recording.md"


@dataclass(frozen=True)
class Shop:
    """A server behind nginx: `gala` asks for tokens, `tea` does not; both are on the air."""

    client: Client
    front: Front
    key: str
    """Signs gala's tokens."""
    show: Show
    """Gala's, and its edge."""
    edge: Edge

    def token(self, viewer: str, seconds: int = 600, channel: str = "gala") -> str:
        now = SystemClock().wall_ms() // 1000
        return mint(Claims(channel, now + seconds, viewer=viewer), self.key)

    def door(self, viewer: str, seconds: int = 600) -> str:
        return f"/live/gala/~{self.token(viewer, seconds)}/"

    async def with_cookies(self, path: str, *tokens: str) -> Got:
        sent = "; ".join(f"vitrine_playback={token}" for token in tokens)
        return await self.front.get(path, "-H", f"Cookie: {sent}")

    async def asked(self) -> int:
        """Count the requests for live media that have reached the server."""
        told = (await self.client.ask("GET", "/metrics")).body.decode()
        counts = re.findall(
            r'^vitrine_http_requests_total{kind="live".*} (\S+)$', told, re.MULTILINE
        )
        return int(sum(map(float, counts)))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    folder, ports = tmp_path_factory.mktemp, (free_port(), free_port())
    async with (
        running(folder("data"), {**SETTINGS, **TRUST}) as client,
        nginx(folder("nginx"), ports, client.server.http_port) as front,
    ):
        await client.channel()
        made = await client.ask(
            "POST", "/api/v1/channels", json={"id": "gala", "playback": "signed"}
        )
        shows = {"gala": on_air(3), "tea": on_air(3)}
        edges = {name: Edge(show.window, SystemClock()) for name, show in shows.items()}
        client.server.registry.edge = edges.get  # type: ignore[method-assign, assignment]
        yield Shop(client, front, made.json()["playback_key"], shows["gala"], edges["gala"])
        for edge in edges.values():
            edge.close()


async def test_tokens_in_the_path_share_what_they_open(shop: Shop) -> None:
    first = await shop.front.get(shop.door("anna") + MEDIA)
    other = await shop.front.get(shop.door("ben") + MEDIA)
    assert (first.status, first.headers["x-cache"]) == (200, "MISS")
    assert (other.status, other.headers["x-cache"], other.body) == (200, "HIT", first.body)
    assert other.headers["cache-control"] == "max-age=31536000, immutable"
    for path, status in (
        ("/live/gala/" + MEDIA, 401),
        (shop.door("cleo", -900) + MEDIA, 403),
        (shop.door("dora")[:-2] + "/" + MEDIA, 401),
    ):
        is_refused(await shop.front.get(path), status)

    reload = "720p/index.m3u8?_HLS_msn=3&_HLS_part=0"
    doors = [shop.door(name) for name in ("anna", "ben")]
    held = [asyncio.create_task(shop.front.get(door + reload)) for door in doors]
    await eventually(lambda: shop.edge.waiting > 0)
    shop.show.part()
    shop.edge.published()
    assert {(got.status, got.headers["x-cache"]) for got in [await each for each in held]} == {
        (200, "MISS"),
        (200, "HIT"),
    }


async def test_an_ended_token_still_loads_what_was_listed(shop: Shop) -> None:
    door = shop.door("emma", -SKEW_SECONDS - 1)
    for _ in range(2):
        is_refused(await shop.front.get(door + "720p/index.m3u8"), 403)
        assert (await shop.front.get(door + MEDIA)).status == 200
    late = shop.door("emma", -SKEW_SECONDS - MEDIA_GRACE_SECONDS - 1)
    is_refused(await shop.front.get(late + MEDIA), 403)


def is_refused(got: Got, status: int) -> None:
    """See Vitrine's own words, which a player of any origin may read."""
    assert got.status == status
    assert got.headers["content-type"] == "application/problem+json"
    assert got.headers["access-control-allow-origin"] == "*"
    assert json.loads(got.body)["code"].startswith("token-")
    assert ("www-authenticate" in got.headers) == (status == 401)


async def test_tokens_in_cookies_share_the_same_and_are_judged_each(shop: Shop) -> None:
    path = "/live/gala/720p/r1-1.m4s"
    first = await shop.with_cookies(path, shop.token("anna"))
    assert (first.status, first.headers["x-cache"]) == (200, "MISS")
    before = await shop.asked()
    by_path = await shop.front.get(shop.door("ben") + "720p/r1-1.m4s")
    others = [await shop.with_cookies(path, shop.token(name)) for name in ("ben", "cleo")]
    assert {got.headers["x-cache"] for got in (by_path, *others)} == {"HIT"}
    assert {got.body for got in (by_path, *others)} == {first.body}
    assert await shop.asked() == before
    # The address is the same for who has no token: no cache on the way may keep it.
    for got in (first, *others):
        assert got.headers["cache-control"] == "private, max-age=31536000, immutable"
    known = await shop.front.get(
        path, "-b", f"vitrine_playback={shop.token('anna')}",
        "-H", f"If-None-Match: {first.headers['etag']}",
    )  # fmt: skip
    assert (known.status, known.headers["cache-control"].split(",")[0]) == (304, "private")
    is_refused(await shop.front.get(path), 401)
    for token, status in (
        (shop.token("dora", -900), 403),
        (shop.token("dora", channel="tea"), 403),
        (shop.token("dora")[:-1], 401),
        ("x/../../tea", 401),
        ("", 401),
        ("0", 401),
    ):
        is_refused(await shop.with_cookies(path, token), status)


async def test_a_cookie_is_no_way_to_anything_else(shop: Shop) -> None:
    token = shop.token("anna")
    for path in ("/live/gala/720p/none.m4s", "/live/GALA/720p/r1-0.m4s", "/replay/gala/x.json"):
        got = await shop.with_cookies(path, token)
        assert got.status in (401, 404), path
        assert "no-store" in got.headers["cache-control"]


async def test_of_several_cookies_one_that_is_good_is_enough(shop: Shop) -> None:
    got = await shop.with_cookies(
        "/live/gala/" + MEDIA, shop.token("anna", -900), shop.token("ben")
    )
    assert (got.status, got.headers["cache-control"].split(",")[0]) == (200, "private")
    assert "x-cache" not in got.headers


async def test_a_new_token_in_the_query_makes_a_new_cookie(shop: Shop) -> None:
    fresh = shop.token("anna", 900)
    got = await shop.with_cookies(f"/live/gala/index.m3u8?token={fresh}", shop.token("anna"))
    assert got.status == 302
    assert got.headers["location"] == f"/live/gala/~{fresh}/index.m3u8"
    assert f"vitrine_playback={fresh}" in got.headers["set-cookie"]
    by_query = await shop.front.get(f"/live/gala/{MEDIA}?token={fresh}")
    assert (by_query.status, by_query.headers["x-cache"]) == (200, "BYPASS")
    assert "private" in by_query.headers["cache-control"]


async def test_a_public_channel_beside_is_kept_for_everybody(shop: Shop) -> None:
    path = "/live/tea/" + MEDIA
    got = [await shop.front.get(path) for _ in range(2)]
    assert [each.headers["x-cache"] for each in got] == ["MISS", "HIT"]
    assert got[1].headers["cache-control"] == "max-age=31536000, immutable"
    # Somebody may still have a cookie from when it asked for tokens.
    old = [await shop.with_cookies(path, shop.token(name)) for name in ("anna", "ben")]
    assert [each.status for each in old] == [200, 200]
    assert [each.headers["x-cache"] for each in old] == ["MISS", "HIT"]


async def test_what_was_removed_is_gone_once_the_cache_is_emptied_as_documented(
    shop: Shop,
) -> None:
    path = f"{REPLAY}/720p/{next(iter(await record(shop.client)))}"
    assert [(await shop.front.get(path)).headers["x-cache"] for _ in range(2)] == ["MISS", "HIT"]
    assert (await shop.client.ask("DELETE", f"{API}/sessions/{SESSION}")).status == 204
    assert (await shop.front.get(path)).headers["x-cache"] == "HIT"
    live = [await shop.front.get("/live/tea/720p/r1-2.m4s") for _ in range(2)]
    assert live[1].headers["x-cache"] == "HIT"
    process = await asyncio.create_subprocess_exec(*purge(shop.front.folder / "cache"))
    assert await asyncio.wait_for(process.wait(), 20) == 0
    assert (await shop.front.get(path)).status == 404
    again = [await shop.front.get("/live/tea/720p/r1-2.m4s") for _ in range(2)]
    assert [(got.headers["x-cache"], got.body) for got in again] == [
        ("MISS", live[0].body),
        ("HIT", live[0].body),
    ]


def purge(cache: Path) -> list[str]:
    """Read the documented command, for a cache that lies elsewhere."""
    found = re.search(r"\nsudo (find /var/cache/nginx/vitrine .+)\n", RECORDING.read_text())
    assert found is not None
    words = [word.strip("'") for word in found[1].split()]
    return [str(cache) if word.startswith("/var") else word for word in words]
