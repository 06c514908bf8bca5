"""The shipped fronts before the real server: LL-HLS over HTTP/2, held, and shared by nginx."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from bench.serving import free_port
from server.clock import SystemClock
from server.hls.edge import Edge
from tests.helpers.eventually import eventually
from tests.helpers.front import NAME, Front, caddy, nginx
from tests.server.hls.reader import read
from tests.server.hls.show import Show, on_air
from tests.server.running import Client, running

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

PLAYLIST = "/live/tea/720p/index.m3u8"
VIEWERS = 100
LEAKS = 3
"""Of so many at once may reach the origin besides the first: two workers of nginx start."""


@dataclass
class Shop:
    """A server with the channel `tea` on the air, and what stands before it."""

    client: Client
    front: Front
    """nginx."""
    caddy: Front
    show: Show
    edge: Edge

    def publish(self) -> None:
        self.show.part()
        self.edge.published()

    async def asked(self) -> int:
        """Count the requests for live media that have reached the server."""
        told = (await self.client.ask("GET", "/metrics")).body.decode()
        pattern = r'^vitrine_http_requests_total{kind="live".*} ([0-9.]+)$'
        counts = re.findall(pattern, told, re.MULTILINE)
        return int(sum(float(count) for count in counts))

    def next_part(self) -> str:
        """Ask for the part that comes next."""
        rendition = self.show.window.renditions["720p"]
        return f"{PLAYLIST}?_HLS_msn={rendition.next_msn}&_HLS_part={rendition.growing_parts}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    ports = free_port(), free_port()
    trust: dict[str, object] = {"server.trusted_proxies": ["127.0.0.1"]}
    async with running(tmp_path_factory.mktemp("data"), trust) as client:
        await client.channel()
        show = on_air(3)
        edge = Edge(show.window, SystemClock())
        tea = {"tea": edge}
        client.server.registry.edge = tea.get  # type: ignore[method-assign, assignment]
        port, folder = client.server.http_port, tmp_path_factory.mktemp
        async with nginx(folder("nginx"), ports, port) as front:
            async with caddy(folder("caddy"), free_port(), port) as other:
                yield Shop(client, front, other, show, edge)
        edge.close()


async def test_pages_and_the_api_are_https(shop: Shop) -> None:
    for front in (shop.front, shop.caddy):
        page = await front.get("/watch/tea")
        assert (page.status, page.version) == (200, "2")
        assert "Secure" in page.headers["set-cookie"]
        channel = await front.get("/api/v1/channels/tea")
        assert json.loads(channel.body)["id"] == "tea"


async def test_what_a_client_says_of_itself_is_not_passed_on(shop: Shop) -> None:
    key = ("-X", "POST", "-H", "Authorization: Bearer wrong", "-H", "Content-Type: application/sdp")
    for front, address in ((shop.front, "127.0.0.3"), (shop.caddy, "127.0.0.4")):
        seen = set()
        for number in range(12):
            said = ("-H", f"X-Forwarded-For: 203.0.113.{number}", "--interface", address)
            seen.add((await front.get("/whip/tea", *key, *said, "-d", "v=0")).status)
        # Ten wrong keys of one address, whatever it calls itself; others are not made to wait.
        assert seen == {401, 429}
        elsewhere = await front.get("/whip/tea", *key, "-d", "v=0", "--interface", "127.0.0.2")
        assert elsewhere.status == 401


async def test_figures_are_not_for_the_world(shop: Shop) -> None:
    assert (await shop.front.get("/metrics")).status == 200
    assert (await shop.front.get("/metrics", "--interface", "127.0.0.2")).status == 403
    assert (await shop.caddy.get("/metrics")).status == 404


async def test_events_come_as_they_happen(shop: Shop) -> None:
    for front, product in ((shop.front, "cup"), (shop.caddy, "pot")):
        async with front.reading("/api/v1/channels/tea/events") as events, asyncio.timeout(20):
            assert (await events.readline()).startswith(b"retry:")
            sent = {"id": product, "title": "Cup", "price": {"amount": 1, "currency": "EUR"}}
            await shop.client.ask("PUT", f"/api/v1/channels/tea/products/{product}", json=sent)
            while b"event: product" not in await events.readline():
                pass


async def test_a_blocked_reload_is_held_and_answered_once_for_all(shop: Shop) -> None:
    before = await shop.asked()
    path = shop.next_part()
    crowd = asyncio.create_task(shop.front.crowd(path, VIEWERS))
    await eventually(lambda: shop.edge.waiting > 0)
    assert not crowd.done()
    shop.publish()
    answers = await crowd
    assert len(answers) == VIEWERS
    assert {(version, status) for version, status, _ in answers} == {("2", "200")}
    assert len({size for _, _, size in answers}) == 1
    assert await shop.asked() - before <= 1 + LEAKS
    again = await shop.front.get(path)
    assert again.headers["x-cache"] == "HIT"
    assert shop.show.window.run in again.body.decode()


async def test_caddy_has_each_reload_held_by_the_server(shop: Shop) -> None:
    crowd = asyncio.create_task(shop.caddy.crowd(shop.next_part(), VIEWERS))
    await eventually(lambda: shop.edge.waiting == VIEWERS)
    shop.publish()
    assert {(version, status) for version, status, _ in await crowd} == {("2", "200")}


async def test_the_hinted_part_is_held_and_then_kept(shop: Shop) -> None:
    before = await shop.asked()
    name = shop.show.window.renditions["720p"].hint
    path = f"/live/tea/720p/{name}"
    crowd = asyncio.create_task(shop.front.crowd(path, VIEWERS))
    await eventually(lambda: shop.edge.waiting > 0)
    shop.publish()
    body = shop.show.window.renditions["720p"].body(name)
    assert body is not None
    assert set(await crowd) == {("2", "200", len(body))}
    assert await shop.asked() - before <= 1 + LEAKS
    kept = await shop.front.get(path)
    assert (kept.headers["x-cache"], kept.body) == ("HIT", body)
    assert kept.headers["cache-control"] == "max-age=31536000, immutable"
    assert kept.headers["access-control-allow-origin"] == "*"


async def test_a_crowd_for_what_is_there_reaches_the_server_once(shop: Shop) -> None:
    before = await shop.asked()
    answers = await shop.front.crowd("/live/tea/720p/r1-0.m4s", VIEWERS)
    assert {status for _, status, _ in answers} == {"200"}
    assert await shop.asked() - before <= 1 + LEAKS


async def test_each_reload_is_a_playlist_of_its_own(shop: Shop) -> None:
    paths = []
    for _ in range(2):
        paths.append(shop.next_part())
        shop.publish()
        assert (await shop.front.get(paths[-1])).status == 200
    older, newer = [await shop.front.get(path) for path in paths]
    assert older.headers["x-cache"] == newer.headers["x-cache"] == "HIT"
    assert older.body != newer.body


async def test_both_codings_come_from_the_cache_as_they_were_made(shop: Shop) -> None:
    path = shop.next_part()
    shop.publish()
    plain = await shop.front.get(path)
    coded = await shop.front.get(path, "-H", "Accept-Encoding: br, gzip;q=0.8")
    other = await shop.front.get(path, "-H", "Accept-Encoding: deflate,gzip")
    refused = await shop.front.get(path, "-H", "Accept-Encoding: gzip;q=0")
    assert "content-encoding" not in plain.headers
    assert coded.headers["content-encoding"] == "gzip"
    assert gzip.decompress(coded.body) == plain.body == refused.body
    assert (other.headers["x-cache"], other.body) == ("HIT", coded.body)
    assert "Accept-Encoding" in coded.headers["vary"]


async def test_errors_are_not_stuck(shop: Shop) -> None:
    rendition = shop.show.window.renditions["720p"]
    far = f"{PLAYLIST}?_HLS_msn={rendition.next_msn + 2}"
    part = f"/live/tea/720p/{_after(rendition.hint)}"
    for path, status in ((far, 400), (part, 404)):
        refused = await shop.front.get(path)
        assert (refused.status, refused.headers["cache-control"]) == (status, "no-store")
        assert refused.headers["access-control-allow-origin"] == "*"
    shop.publish()
    shop.publish()
    assert (await shop.front.get(part)).status == 200
    while f"_HLS_msn={rendition.next_msn - 1}" not in far:
        shop.publish()
    assert read((await shop.front.get(far)).body.decode()).segments


async def test_a_range_comes_from_the_cache(shop: Shop) -> None:
    path = "/live/tea/720p/r1-1.m4s"
    whole = shop.show.window.renditions["720p"].body("r1-1.m4s")
    assert whole is not None
    first, second = [await shop.front.get(path, "-H", "Range: bytes=2-5") for _ in range(2)]
    for got in (first, second):
        assert (got.status, got.body) == (206, whole[2:6])
        assert got.headers["content-range"] == f"bytes 2-5/{len(whole)}"
    assert (first.headers["x-cache"], second.headers["x-cache"]) == ("MISS", "HIT")
    tagged = await shop.front.get(path, "-H", f"If-None-Match: {first.headers['etag']}")
    assert tagged.status == 304


async def test_plain_http_is_sent_to_https(shop: Shop) -> None:
    async with shop.client.session.get(
        f"http://127.0.0.1:{shop.front.plain_port}/watch/tea?x=1",
        headers={"Host": NAME},
        allow_redirects=False,
    ) as answer:
        assert answer.status == 301
        assert answer.headers["Location"] == f"https://{NAME}/watch/tea?x=1"


def _after(hint: str) -> str:
    """Name the part behind the hinted one."""
    return re.sub(r"p(\d+)", lambda found: f"p{int(found[1]) + 1}", hint)
