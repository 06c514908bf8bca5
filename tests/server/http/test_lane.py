"""The lane beside the long way: the same answers, in order, whatever comes in which pieces."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
import structlog
from aiohttp import web

from server.clock import SystemClock
from server.hls.edge import Edge
from server.http.hls import add_routes
from server.http.lane import Lane, LaneConnection, MayWatch, listen
from server.http.metrics import Metrics
from server.http.middleware import add_headers, middlewares
from tests.helpers.eventually import eventually
from tests.server.hls.show import Show, on_air
from tests.server.http.test_hls import OneChannel
from tests.server.running import running

LIST = "/live/shop/720p/index.m3u8"
MEDIA = "/live/shop/720p/r1-0.m4s"
NEXT = f"{LIST}?_HLS_msn=3&_HLS_part=0"
BIG = 300_000
DEADLINE = 15.0


@dataclass
class Told:
    """An answer as it came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def lasting(self) -> tuple[int, dict[str, str], bytes]:
        """All that is the same each time."""
        kept = {n: v for n, v in self.headers.items() if n not in ("date", "x-request-id")}
        return self.status, kept, self.body


class Wire:
    """A client that sends what bytes it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self, *, head: bool = False) -> Told:
        """Read the next answer."""
        async with asyncio.timeout(DEADLINE):
            text = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            line, *fields = text.strip().split("\r\n")
            headers = {n.lower(): v.strip() for n, v in (each.split(":", 1) for each in fields)}
            status = int(line.split()[1])
            length = 0 if head or status == 304 else int(headers.get("content-length", 0))
            return Told(status, headers, await self._reader.readexactly(length))

    async def ask(self, path: str, *fields: str, method: str = "GET") -> Told:
        await self.send(wanted(path, *fields, method=method))
        return await self.answer(head=method == "HEAD")

    async def rest(self) -> bytes:
        """Read until the other side closes."""
        got = b""
        # Reset, where it closed on what it had not read.
        with contextlib.suppress(ConnectionResetError):
            async with asyncio.timeout(DEADLINE):
                while block := await self._reader.read(65_536):
                    got += block
        return got

    def finish(self) -> None:
        """Send no more; the other side may have closed already."""
        with contextlib.suppress(OSError):
            self._writer.write_eof()

    def close(self) -> None:
        self._writer.close()


@dataclass
class Site:
    show: Show
    edge: Edge
    lane: Lane
    metrics: Metrics
    port: int
    long_port: int
    """Where the same application is without a lane."""
    runner: web.AppRunner

    @asynccontextmanager
    async def wire(self, port: int = 0) -> AsyncIterator[Wire]:
        wire = Wire(*await asyncio.open_connection("127.0.0.1", port or self.port))
        try:
            yield wire
        finally:
            wire.close()

    @property
    def taken(self) -> int:
        """Answers that the lane has given."""
        return self.lane._count

    def publish(self) -> None:
        self.show.part()
        self.edge.published()

    @property
    def connections(self) -> list[LaneConnection]:
        assert self.runner.server is not None
        found = self.runner.server.connections
        return [each for each in found if isinstance(each, LaneConnection)]

    async def begun(self) -> None:
        """Wait until a part of a request has come, which the lane leaves to aiohttp."""
        await eventually(lambda: not any(each._clean for each in self.connections))

    async def held(self, count: int = 1) -> None:
        await eventually(lambda: self.edge.waiting == count)


def wanted(path: str, *fields: str, method: str = "GET") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: shop.example", *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


@asynccontextmanager
async def serving(
    keepalive: float = 75.0, *, may_watch: MayWatch = lambda *_: True
) -> AsyncIterator[Site]:
    show = on_air(3)
    edge = Edge(show.window, SystemClock())
    show.window.renditions["720p"]._shelf.put("big.m4s", secrets.token_bytes(BIG))
    metrics = await asyncio.to_thread(Metrics)
    app = web.Application(middlewares=middlewares(metrics))
    app.on_response_prepare.append(add_headers)
    add_routes(app, OneChannel(edge))
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=2.0)
    await runner.setup()
    lane = Lane(OneChannel(edge), metrics, may_watch)
    listening = await listen(lane, runner, "127.0.0.1", 0, keepalive)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = listening.sockets[0].getsockname()[1]
    try:
        yield Site(show, edge, lane, metrics, port, runner.addresses[0][1], runner)
    finally:
        listening.close()
        edge.close()
        await runner.cleanup()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with serving() as made:
        yield made


@pytest.mark.parametrize("coding", ["gzip, br", "identity", "gzip;q=0", ""])
@pytest.mark.parametrize(
    "path",
    [
        LIST,
        MEDIA,
        f"{LIST}?_HLS_msn=2",
        f"{LIST}?_HLS_msn=2&_HLS_part=3",
        "/live/shop/audio/r1-1.m4s",
        "/live/shop/audio/init-r1-0.mp4",
        "/live/shop/720p/r1-p2.m4s",
        "/live/shop/720p/big.m4s",
    ],
)
async def test_the_lane_says_what_the_long_way_says(site: Site, path: str, coding: str) -> None:
    fields = [f"Accept-Encoding: {coding}"] if coding else []
    async with site.wire() as short, site.wire(site.long_port) as long:
        first, again = await short.ask(path, *fields), await short.ask(path, *fields)
        assert site.taken == 2
        assert first.lasting == again.lasting == (await long.ask(path, *fields)).lasting
        assert first.status == 200
        assert first.headers["x-request-id"] != again.headers["x-request-id"]
        assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT", first.headers["date"])


@pytest.mark.parametrize(
    ("path", "method", "fields"),
    [
        (MEDIA, "GET", ("Range: bytes=0-3",)),
        (MEDIA, "GET", ('If-None-Match: "720p/r1-0.m4s"',)),
        (MEDIA, "HEAD", ()),
        (LIST, "POST", ()),
        (LIST, "OPTIONS", ()),
        (f"{LIST}?_HLS_part=1", "GET", ()),
        (f"{LIST}?_HLS_msn=99", "GET", ()),
        ("/live/shop/720p/none.m4s", "GET", ()),
        ("/live/shop/4k/index.m3u8", "GET", ()),
        ("/live/none/720p/index.m3u8", "GET", ()),
        ("/live/shop/index.m3u8", "GET", ()),
        ("/live/shop/720p/..%2Fx", "GET", ()),
        (LIST, "GET", ("Connection: close",)),
        (LIST, "GET", ("X-Request-Id: mine",)),
    ],
)
async def test_what_is_unusual_goes_the_long_way(
    site: Site, path: str, method: str, fields: tuple[str, ...]
) -> None:
    async with site.wire() as short, site.wire(site.long_port) as long:
        told = await short.ask(path, *fields, method=method)
        assert told.lasting == (await long.ask(path, *fields, method=method)).lasting
        assert site.taken == 0


async def test_both_ways_take_turns_on_one_connection(site: Site) -> None:
    async with site.wire() as wire:
        for number in range(3):
            assert (await wire.ask(MEDIA)).status == 200
            assert (await wire.ask("/live/none/720p/index.m3u8")).status == 404
            assert site.taken == number + 1


async def test_a_held_reload_is_answered_as_the_long_way_does(site: Site) -> None:
    async with site.wire() as short, site.wire(site.long_port) as long:
        for wire in (short, long):
            await wire.send(wanted(NEXT, "Accept-Encoding: gzip"))
        await site.held(2)
        site.publish()
        told = await short.answer()
        assert told.lasting == (await long.answer()).lasting
        assert (told.status, told.headers["cache-control"]) == (200, "max-age=12")
        assert site.taken == 1
        assert site.edge.waiting == 0


async def test_a_hinted_part_is_held_and_comes_whole(site: Site) -> None:
    rendition = site.show.window.renditions["720p"]
    hint = rendition.hint
    async with site.wire() as wire:
        await wire.send(wanted(f"/live/shop/720p/{hint}"))
        await site.held()
        site.publish()
        assert (await wire.answer()).body == rendition.body(hint)


async def test_what_is_held_in_vain_is_refused_as_the_long_way_does(site: Site) -> None:
    async with site.wire() as short, site.wire(site.long_port) as long:
        for wire in (short, long):
            await wire.send(wanted(NEXT))
        await site.held(2)
        site.edge.close()
        told = await short.answer()
        assert told.lasting == (await long.answer()).lasting
        assert (told.status, told.headers["retry-after"]) == (503, "1")
        assert (await short.ask(MEDIA)).status == 200


async def test_who_goes_away_is_waited_for_no_longer(site: Site) -> None:
    async with site.wire() as wire:
        await wire.send(wanted(NEXT))
        await site.held()
    await site.held(0)
    site.publish()
    told = site.metrics.text
    text = (await asyncio.to_thread(told)).decode()
    assert 'vitrine_http_requests_total{kind="live",method="GET",status="499"} 1.0' in text


async def test_requests_in_a_row_are_answered_in_order(site: Site) -> None:
    async with site.wire() as wire:
        bodies = [(await wire.ask(f"/live/shop/720p/r1-{n}.m4s")).body for n in range(3)]
        row = [f"/live/shop/720p/r1-{n % 3}.m4s" for n in range(30)]
        await wire.send(b"".join(wanted(path) for path in row))
        for number in range(30):
            assert (await wire.answer()).body == bodies[number % 3]


async def test_what_comes_while_a_request_is_held_is_answered_behind_it(site: Site) -> None:
    async with site.wire() as wire:
        await wire.send(wanted(NEXT))
        await site.held()
        await wire.send(wanted(MEDIA) + wanted("/live/none/720p/x.m4s") + wanted(LIST))
        await wire.send(wanted("/live/shop/audio/r1-0.m4s"))
        site.publish()
        statuses = [(await wire.answer()).status for _ in range(5)]
        assert statuses == [200, 200, 404, 200, 200]


async def test_what_comes_meanwhile_is_not_read_while_others_wait_to_be_told(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def received(self: web.RequestHandler, data: bytes) -> None:
        raise RuntimeError(f"{len(data)} bytes too many")

    failed: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: failed.append(context.get("exception")))
    async with site.wire() as one, site.wire() as other:
        for wire in (one, other):
            await wire.send(wanted(NEXT))
        await site.held(2)
        await one.send(wanted("/live/none/720p/x.m4s"))
        await eventually(lambda: any(each._later for each in site.connections))
        monkeypatch.setattr(web.RequestHandler, "data_received", received)
        site.publish()
        assert (await other.answer()).status == (await one.answer()).status == 200
        assert await one.rest() == b"", "closed: nothing can be read on it any more"
        assert (await other.ask(MEDIA)).status == 200
    assert [type(each) for each in failed] == [RuntimeError]


@pytest.mark.parametrize("cut", [*range(1, 80, 11), 82, 83])
async def test_a_request_in_two_pieces(site: Site, cut: int) -> None:
    data = wanted(MEDIA, "Accept-Encoding: gzip")
    async with site.wire() as wire:
        whole = await wire.ask(MEDIA, "Accept-Encoding: gzip")
        await wire.send(data[:cut])
        await site.begun()
        await wire.send(data[cut:])
        assert (await wire.answer()).lasting == whole.lasting


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(wanted(LIST, "Content-Length: {length}", method="POST"), id="body"),
        pytest.param(b"GET /x HTTP/1.1\r\nHost: shop.example\r\nX-Long: ", id="header"),
        pytest.param(b"GET /x HTTP/1.1\r\nHost: shop.example\r\nX-Long: a\r\n ", id="folded"),
    ],
)
async def test_what_lies_within_a_request_is_no_request(site: Site, before: bytes) -> None:
    """A proxy that shares this connection would give the second answer to somebody else."""
    inner = wanted(MEDIA)
    async with site.wire() as wire:
        assert (await wire.ask(MEDIA)).status == 200
        await wire.send(before.replace(b"{length}", str(len(inner)).encode()))
        await site.begun()
        await wire.send(inner)
        assert (await wire.answer()).status in {400, 404, 405}
        taken = site.taken
        wire.finish()
        assert await wire.rest() == b""
        assert site.taken == taken == 1


async def test_a_client_that_does_not_read_is_written_to_no_more(site: Site) -> None:
    big = wanted("/live/shop/720p/big.m4s")
    async with site.wire() as wire:
        await wire.send(big)
        await eventually(lambda: site.taken == 1)
        (connection,), sent = site.connections, 1
        while not connection.writing_paused:
            sent += 1
            await wire.send(big)
            await eventually(lambda: site.taken == sent)  # noqa: B023 - awaited at once
        await wire.send(big)
        # aiohttp waits for its reader; the lane would only have piled up more.
        await eventually(lambda: connection._request_in_progress)
        assert site.taken == sent
        for _ in range(sent + 1):
            assert len((await wire.answer()).body) == BIG


async def test_idle_connections_are_closed_and_held_ones_are_not() -> None:
    async with serving(keepalive=0.2) as site, site.wire() as idle, site.wire() as wire:
        assert (await idle.ask(MEDIA)).status == 200
        await wire.send(wanted(NEXT))
        await site.held()
        assert await idle.rest() == b""
        assert site.edge.waiting == 1
        site.publish()
        assert (await wire.answer()).status == 200
        assert await wire.rest() == b""


async def test_a_token_in_the_path_opens_the_lane_and_is_asked_about_each_time() -> None:
    asked: list[tuple[str, str, bool]] = []

    def may_watch(channel: str, token: str, media: bool) -> bool:
        asked.append((channel, token, media))
        return token == "v1.good"

    async with serving(may_watch=may_watch) as site, site.wire() as wire:
        for path, media in ((MEDIA, True), (LIST, False), (f"{LIST}?_HLS_msn=2", False)):
            place = path.replace("/shop/", "/shop/~v1.good/")
            for _ in range(2):
                told = await wire.ask(place)
                assert told.body == (await wire.ask(place, "X-Request-Id: long-way")).body
            assert asked == 2 * [("shop", "v1.good", media)]
            asked.clear()
        assert site.taken == 6
        for token in ("", "~v1.bad/", "~v1.good%20/", "~v1.good/~v1.good/"):
            await wire.ask(MEDIA.replace("720p", f"{token}720p"))
        assert site.taken == 6
        assert asked == [("shop", "", True), ("shop", "v1.bad", True)]


async def test_what_the_lane_answers_is_counted_and_logged() -> None:
    with structlog.testing.capture_logs() as logged:
        async with serving() as site, site.wire() as wire:
            told = await wire.ask(MEDIA)
            text = (await asyncio.to_thread(site.metrics.text)).decode()
    line = next(each for each in logged if each["event"] == "request")
    assert (line["peer"], line["path"], line["status"]) == ("127.0.0.1", MEDIA, 200)
    assert (line["id"], line["log_level"]) == (told.headers["x-request-id"], "debug")
    assert 'vitrine_http_requests_total{kind="live",method="GET",status="200"} 1.0' in text
    assert 'vitrine_http_seconds_count{kind="live"} 1.0' in text


async def test_the_server_has_the_lane(tmp_path_factory: pytest.TempPathFactory) -> None:
    show = on_air(3)
    edge = Edge(show.window, SystemClock())
    async with running(tmp_path_factory.mktemp("data")) as client:
        client.server.registry.edge = {"shop": edge}.get  # type: ignore[method-assign, assignment]
        wire = Wire(*await asyncio.open_connection("127.0.0.1", client.server.http_port))
        told = await wire.ask(MEDIA)
        assert (told.status, told.headers["server"]) == (200, "vitrine")
        # Only the lane numbers its answers.
        assert re.fullmatch(r"[0-9A-Z]{26}-1", told.headers["x-request-id"])
        wire.close()
    edge.close()
