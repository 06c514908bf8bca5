from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientResponse, ClientSession, web
from aiohttp.test_utils import TestServer

from server.clock import SystemClock
from server.hls.edge import Edge
from server.http.hls import add_routes
from tests.server.hls.reader import read
from tests.server.hls.show import Show, on_air

PLAYLIST = "/live/shop/720p/index.m3u8"


class OneChannel:
    """An origin with the channel `shop`."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge

    def edge(self, channel_id: str) -> Edge | None:
        return self._edge if channel_id == "shop" else None


class Site:
    """The origin on a loopback port, and a client that changes nothing it receives."""

    def __init__(self, show: Show, edge: Edge, session: ClientSession) -> None:
        self.show = show
        self.edge = edge
        self._session = session

    async def ask(
        self, path: str, method: str = "GET", **headers: str
    ) -> tuple[ClientResponse, bytes]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with asyncio.timeout(10), self._session.request(method, path, headers=named) as got:
            return got, await got.read()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    show = on_air(3)
    edge = Edge(show.window, SystemClock())
    app = web.Application()
    add_routes(app, OneChannel(edge))
    async with TestServer(app) as server:
        base = server.make_url("/")
        async with ClientSession(base, auto_decompress=False) as session:
            session.headers.clear()
            yield Site(show, edge, session)
        edge.close()


async def test_index_lists_playlists_that_list_media(site: Site) -> None:
    got, body = await site.ask("/live/shop/index.m3u8", Accept_Encoding="identity")
    assert got.status == 200
    assert got.headers["Content-Type"] == "application/vnd.apple.mpegurl"
    uri = next(line for line in body.decode().splitlines() if not line.startswith("#"))
    got, body = await site.ask(f"/live/shop/{uri}", Accept_Encoding="identity")
    playlist = read(body.decode())
    first = playlist.segments[0]
    for name in (first.map_uri, first.uri, first.parts[0].uri):
        got, body = await site.ask(f"/live/shop/720p/{name}")
        assert got.status == 200
        assert got.headers["Content-Type"] == "video/mp4"
        assert got.headers["Cache-Control"] == "max-age=31536000, immutable"
        assert body
    got, _ = await site.ask("/live/shop/audio/r1-0.m4s")
    assert got.headers["Content-Type"] == "audio/mp4"


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/live/shop/index.m3u8", "GET", 200),
        (PLAYLIST, "GET", 200),
        ("/live/shop/720p/r1-0.m4s", "GET", 200),
        (PLAYLIST + "?_HLS_part=0", "GET", 400),
        (PLAYLIST + "?_HLS_msn=x", "GET", 400),
        (PLAYLIST + "?_HLS_msn=99", "GET", 400),
        ("/live/shop/4k/index.m3u8", "GET", 404),
        ("/live/shop/720p/r1-99.m4s", "GET", 404),
        ("/live/shop/720p/..%2F..%2Fetc%2Fpasswd", "GET", 404),
        ("/live/nobody/index.m3u8", "GET", 404),
        ("/live/nobody/720p/index.m3u8", "GET", 404),
        ("/live/nobody/720p/x.m4s", "GET", 404),
        ("/live/shop", "GET", 404),
        (PLAYLIST, "POST", 405),
        (PLAYLIST, "OPTIONS", 204),
    ],
)
async def test_rule_15_any_page_may_read_any_status(
    site: Site, path: str, method: str, status: int
) -> None:
    got, body = await site.ask(path, method)
    assert got.status == status
    assert got.headers["Access-Control-Allow-Origin"] == "*"
    if status >= 400:
        assert got.headers["Content-Type"].startswith("application/problem+json")
        assert json.loads(body)["status"] == status
        assert got.headers["Cache-Control"] == "no-store"


async def test_preflight_allows_what_players_send(site: Site) -> None:
    got, _ = await site.ask(PLAYLIST, "OPTIONS", Access_Control_Request_Headers="range")
    assert "GET" in got.headers["Access-Control-Allow-Methods"]
    assert "Range" in got.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize(
    ("accepts", "coded"),
    [
        ("gzip", True),
        ("br, gzip;q=0.5", True),
        ("*", True),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip; q=0.0, br", False),
    ],
)
async def test_rule_15_playlists_are_gzipped_when_accepted(
    site: Site, accepts: str, coded: bool
) -> None:
    got, body = await site.ask(PLAYLIST, Accept_Encoding=accepts)
    assert (got.headers.get("Content-Encoding") == "gzip") is coded
    assert "Accept-Encoding" in got.headers["Vary"]
    assert read((gzip.decompress(body) if coded else body).decode()).segments


async def test_rule_15_segments_are_not_gzipped(site: Site) -> None:
    got, _ = await site.ask("/live/shop/720p/r1-0.m4s", Accept_Encoding="gzip")
    assert "Content-Encoding" not in got.headers


@pytest.mark.parametrize("path", [PLAYLIST, "/live/shop/720p/r1-0.m4s", "/live/shop/index.m3u8"])
async def test_rule_15_an_etag_saves_the_body(site: Site, path: str) -> None:
    got, _ = await site.ask(path)
    etag = got.headers["ETag"]
    got, body = await site.ask(path, If_None_Match=f'"other", {etag}')
    assert (got.status, body) == (304, b"")
    assert got.headers["ETag"] == etag
    got, body = await site.ask(path, If_None_Match='"other"')
    assert got.status == 200
    assert body


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-3", 0, 3),
        ("bytes=4-", 4, None),
        ("bytes=-5", -5, None),
        ("bytes=2-99999", 2, None),
        ("bytes=-999999", 0, None),
        ("Bytes=0-", 0, None),
    ],
)
async def test_rule_15_a_range_of_media(
    site: Site, asked: str, first: int, last: int | None
) -> None:
    path = "/live/shop/720p/r1-0.m4s"
    _, whole = await site.ask(path)
    got, body = await site.ask(path, Range=asked)
    assert got.status == 206
    assert body == whole[first : None if last is None else last + 1]
    begin = first % len(whole)
    assert got.headers["Content-Range"] == f"bytes {begin}-{begin + len(body) - 1}/{len(whole)}"


async def test_rule_15_a_range_outside_is_416_and_nonsense_is_the_whole(site: Site) -> None:
    path = "/live/shop/720p/r1-0.m4s"
    _, whole = await site.ask(path)
    for outside in ("bytes=999999-", "bytes=-0"):
        got, _ = await site.ask(path, Range=outside)
        assert got.status == 416, outside
        assert got.headers["Content-Range"] == f"bytes */{len(whole)}"
        assert got.headers["Access-Control-Allow-Origin"] == "*"
    nines = f"bytes={'9' * 5_000}-"
    for nonsense in ("bytes=5-2", "lines=1-2", "bytes=0-1,3-4", "bytes=x", "bytes=-", nines):
        got, body = await site.ask(path, Range=nonsense)
        assert (got.status, body) == (200, whole)
    got, body = await site.ask(path, Range="bytes=0-1", If_Range='"another"')
    assert (got.status, body) == (200, whole)


async def test_head_tells_the_length_and_sends_nothing(site: Site) -> None:
    _, whole = await site.ask("/live/shop/720p/r1-0.m4s")
    got, body = await site.ask("/live/shop/720p/r1-0.m4s", "HEAD")
    assert (got.status, body) == (200, b"")
    assert got.headers["Content-Length"] == str(len(whole))


async def test_rule_5_a_reload_blocks_until_its_part(site: Site) -> None:
    path = PLAYLIST + "?_HLS_msn=3&_HLS_part=0"
    task = asyncio.create_task(site.ask(path, Accept_Encoding="identity"))
    async with asyncio.timeout(10):
        while site.edge.waiting == 0:  # noqa: ASYNC110 - the loop must turn
            await asyncio.sleep(0)
    assert not task.done()
    site.show.part()
    site.edge.published()
    got, body = await task
    assert got.status == 200
    growing = read(body.decode()).growing
    assert growing is not None
    assert growing.msn == 3
    plain, _ = await site.ask(PLAYLIST)
    assert plain.headers["Cache-Control"] == "max-age=1"
    assert got.headers["Cache-Control"] == "max-age=12"
    assert b"_HLS_" not in body


async def test_rule_5_a_stream_that_stops_is_503_with_a_time_to_retry(site: Site) -> None:
    task = asyncio.create_task(site.ask(PLAYLIST + "?_HLS_msn=3"))
    async with asyncio.timeout(10):
        while site.edge.waiting == 0:  # noqa: ASYNC110 - the loop must turn
            await asyncio.sleep(0)
    site.edge.close()
    got, _ = await task
    assert got.status == 503
    assert got.headers["Retry-After"] == "1"
