"""What holds for every request."""

from __future__ import annotations

import asyncio
import json

import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from server.http.metrics import Metrics
from server.http.middleware import add_headers, middlewares
from tests.server.running import Client


async def test_what_is_not_there_is_a_problem(site: Client) -> None:
    for method, path, status in (
        ("GET", "/nothing", 404),
        ("GET", "/api/v1/channels/tea/sales", 404),
        ("PATCH", "/api/v1/channels", 405),
        ("POST", "/healthz", 405),
        ("GET", "/live/none/index.m3u8", 404),
    ):
        answer = await site.ask(method, path)
        assert answer.status == status
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        assert answer.json()["status"] == status
        assert {"type", "title", "detail", "code"} <= set(answer.json())
    assert "GET" in (await site.ask("PATCH", "/api/v1/channels")).headers["Allow"]


async def test_what_can_be_read_has_a_head(site: Client) -> None:
    await site.channel()
    for path in ("/", "/watch/tea", "/healthz", "/api/v1/channels/tea", "/player/watch.js"):
        head = await site.ask("HEAD", path, token=None)
        assert (head.status, head.body) == (200, b""), path
    endless = await site.ask("HEAD", "/api/v1/channels/tea/events", token=None)
    assert endless.status == 405


async def test_a_body_that_cannot_be_read_is_the_senders_fault(site: Client) -> None:
    await site.channel()
    path = "/api/v1/channels/tea/products/cup"
    coded = {"Content-Encoding": "gzip"}
    broken = await site.ask("PUT", path, data=b"not gzip", headers=coded)
    assert (broken.status, broken.json()["code"]) == (400, "bad-request")
    halved = await site.ask("PUT", path, data=b'{"\\ud800": 1}')
    assert halved.status == 422
    assert "\ud800" in {error["field"] for error in halved.json()["errors"]}


async def test_a_request_keeps_a_sane_id_and_loses_another(site: Client) -> None:
    kept = await site.ask("GET", "/healthz", headers={"X-Request-Id": "abc-1"})
    assert kept.headers["X-Request-Id"] == "abc-1"
    lost = await site.ask("GET", "/healthz", headers={"X-Request-Id": "a b" * 50})
    assert len(lost.headers["X-Request-Id"]) == 26


async def test_the_api_may_be_read_from_elsewhere(site: Client) -> None:
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "GET"}
    flight = await site.ask("OPTIONS", "/api/v1/channels", token=None, headers=asked)
    assert flight.status == 204
    assert "Authorization" in flight.headers["Access-Control-Allow-Headers"]
    for path in ("/api/v1/channels", "/api/v1/channels/none", "/live/none/index.m3u8"):
        answer = await site.ask("GET", path, token=None)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Origin" not in (await site.ask("GET", "/ops")).headers


async def test_the_log_has_a_line_without_secrets(site: Client) -> None:
    with structlog.testing.capture_logs() as lines:
        await site.ask("GET", "/api/v1/channels?after=secret-1", token="secret-2")
    (line,) = [line for line in lines if line["event"] == "request"]
    assert (line["path"], line["status"], line["method"]) == ("/api/v1/channels", 401, "GET")
    assert "secret" not in json.dumps(line)


async def test_a_person_gets_a_page_where_a_program_gets_a_problem(site: Client) -> None:
    person = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    for path in ("/nothing", "/watch/none/more", "/player/none.js", "/images/none.jpg"):
        page = await site.ask("GET", path, token=None, headers=person)
        assert (page.status, page.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
        assert 'href="/"' in page.body.decode()
        assert "none" not in page.body.decode().partition("<body")[2]
        assert "style-src 'self'" in page.headers["Content-Security-Policy"]
        assert page.headers["Content-Security-Policy"].endswith("frame-ancestors 'none'")
    for method, path in (
        ("GET", "/api/v1/nothing"),
        ("GET", "/api/v1/channels/none"),
        ("GET", "/live/none/index.m3u8"),
        ("POST", "/nothing"),
    ):
        answer = await site.ask(method, path, headers=person)
        assert answer.status == 404
        assert answer.headers["Content-Type"].startswith("application/problem+json"), path


@pytest.mark.parametrize(
    ("method", "path", "level"),
    [
        ("GET", "/", "info"),
        ("GET", "/watch/tea", "info"),
        ("GET", "/watch/none", "info"),
        ("GET", "/nothing", "info"),
        ("POST", "/api/v1/channels/tea/viewers", "info"),
        ("GET", "/api/v1/channels/none", "info"),
        ("GET", "/api/v1/channels/tea", "debug"),
        ("GET", "/player/watch.js", "debug"),
        ("GET", "/player/none.js", "debug"),
        ("GET", "/images/none.jpg", "debug"),
        ("GET", "/live/none/index.m3u8", "debug"),
        ("GET", "/favicon.ico", "debug"),
        ("GET", "/healthz", "debug"),
    ],
)
async def test_files_and_media_do_not_fill_the_log(
    site: Client, method: str, path: str, level: str
) -> None:
    await site.channel()
    with structlog.testing.capture_logs() as lines:
        await site.ask(method, path, token=None)
    (line,) = [line for line in lines if line["event"] == "request"]
    assert (line["path"], line["log_level"]) == (path, level)


async def test_our_own_fault_shows_nothing_of_it() -> None:
    async def broken(_: web.Request) -> web.Response:
        raise RuntimeError("the secret inside")

    app = web.Application(middlewares=middlewares(await asyncio.to_thread(Metrics)))
    app.on_response_prepare.append(add_headers)
    app.router.add_get("/broken", broken)
    with structlog.testing.capture_logs() as lines:
        async with TestClient(TestServer(app)) as client:
            answer = await client.get("/broken")
            text = await answer.text()
    assert answer.status == 500
    assert "secret" not in text
    assert answer.headers["X-Request-Id"] in text
    assert any(line["event"] == "request failed" for line in lines)


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET " + b"/" * 20_000 + b" HTTP/1.1\r\n\r\n",
        b"POST /api/v1/channels HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: [\r\n\r\n",
    ],
)
async def test_garbage_does_not_stop_the_server(site: Client, sent: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", site.server.http_port)
    writer.write(sent)
    writer.write_eof()
    async with asyncio.timeout(10):
        received = await reader.read()
    writer.close()
    assert b"Traceback" not in received
    assert (await site.ask("GET", "/healthz")).status == 200


async def test_health_readiness_and_figures(site: Client) -> None:
    assert (await site.ask("GET", "/healthz", token=None)).json() == {"status": "ok"}
    assert (await site.ask("GET", "/readyz", token=None)).json() == {"status": "ready"}
    text = (await site.ask("GET", "/metrics", token=None)).body.decode()
    assert 'vitrine_http_requests_total{kind="healthz",method="GET",status="200"} 1.0' in text
    assert "vitrine_viewers 0.0" in text
