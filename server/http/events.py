"""Server-sent events of a channel (HTML Living Standard 9.2), resumable and bounded.

Bounds: listeners per channel and events queued for each are the bus's; how long one write
may take is ours. A listener too slow for either is let go and comes back by itself.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import nullcontext

from aiohttp import web
from pydantic import BaseModel, Field

from server.bus import Event, Subscription
from server.http.body import read_query
from server.http.site import Site
from server.http.viewer import PRINCIPAL
from server.live.rounds import KIND as HEALTH

HEARTBEAT_SECONDS = 5.0
WRITE_SECONDS = 10.0
RETRY_MS = 2_000
FOR_RUNNERS = frozenset({HEALTH})
"""Kinds that only those who run the channel are told."""


class EventsQuery(BaseModel):
    after: int | None = Field(None, ge=0, le=2**63, description="As Last-Event-ID.")


class EventStream:
    def __init__(self, site: Site) -> None:
        self._site = site

    async def events(self, request: web.Request) -> web.StreamResponse:
        channel = await self._site.channels.get(request.match_info["channel"])
        after = read_query(request, EventsQuery).after
        last = request.headers.get("Last-Event-ID", "")
        if last.isascii() and last.isdigit() and len(last) < 20:
            after = int(last)
        who = request[PRINCIPAL]
        runs = who.may_run(channel.id)
        hidden = frozenset() if runs else FOR_RUNNERS
        viewer = who.viewer or request.remote or ""
        # Who runs the show is at work, not in the audience.
        present = nullcontext() if runs else self._site.audience.present(channel.id, viewer)
        async with self._site.bus.subscribe(channel.id, after, hidden) as subscription:
            with present:
                return await self._stream(request, channel.id, subscription)

    async def _stream(
        self, request: web.Request, channel: str, subscription: Subscription
    ) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream; charset=utf-8",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",
            }
        )
        await response.prepare(request)
        viewers = self._site.audience.count(channel)
        await _write(response, f"retry: {RETRY_MS}\n{_viewers(viewers)}")
        while True:
            try:
                event = await subscription.next(HEARTBEAT_SECONDS)
            except StopAsyncIteration:
                break
            text = _event(event) if event is not None else ": still here\n\n"
            now = self._site.audience.count(channel)
            if event is None and now != viewers:
                text = _viewers(now)
                viewers = now
            try:
                await _write(response, text)
            except (ConnectionError, TimeoutError):
                break
        return response


async def _write(response: web.StreamResponse, text: str) -> None:
    async with asyncio.timeout(WRITE_SECONDS):
        await response.write(text.encode())


def _event(event: Event) -> str:
    data = json.dumps(event.data, ensure_ascii=False, separators=(",", ":"))
    return f"id: {event.seq}\nevent: {event.kind}\ndata: {data}\n\n"


def _viewers(count: int) -> str:
    """A figure, not a fact of the record: it has no id and is not resumed."""
    return f'event: viewers\ndata: {{"count":{count}}}\n\n'
