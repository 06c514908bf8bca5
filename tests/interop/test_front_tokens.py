"""Channels that ask for tokens behind the shipped nginx: kept once, held, judged for each."""

from __future__ import annotations

import asyncio
import json

import pytest

from bench.serving import free_port
from server.clock import SystemClock
from server.hls.edge import Edge
from server.playback.token import Claims, mint
from tests.helpers.eventually import eventually
from tests.helpers.front import nginx
from tests.server.hls.show import on_air
from tests.server.running import running

pytestmark = pytest.mark.interop
MEDIA = "720p/r1-0.m4s"
TRUST: dict[str, object] = {"server.trusted_proxies": ["127.0.0.1"]}


async def test_tokens_in_the_path_share_what_they_open(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp
    ports = free_port(), free_port()
    async with (
        running(folder("data"), TRUST) as client,
        nginx(folder("nginx"), ports, client.server.http_port) as front,
    ):
        made = await client.ask(
            "POST", "/api/v1/channels", json={"id": "tea", "playback": "signed"}
        )
        key = made.json()["playback_key"]
        show = on_air(3)
        edge = Edge(show.window, SystemClock())
        client.server.registry.edge = {"tea": edge}.get  # type: ignore[method-assign, assignment]
        now = SystemClock().wall_ms() // 1000

        def door(viewer: str, seconds: int = 600) -> str:
            return f"/live/tea/~{mint(Claims('tea', now + seconds, viewer=viewer), key)}/"

        first = await front.get(door("anna") + MEDIA)
        other = await front.get(door("ben") + MEDIA)
        assert (first.status, first.headers["x-cache"]) == (200, "MISS")
        assert (other.status, other.headers["x-cache"], other.body) == (200, "HIT", first.body)
        for path, status in (
            ("/live/tea/" + MEDIA, 401),
            (door("cleo", -900) + MEDIA, 403),
            (door("dora")[:-2] + "/" + MEDIA, 401),
        ):
            refused = await front.get(path)
            assert refused.status == status, path
            # Vitrine's own words, which a player of any origin may read.
            assert refused.headers["content-type"] == "application/problem+json", path
            assert refused.headers["access-control-allow-origin"] == "*", path
            assert json.loads(refused.body)["code"].startswith("token-"), path
            assert ("www-authenticate" in refused.headers) == (status == 401), path

        reload = "720p/index.m3u8?_HLS_msn=3&_HLS_part=0"
        held = [asyncio.create_task(front.get(door(name) + reload)) for name in ("anna", "ben")]
        await eventually(lambda: edge.waiting > 0)
        show.part()
        edge.published()
        assert {(got.status, got.headers["x-cache"]) for got in [await each for each in held]} == {
            (200, "MISS"),
            (200, "HIT"),
        }

        token = door("anna").split("~")[1].rstrip("/")
        by_cookie = await front.get("/live/tea/" + MEDIA, "-b", f"vitrine_playback={token}")
        by_query = await front.get(f"/live/tea/{MEDIA}?token={token}")
        for got in (by_cookie, by_query):
            assert (got.status, got.headers["x-cache"]) == (200, "BYPASS")
            assert "private" in got.headers["cache-control"]
        edge.close()
