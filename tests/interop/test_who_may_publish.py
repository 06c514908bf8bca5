"""Keys, rotation, expiry and the auth webhook, with a real server and real RTMP publishers."""

from __future__ import annotations

import asyncio
import base64
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from standardwebhooks import Webhook

from ingest.rtmp.amf0 import Value
from ingest.rtmp.message import Command
from server.instant import rfc3339
from tests.helpers.anchor import Anchor, publishing
from tests.helpers.vitrine_server import Api, VitrineServer, calling, serving

pytestmark = pytest.mark.interop

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
SOON = 10.0
"""Seconds within which whoever may not go on is gone."""


@dataclass
class Shop:
    """The operator's own service: a webhook that says what each channel's entry tells."""

    verdicts: dict[str, tuple[int, str]] = field(default_factory=dict)
    hanging: set[str] = field(default_factory=set)
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        asked = Webhook(SECRET).verify(await request.read(), dict(request.headers))
        self.asked.append(asked)
        if asked["channel"] in self.hanging:
            await asyncio.Event().wait()
        status, text = self.verdicts.get(asked["channel"], (204, ""))
        return web.Response(status=status, text=text)


@asynccontextmanager
async def shop() -> AsyncIterator[tuple[Shop, str]]:
    made = Shop()
    app = web.Application()
    app.router.add_post("/publish", made.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield made, f"http://127.0.0.1:{runner.addresses[0][1]}/publish"
    finally:
        await runner.cleanup()


def port(server: VitrineServer) -> int:
    found = urlsplit(server.rtmp).port
    assert found is not None
    return found


async def vitrine(folder: Path, *words: str) -> str:
    """Run a command beside the server; give what it prints."""
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "server", *words, "--data-dir", str(folder / "data")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


async def last_words(anchor: Anchor) -> dict[str, Value]:
    """Read until the server closes; give what its last onStatus says."""
    messages = await anchor.publisher.messages_to_the_end()
    told = [m for m in messages if isinstance(m, Command) and m.name == "onStatus"]
    assert told, messages
    information = told[-1].arguments[1]
    assert isinstance(information, dict)
    return information


@asynccontextmanager
async def running(folder: Path, **settings: str) -> AsyncIterator[Api]:
    with serving(folder, settings) as server:
        async with calling(server) as api:
            yield api
    assert [event for event in server.events() if "exception" in event] == []


async def test_a_command_ends_who_broadcasts_with_the_old_key(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        made = await api.add_channel("tea")
        other = await api.add_channel("pots")
        async with (
            publishing(port(api.server), other.stream_key) as bystander,
            publishing(port(api.server), made.stream_key) as anchor,
        ):
            await api.until_state("tea", "live")
            printed = await vitrine(tmp_path, "channel", "rotate-key", "tea")
            told = time.monotonic()
            words = await last_words(anchor)
            assert time.monotonic() - told < SOON
            assert words["code"] == "NetStream.Failed"
            assert words["description"] == "This stream key was replaced; ask for the new one."
            async with publishing(port(api.server), made.stream_key) as again:
                assert again.status["code"] == "NetStream.Publish.BadName"
                assert "not known" in str(again.status["description"])
            new = printed.split()[2]
            async with publishing(port(api.server), new) as fresh:
                assert fresh.on_air
                await api.until_state("tea", "live")
                # With some time left to the old key nobody is cut.
                await vitrine(tmp_path, "channel", "rotate-key", "tea", "--keep-old", "5m")
                printed = await vitrine(tmp_path, "channel", "remove", "pots")
                assert "ends within seconds" in printed
                assert (await last_words(bystander))["code"] == "NetStream.Failed"
                assert (await api.channel("tea"))["state"] == "live"
                async with publishing(port(api.server), new) as back:
                    assert back.on_air, "the old key still begins broadcasts"


async def test_the_api_turns_out_at_once_and_expired_keys_are_told(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        made = await api.add_channel("tea")
        async with publishing(port(api.server), made.stream_key) as anchor:
            until = rfc3339(int(time.time() + 3) * 1000)
            body = {"expires_at": until}
            rotated = await api.call("POST", "/channels/tea/rotate-key", body)
            assert (await last_words(anchor))["description"] == (
                "This stream key was replaced; ask for the new one."
            )
        key = rotated["stream_key"]
        async with publishing(port(api.server), key) as anchor:
            assert anchor.on_air
            await api.until_state("tea", "live")
            await api.until(lambda now: now > until, _now, SOON)
            async with publishing(port(api.server), key) as back:
                assert back.on_air, "it comes back into its own broadcast"
            await api.end_show("tea")
        async with publishing(port(api.server), key) as late:
            assert late.status["code"] == "NetStream.Publish.BadName"
            assert late.status["description"] == (
                f"This stream key expired on {until[:10]} at {until[11:16]} UTC; ask for a new one."
            )


async def _now() -> str:
    return rfc3339(time.time_ns() // 1_000_000)


async def test_the_webhook_decides_and_holds_up_nobody_else(tmp_path: Path) -> None:
    async with shop() as (service, url):
        settings = {
            "INGEST__AUTH_WEBHOOK__URL": url,
            "INGEST__AUTH_WEBHOOK__SECRET": SECRET,
            "INGEST__AUTH_WEBHOOK__TIMEOUT_SECONDS": "4",
        }
        async with running(tmp_path, **settings) as api:
            hung, good = await api.add_channel("hung"), await api.add_channel("good")
            denied = await api.add_channel("denied")
            service.hanging.add("hung")
            service.verdicts["denied"] = (
                403,
                '{"reason": "Your plan ended; renew it in the shop."}',
            )
            rtmp = port(api.server)
            async with publishing(rtmp, "wrong") as stranger:
                assert stranger.status["code"] == "NetStream.Publish.BadName"
            assert service.asked == [], "a bad key makes no traffic"

            waiting = asyncio.create_task(_status(rtmp, hung.stream_key))
            await api.until(lambda asked: len(asked) == 1, _given(service.asked))
            async with publishing(rtmp, good.stream_key) as anchor:
                assert anchor.on_air
                assert not waiting.done(), "it was on the air while the other was waited for"
                await api.until_state("good", "live")
                assert await _status(rtmp, denied.stream_key) == (
                    "NetStream.Publish.Denied", "Your plan ended; renew it in the shop."
                )  # fmt: skip
            code, reason = await waiting
            assert code == "NetStream.Publish.Denied"
            assert "cannot ask" in reason
            first = next(asked for asked in service.asked if asked["channel"] == "good")
            assert first["event"] == "publish"
            assert (first["protocol"], first["app"], first["peer"]) == ("rtmp", "live", "127.0.0.1")
            assert first["encoder"].startswith("FMLE/3.0")
            assert not {made.stream_key for made in (hung, good, denied)} & set(first.values())
            log = api.server.log.read_text(encoding="utf-8")
            assert "auth webhook gave no verdict" in log
            assert SECRET not in log
            assert hung.stream_key not in log


async def test_a_webhook_that_is_down_lets_in_when_it_may(tmp_path: Path) -> None:
    async with shop() as (_, url):
        pass  # nobody listens there any more
    settings = {"INGEST__AUTH_WEBHOOK__URL": url, "INGEST__AUTH_WEBHOOK__FAIL": "open"}
    async with running(tmp_path, **settings) as api:
        made = await api.add_channel("tea")
        async with publishing(port(api.server), made.stream_key) as anchor:
            assert anchor.on_air
            await api.until_state("tea", "live")
        events = [e for e in api.server.events() if e["event"] == "auth webhook gave no verdict"]
        assert [(event["channel"], event["allowed"]) for event in events] == [("tea", True)]


async def gone(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def test_a_storm_is_refused_and_does_not_flood_the_log(tmp_path: Path) -> None:
    async with running(tmp_path, INGEST__MAX_CONNECTIONS_PER_ADDRESS="4") as api:
        server = urlsplit(api.server.rtmp)
        began = time.monotonic()
        held = [await asyncio.open_connection(server.hostname, server.port) for _ in range(4)]
        for _ in range(300):
            reader, writer = await asyncio.open_connection(server.hostname, server.port)
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await asyncio.wait_for(reader.readexactly(1), SOON)
            await gone(writer)
        seconds = time.monotonic() - began
        for _, writer in held:
            await gone(writer)
        told = [e for e in api.server.events() if e["event"] == "rtmp refused a connection"]
        assert 1 <= len(told) <= seconds + 1
        assert told[0]["reason"] == "too many connections from this address"
        assert told[0]["peer"].startswith("127.0.0.1:")


def _given(asked: list[dict[str, Any]]) -> Any:
    async def now() -> list[dict[str, Any]]:
        return asked

    return now


async def _status(rtmp: int, key: str) -> tuple[str, str]:
    async with publishing(rtmp, key) as anchor:
        return str(anchor.status["code"]), str(anchor.status["description"])
