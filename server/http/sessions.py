"""Recordings over HTTP: listed, held, removed; the log of it, and what they take."""

from __future__ import annotations

from dataclasses import asdict

import structlog
from aiohttp import web
from pydantic import BaseModel, Field

from server.http.body import read_model, read_query
from server.http.documents_recording import HoldSent
from server.http.paging import PageQuery
from server.http.reply import Reply
from server.http.site import Site
from server.http.viewer import PRINCIPAL
from server.instant import rfc3339
from server.record.catalogue import Entry, Hold, LogLine

BY_REQUEST = "removed by request"


class LogQuery(BaseModel):
    after: int = Field(0, ge=0, description="The last `seq` already seen.")
    limit: int = Field(100, ge=1, le=500, description="At most so many.")


class SessionCalls:
    def __init__(self, site: Site) -> None:
        self._site = site
        self._recordings = site.recordings
        self._log = structlog.get_logger("record")

    async def list(self, request: web.Request) -> Reply:
        query = read_query(request, PageQuery)
        channel = request.match_info["channel"]
        catalogue = self._recordings.catalogue
        found = await catalogue.page(channel, query.after, query.limit + 1)
        if not found and query.after is None:
            await self._site.channels.get(channel)  # recordings outlive their channel
        shown = found[: query.limit]
        more = shown[-1].session if len(found) > len(shown) else None
        return Reply({"items": [self._document(entry, request) for entry in shown], "next": more})

    async def get(self, request: web.Request) -> Reply:
        entry = await self._recordings.library.entry(*_names(request))
        return Reply(self._document(entry, request))

    async def remove(self, request: web.Request) -> Reply:
        channel, session = _names(request)
        actor = request[PRINCIPAL].actor
        freed = await self._recordings.retention.remove(channel, session, actor, BY_REQUEST)
        self._log.info(
            "recording removed", channel=channel, session=session, bytes=freed, actor=actor
        )
        return Reply(None, status=204)

    async def hold(self, request: web.Request) -> Reply:
        sent = await read_model(request, HoldSent)
        by = Hold(sent.reason, request[PRINCIPAL].actor, self._site.clock.wall_ms())
        library = self._recordings.library
        entry = await library.set_hold(*_names(request), by, held=sent.hold)
        return Reply(self._document(entry, request))

    async def log(self, request: web.Request) -> Reply:
        query = read_query(request, LogQuery)
        channel = request.match_info["channel"]
        found = await self._recordings.catalogue.log(channel, query.after, query.limit + 1)
        shown = found[: query.limit]
        more = shown[-1].seq if len(found) > len(shown) else None
        return Reply({"items": [_log_document(each) for each in shown], "next": more})

    async def usage(self, _request: web.Request) -> Reply:
        return Reply(await self._recordings.usage())

    def _document(self, entry: Entry, request: web.Request) -> dict[str, object]:
        """Write a recording; who holds it and until when it stays is told those who run it only."""
        document = session_document(entry, self._recordings.retention.expires_ms(entry))
        if not request[PRINCIPAL].may_run(entry.channel):
            for name in ("hold", "expires_at"):
                del document[name]
        return document


def session_document(entry: Entry, expires_ms: int | None) -> dict[str, object]:
    """Write a recording as the API has it."""
    ended, hold = entry.ended_ms, entry.hold
    return {
        "id": entry.session,
        "channel": entry.channel,
        "title": entry.title,
        "state": "live" if ended is None else "ended",
        "started_at": rfc3339(entry.started_ms),
        "ended_at": None if ended is None else rfc3339(ended),
        "duration_seconds": entry.duration_ms / 1000,
        "bytes": entry.size,
        "gaps": entry.gaps,
        "hold": None
        if hold is None
        else {"reason": hold.reason, "actor": hold.actor, "since": rfc3339(hold.since_ms)},
        "expires_at": None if expires_ms is None else rfc3339(expires_ms),
        "uploaded": entry.uploaded,
        "replay_url": None
        if ended is None
        else f"/replay/{entry.channel}/{entry.session}/index.m3u8",
    }


def _log_document(each: LogLine) -> dict[str, object]:
    fields = asdict(each)
    fields["at"] = rfc3339(fields.pop("at_ms"))
    fields["deed"] = each.deed.value
    return fields


def _names(request: web.Request) -> tuple[str, str]:
    return request.match_info["channel"], request.match_info["session"]
