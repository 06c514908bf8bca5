"""A whole server on free ports, and a client for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from server.app import Vitrine
from server.config import load

OPERATOR = "operator-token-of-the-tests"


@dataclass(slots=True)
class Answer:
    status: int
    headers: Any
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class Client:
    server: Vitrine
    session: aiohttp.ClientSession
    keys: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server.http_port}"

    async def ask(
        self,
        method: str,
        path: str,
        *,
        token: str | None = OPERATOR,
        headers: dict[str, str] | None = None,
        **rest: Any,
    ) -> Answer:
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        async with self.session.request(
            method, self.base + path, headers=sent, allow_redirects=False, **rest
        ) as response:
            return Answer(response.status, response.headers, await response.read())

    async def channel(self, name: str = "tea") -> dict[str, str]:
        """Make a channel through the API and remember its keys."""
        made = await self.ask("POST", "/api/v1/channels", json={"id": name, "title": "Tea <b>"})
        assert made.status == 201, made.body
        self.keys[name] = made.json()
        return self.keys[name]


@asynccontextmanager
async def running(folder: Path, more: Mapping[str, object] | None = None) -> AsyncIterator[Client]:
    """Run a server with its data in `folder`; `more`: settings by dotted key."""
    overrides = {
        **(more or {}),
        "server.host": "127.0.0.1",
        "server.http_port": 0,
        "server.rtmp_port": 0,
        "server.data_dir": str(folder),
    }
    config = await asyncio.to_thread(load, None, overrides)
    server = Vitrine(config, {"VITRINE_ADMIN_TOKEN": OPERATOR})
    await server.start()
    timeout = aiohttp.ClientTimeout(total=20)
    try:
        async with aiohttp.ClientSession(
            timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
        ) as session:
            yield Client(server, session)
    finally:
        await server.stop()
