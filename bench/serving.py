"""A real server in a process of its own, for benchmarks of the whole way.

Imports aiohttp.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from bench.report import BenchError

START_SECONDS = 60.0
END_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Server:
    url: str
    rtmp: str
    token: str = field(repr=False)
    process: asyncio.subprocess.Process


def free_port() -> int:
    """Find a port of the loopback interface that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


async def end(process: asyncio.subprocess.Process) -> None:
    """End a process; by force after a while."""
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), END_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()


@contextlib.asynccontextmanager
async def serving(folder: str | Path) -> AsyncIterator[Server]:
    """Run a server with its data in `folder` until the block ends."""
    http, rtmp, token = free_port(), free_port(), secrets.token_urlsafe(24)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "server", "serve", "--data-dir", str(folder), "--host", "127.0.0.1",
        "--http-port", str(http), "--rtmp-port", str(rtmp),
        env={"VITRINE_LOG__LEVEL": "warning", **os.environ, "VITRINE_ADMIN_TOKEN": token},
    )  # fmt: skip
    try:
        yield Server(f"http://127.0.0.1:{http}", f"rtmp://127.0.0.1:{rtmp}/live", token, process)
    finally:
        await end(process)


def client_of(server: Server) -> aiohttp.ClientSession:
    """Give an HTTP client that is the operator."""
    return aiohttp.ClientSession(
        server.url,
        headers={"Authorization": f"Bearer {server.token}"},
        timeout=aiohttp.ClientTimeout(total=30),
    )


async def call(client: aiohttp.ClientSession, method: str, path: str, body: object = None) -> Any:
    """Make one API call; give its answer's JSON. Raises BenchError when it is refused."""
    async with client.request(method, path, json=body) as answer:
        text = await answer.text()
        if answer.status >= 300:
            raise BenchError(f"{method} {path}: {answer.status} {text[:200]}")
        return json.loads(text) if text else None


async def until_found(client: aiohttp.ClientSession, path: str, every: float = 0.25) -> str:
    """Poll a path until it is 200; BenchError after START_SECONDS."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(aiohttp.ClientConnectionError):
            async with client.get(path) as answer:
                if answer.status == 200:
                    return await answer.text(errors="replace")
        await asyncio.sleep(every)
    raise BenchError(f"{path} was not there after {START_SECONDS:.0f} s")
