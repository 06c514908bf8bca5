"""The auth webhook against real servers on loopback, good ones and bad ones."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from standardwebhooks import Webhook
from structlog.testing import capture_logs

from server.http.auth_webhook import CANNOT_ASK, MAX_ANSWER, AuthWebhook
from server.judge import Attempt, Verdict, WebhookSettings
from tests.helpers.eventually import eventually

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
ATTEMPT = Attempt("pub_1", 0, "tea", "rtmp", "live", "192.0.2.7", "OBS", "0123", "sk-secret")
OPEN = Verdict(True)
LET_IN = Verdict(True, decided=False)
CLOSED = Verdict(allowed=False, reason=CANNOT_ASK, decided=False)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def answering(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Serve `handler` at every path; gives the address."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}/publish"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def asking(url: str, **settings: Any) -> AsyncIterator[AuthWebhook]:
    webhook = AuthWebhook(replace(WebhookSettings(url, timeout=3.0), **settings))
    try:
        yield webhook
    finally:
        await webhook.close()


async def test_the_request_can_be_verified_with_the_standards_library() -> None:
    heard: list[tuple[dict[str, str], bytes]] = []

    async def answer(request: web.Request) -> web.Response:
        heard.append((dict(request.headers), await request.read()))
        return web.json_response({"allow": False, "reason": "Not on Sundays."})

    async with answering(answer) as url, asking(url, secret=SECRET) as webhook:
        assert await webhook.judge(ATTEMPT) == Verdict(allowed=False, reason="Not on Sundays.")
    ((headers, body),) = heard
    assert headers["Content-Type"] == "application/json"
    assert headers["webhook-id"] == "pub_1"
    asked = Webhook(SECRET).verify(body, headers)
    assert (asked["event"], asked["channel"], asked["peer"]) == ("publish", "tea", "192.0.2.7")
    assert b"sk-secret" not in body


async def test_the_key_goes_along_only_when_told_to() -> None:
    keys: list[object] = []

    async def answer(request: web.Request) -> web.Response:
        assert "webhook-signature" not in request.headers
        keys.append((await request.json()).get("key"))
        return web.Response(status=204)

    async with answering(answer) as url:
        for send_key in (False, True):
            async with asking(url, send_key=send_key) as webhook:
                assert await webhook.judge(ATTEMPT) == OPEN
    assert keys == [None, "sk-secret"]


async def test_the_documented_receiver_understands_us() -> None:
    """The Python of docs/auth.md is run as it stands."""
    path = Path(__file__).parents[3] / "docs" / "auth.md"
    text = await asyncio.to_thread(path.read_text, "utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    names: dict[str, Any] = {"SECRET": SECRET, "PAID_UP": {"pots"}}
    exec(code, names)  # noqa: S102 - our own documentation
    async with answering(names["may_publish"]) as url:
        async with asking(url, secret=SECRET) as webhook:
            denied = Verdict(allowed=False, reason="Renew your plan in the shop.")
            assert await webhook.judge(ATTEMPT) == denied
            assert await webhook.judge(replace(ATTEMPT, channel="pots")) == OPEN
        other = "whsec_" + base64.b64encode(bytes(32)).decode()
        async with asking(url, secret=other) as stranger:
            denied = Verdict(allowed=False, reason="Not signed by our server.")
            assert await stranger.judge(ATTEMPT) == denied


async def _redirects(request: web.Request) -> web.Response:
    raise web.HTTPFound("/elsewhere" if request.path == "/publish" else "/publish")


async def _fails(request: web.Request) -> web.Response:
    return web.Response(status=500, body=b"oops")


async def _says_nonsense(request: web.Request) -> web.Response:
    return web.Response(body=b'{"allow": "perhaps"}')


async def _says_too_much(request: web.Request) -> web.Response:
    return web.Response(body=b"x" * (MAX_ANSWER + 1))


async def _bombs(request: web.Request) -> web.Response:
    response = web.Response(body=bytes(20 * MAX_ANSWER))
    response.enable_compression(web.ContentCoding.gzip, strategy=0)
    return response


async def _breaks_off(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "100"})
    await response.prepare(request)
    await response.write(b'{"allow": false')
    assert request.transport is not None
    request.transport.abort()
    return response


async def _hangs(request: web.Request) -> web.Response:
    await asyncio.Event().wait()
    return web.Response()


async def _drips(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("handler", "cause"),
    [
        (_redirects, "it answered with status 302"),
        (_fails, "it answered with status 500"),
        (_says_nonsense, "it answered with an `allow` that is neither true nor false"),
        (_says_too_much, f"it answered with more than {MAX_ANSWER} bytes"),
        (_bombs, f"it answered with more than {MAX_ANSWER} bytes"),
        (_breaks_off, "the connection failed: ClientPayloadError"),
        (_hangs, "no answer within 0.3 s"),
        (_drips, "no answer within 0.3 s"),
    ],
)
async def test_no_verdict_is_decided_as_configured(handler: Handler, cause: str) -> None:
    timeout = 0.3 if handler in (_hangs, _drips) else 3.0
    async with answering(handler) as url:
        for fail_open, verdict in ((False, CLOSED), (True, LET_IN)):
            async with asking(url, timeout=timeout, fail_open=fail_open) as webhook:
                with capture_logs() as lines:
                    assert await webhook.judge(ATTEMPT) == verdict
            (line,) = lines
            assert line["event"] == "auth webhook gave no verdict"
            assert (line["cause"], line["allowed"]) == (cause, fail_open)
            assert (line["channel"], line["attempt"]) == ("tea", "pub_1")


async def test_nobody_there_is_told_without_the_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://user:hush@127.0.0.1:{port}/publish?token=hush"
    async with asking(url) as webhook:
        with capture_logs() as lines:
            assert await webhook.judge(ATTEMPT) == CLOSED
    assert "cannot connect" in lines[0]["cause"]
    assert "hush" not in repr(lines)
    assert "hush" not in repr(WebhookSettings(url, "hush"))


async def test_a_certificate_that_is_not_trusted_is_no_verdict(tmp_path: Path) -> None:
    tls = await asyncio.to_thread(_self_signed, tmp_path)

    async def answer(request: web.Request) -> web.Response:
        return web.Response()

    async with answering(answer, tls) as url, asking(url) as webhook:
        with capture_logs() as lines:
            assert await webhook.judge(ATTEMPT) == CLOSED
    assert "certificate" in lines[0]["cause"].lower()


async def test_a_question_that_hangs_holds_up_no_other() -> None:
    hanging = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        if (await request.json())["channel"] == "tea":
            hanging.set()
            await asyncio.Event().wait()
        return web.Response()

    async with answering(answer) as url, asking(url, timeout=30.0) as webhook:
        stuck = asyncio.create_task(webhook.judge(ATTEMPT))
        await asyncio.wait_for(hanging.wait(), 10)
        assert await webhook.judge(replace(ATTEMPT, channel="pots")) == OPEN
        assert not stuck.done()
        stuck.cancel()
        await asyncio.gather(stuck, return_exceptions=True)


async def test_questions_together_are_bounded() -> None:
    now, most, release = 0, 0, asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        nonlocal now, most
        if (await request.json())["channel"] == "tea":
            now += 1
            most = max(most, now)
            await release.wait()
            now -= 1
        return web.Response()

    async with answering(answer) as url, asking(url, timeout=30.0, together=3) as webhook:
        asked = [asyncio.create_task(webhook.judge(ATTEMPT)) for _ in range(20)]
        await eventually(lambda: now == 3)
        async with asking(url) as later:  # by now whatever was under way has come
            assert await later.judge(replace(ATTEMPT, channel="pots")) == OPEN
        release.set()
        assert await asyncio.gather(*asked) == [OPEN] * 20
    assert most == 3


async def test_waiting_for_a_turn_has_the_same_deadline() -> None:
    async with answering(_hangs) as url, asking(url, timeout=0.5, together=3) as webhook:
        with capture_logs() as lines:
            verdicts = await asyncio.gather(*(webhook.judge(ATTEMPT) for _ in range(20)))
    assert verdicts == [CLOSED] * 20
    assert {line["cause"] for line in lines} == {"no answer within 0.5 s"}


async def test_a_server_that_closes_kept_connections_loses_no_question() -> None:
    """An encoder that comes back after the webhook's own keep-alive ended is not refused."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head)
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        json.loads(await reader.readexactly(length))
        # Keeps the connection, as far as its answer says, and is gone.
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, asking(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/") as webhook:
        for _ in range(5):
            assert await webhook.judge(ATTEMPT) == OPEN
        await eventually(lambda: len(asked) == 5)


def _self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(key.private_bytes(pem, plain, serialization.NoEncryption()))
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context
