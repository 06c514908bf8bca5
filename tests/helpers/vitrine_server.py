"""The real server as a process of its own on free loopback ports, and a client of its API."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import aiohttp
import psutil

START_SECONDS = 60.0
STOP_SECONDS = 30.0
POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class VitrineServer:
    """A running `vitrine serve`."""

    url: str
    rtmp: str
    token: str
    """The operator's."""
    pid: int
    log: Path
    http_port: int
    rtmp_port: int

    def events(self) -> list[dict[str, Any]]:
        """Read everything that the server has logged, one object a line."""
        return _logged(self.log)

    def workers(self) -> list[int]:
        """Give the process ids of the transcoding workers."""
        found = []
        for child in psutil.Process(self.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):  # others come and go
                if "transcode.worker" in child.cmdline():
                    found.append(child.pid)
        return found


@contextmanager
def serving(
    folder: Path,
    settings: Mapping[str, str] | None = None,
    *,
    after: VitrineServer | None = None,
) -> Iterator[VitrineServer]:
    """Run the server with its data in `folder`; ready when the block begins.

    `settings` by their environment variables' names, VITRINE_ cut off. `after`: one that has
    ended, whose token and ports it takes. Raises AssertionError with the end of its log when it
    does not start.
    """
    token = after.token if after else secrets.token_urlsafe(24)
    ports = (after.http_port, after.rtmp_port) if after else (0, 0)
    log = folder / f"log-{secrets.token_hex(4)}.jsonl"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [
                sys.executable, "-m", "server", "serve", "--data-dir", str(folder / "data"),
                "--host", "127.0.0.1", "--http-port", str(ports[0]), "--rtmp-port", str(ports[1]),
            ],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env={
                **os.environ,
                "VITRINE_ADMIN_TOKEN": token,
                "VITRINE_LOG__FORMAT": "json",
                **{f"VITRINE_{name}": value for name, value in (settings or {}).items()},
            },
        )  # fmt: skip
    try:
        http, rtmp = _ports(process, log)
        server = VitrineServer(
            url=f"http://127.0.0.1:{http}",
            rtmp=f"rtmp://127.0.0.1:{rtmp}/live",
            token=token,
            pid=process.pid,
            log=log,
            http_port=http,
            rtmp_port=rtmp,
        )
        _until_ready(server)
        yield server
    finally:
        _end(process)


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel as it was made, its secrets included."""

    id: str
    stream_key: str
    anchor_token: str


class Api:
    """Calls to the server's API as the operator."""

    def __init__(self, server: VitrineServer, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.session = session

    async def call(self, method: str, path: str, body: object = None) -> Any:
        """Call `/api/v1` + `path`; give the answer's JSON. Fails on a status of 300 or more."""
        async with self.session.request(
            method, f"{self.server.url}/api/v1{path}", json=body
        ) as answer:
            text = await answer.text()
            assert answer.status < 300, f"{method} {path}: {answer.status} {text}"
            return json.loads(text) if text else None

    async def add_channel(self, name: str, **overlay: str) -> Channel:
        """Make a channel with these overlay settings."""
        body = {"id": name, "title": name.title(), "overlay": overlay}
        made = await self.call("POST", "/channels", body)
        return Channel(made["id"], made["stream_key"], made["anchor_token"])

    async def put_product(self, channel: str, product: str, **fields: object) -> Any:
        return await self.call("PUT", f"/channels/{channel}/products/{product}", fields)

    async def pin(self, channel: str, product: str, **anchor: str) -> Any:
        """Pin a product; `anchor` and `t_media` as the API names them."""
        return await self.call(
            "POST", f"/channels/{channel}/pins", {"product_id": product, **anchor}
        )

    async def unpin(self, channel: str, pin: str) -> Any:
        return await self.call("DELETE", f"/channels/{channel}/pins/{pin}")

    async def channel(self, channel: str) -> Any:
        return await self.call("GET", f"/channels/{channel}")

    async def intervals(self, channel: str) -> dict[str, Any]:
        """Give the timeline's intervals by pin id."""
        timeline = await self.call("GET", f"/channels/{channel}/timeline")
        return {item["id"]: item for item in timeline["intervals"]}

    async def until_state(self, channel: str, state: str, within: float = 60.0) -> Any:
        """Wait until the channel is `live` or `offline`; give its document."""
        return await self.until(
            lambda found: found["state"] == state, lambda: self.channel(channel), within
        )

    async def end_show(self, channel: str) -> None:
        """End a broadcast whose sender may have left without a goodbye."""
        await self.call("POST", f"/channels/{channel}/stop")
        await self.until_state(channel, "offline")

    async def until(
        self, good: Callable[[Any], bool], ask: Callable[[], Any], within: float = 30.0
    ) -> Any:
        """Poll `ask()` until `good(answer)`; give the answer. Raises TimeoutError with the last."""
        end = time.monotonic() + within
        while True:
            found = await ask()
            if good(found):
                return found
            if time.monotonic() > end:
                raise TimeoutError(f"after {within:.0f} s still {found}")
            await asyncio.sleep(POLL_SECONDS)


@asynccontextmanager
async def calling(server: VitrineServer) -> AsyncIterator[Api]:
    """Open a client of the API."""
    async with aiohttp.ClientSession(
        headers={"Authorization": f"Bearer {server.token}"},
        timeout=aiohttp.ClientTimeout(total=40),
        cookie_jar=aiohttp.DummyCookieJar(),
        connector=aiohttp.TCPConnector(limit=0),
    ) as session:
        yield Api(server, session)


def _logged(log: Path) -> list[dict[str, Any]]:
    found = []
    for line in log.read_text(encoding="utf-8").splitlines():
        with contextlib.suppress(json.JSONDecodeError):
            found.append(json.loads(line))
    return found


def _ports(process: subprocess.Popen[bytes], log: Path) -> tuple[int, int]:
    """Read the ports from the server's `ready`."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        for event in _logged(log):
            if event.get("event") == "ready":
                return event["http_port"], event["rtmp_port"]
        time.sleep(POLL_SECONDS)
    raise AssertionError(f"the server did not start: {log.read_text(encoding='utf-8')[-2000:]}")


def _until_ready(server: VitrineServer) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            with urlopen(f"{server.url}/readyz", timeout=5) as answer:  # noqa: S310 - loopback
                if answer.status == 200:
                    return
        except URLError:
            pass
        assert time.monotonic() < end, "/readyz did not answer 200"
        time.sleep(POLL_SECONDS)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise AssertionError("the server did not stop in time") from None
