"""Where a channel's picture is pulled from, over HTTP: set, read, removed. For the operator."""

from __future__ import annotations

from dataclasses import asdict

from aiohttp import web

from server.errors import NotFound
from server.http.body import read_model
from server.http.documents import SourceSent
from server.http.reply import Reply
from server.http.site import Site
from server.source import Source


class SourceCalls:
    def __init__(self, site: Site) -> None:
        self._site = site

    async def put(self, request: web.Request) -> Reply:
        channel = await self._site.channels.get(request.match_info["channel"])
        sent = await read_model(request, SourceSent)
        await self._site.sources.put(channel.id, source_of(sent))
        await self._site.pulls.refresh()
        return self._reply(channel.id)

    async def get(self, request: web.Request) -> Reply:
        channel = request.match_info["channel"]
        await self._site.sources.get(channel)
        await self._site.pulls.refresh()
        return self._reply(channel)

    async def remove(self, request: web.Request) -> Reply:
        await self._site.sources.remove(request.match_info["channel"])
        await self._site.pulls.refresh()
        return Reply(None, status=204)

    def _reply(self, channel: str) -> Reply:
        document = source_document(self._site, channel)
        if document is None:  # removed in between
            raise NotFound("source of channel", channel[:64])
        return Reply(document)


def source_of(sent: SourceSent) -> Source:
    return Source(sent.url, sent.loop, sent.enabled)


def source_document(site: Site, channel: str) -> dict[str, object] | None:
    """Write a channel's source, its secrets masked; None where it has none."""
    state = site.pulls.state(channel)
    return None if state is None else asdict(state)
