"""For those who run the server: is it alive, is it ready, its figures."""

from __future__ import annotations

import asyncio

from aiohttp import web

from server.errors import VitrineError
from server.http.errors import problem
from server.http.metrics import CONTENT_TYPE
from server.http.reply import Reply, written
from server.http.site import Site

READY_SECONDS = 2.0


class OpsCalls:
    def __init__(self, site: Site) -> None:
        self._site = site

    async def healthz(self, request: web.Request) -> web.Response:
        """Alive: the loop answers."""
        return written(request, Reply({"status": "ok"}))

    async def readyz(self, request: web.Request) -> web.Response:
        """Ready: started, not stopping, and the store answers."""
        if not self._site.ready():
            return problem(503, "Starting or stopping.", headers={"Retry-After": "1"})
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self._site.channels.list()
        except (TimeoutError, VitrineError):
            return problem(503, "The store does not answer.", headers={"Retry-After": "1"})
        return written(request, Reply({"status": "ready"}))

    async def metrics(self, request: web.Request) -> web.Response:
        del request
        self._site.metrics.sample()
        text = await asyncio.to_thread(self._site.metrics.text)
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE})
