"""A plain HTTP server over a folder, with ranges and redirects, as sources are found on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler


@dataclass
class WebFiles:
    folder: Path
    port: int = 0
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """Path and Authorization of each request."""
    ranges: bool = True
    """Whether parts of files are given."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def application(self) -> web.Application:
        @web.middleware
        async def note(request: web.Request, handler: Handler) -> web.StreamResponse:
            self.asked.append((request.path, request.headers.get("Authorization")))
            return await handler(request)

        async def moved(request: web.Request) -> web.StreamResponse:
            raise web.HTTPFound(request.query["to"])

        async def whole(request: web.Request) -> web.StreamResponse:
            data = await asyncio.to_thread((self.folder / request.match_info["name"]).read_bytes)
            return web.Response(body=data)

        app = web.Application(middlewares=[note])
        if not self.ranges:
            app.router.add_get("/{name}", whole)
            return app
        app.router.add_get("/moved", moved)
        app.router.add_static("/", self.folder)
        return app


@asynccontextmanager
async def offering(files: WebFiles) -> AsyncIterator[WebFiles]:
    """Serve until the block ends; on the same port when it is begun again."""
    runner = web.AppRunner(files.application(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", files.port, reuse_address=True).start()
        files.port = int(runner.addresses[0][1])
        yield files
    finally:
        await runner.cleanup()
