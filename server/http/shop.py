"""The shop over HTTP: products, pictures, imports, pins, the timeline."""

from __future__ import annotations

from aiohttp import web
from pydantic import BaseModel, Field

from server.errors import Invalid, NotFound, Problem
from server.http.assets import holds
from server.http.body import read_body, read_json, read_model, read_query
from server.http.documents import PinSent
from server.http.paging import PageQuery, page
from server.http.reply import Reply
from server.http.site import Site
from server.http.viewer import PRINCIPAL
from server.instant import parse_rfc3339, rfc3339
from server.shop.answers import event_json, interval_json, intervals_json, product_json
from server.shop.draft import parse
from server.shop.feeds import Format
from server.shop.pins import PinRequest
from server.store.port import Change

_FEED_TYPES = {"text/csv": Format.CSV, "application/json": Format.JSON}


class ImportQuery(BaseModel):
    format: Format | None = Field(None, description="Else told by the Content-Type.")


class TimelineQuery(BaseModel):
    from_: str | None = Field(
        None, alias="from", description="RFC 3339; what ended before is left out."
    )
    to: str | None = Field(None, description="RFC 3339.")


class ShopCalls:
    def __init__(self, site: Site) -> None:
        self._site = site
        self._shop = site.shop

    # Products

    async def put_product(self, request: web.Request) -> Reply:
        product_id = request.match_info["product"]
        sent = await read_json(request)
        if sent.setdefault("id", product_id) != product_id:
            raise Invalid(Problem("id", "differs from the id in the address"))
        put = await self._shop.put_product(_channel(request), parse(sent), _actor(request))
        status = 201 if put.change is Change.CREATED else 200
        return Reply(product_json(put.product), status=status)

    async def put_image(self, request: web.Request) -> Reply:
        data = await read_body(request)
        product = request.match_info["product"]
        put = await self._shop.put_image(_channel(request), product, data, _actor(request))
        return Reply(product_json(put.product))

    async def product(self, request: web.Request) -> Reply:
        found = await self._shop.product(_channel(request), request.match_info["product"])
        return Reply(product_json(found), tagged=True)

    async def products(self, request: web.Request) -> Reply:
        query = read_query(request, PageQuery)
        found = await self._shop.products(_channel(request), query.after, query.limit + 1)
        shown = found[: query.limit]
        more = shown[-1].id if len(found) > len(shown) else None
        return Reply({"items": [product_json(p) for p in shown], "next": more}, tagged=True)

    async def remove_product(self, request: web.Request) -> Reply:
        product = request.match_info["product"]
        await self._shop.remove_product(_channel(request), product, _actor(request))
        return Reply(None, status=204)

    async def import_products(self, request: web.Request) -> Reply:
        kind = read_query(request, ImportQuery).format or _FEED_TYPES.get(request.content_type)
        if kind is None:
            known = ", ".join(item.value for item in Format)
            raise Invalid(Problem("format", f"must be one of {known}"))
        data = await read_body(request)
        done = await self._shop.import_feed(_channel(request), data, kind, _actor(request))
        rejected = [{"line": item.line, "reason": item.reason} for item in done.rejected]
        return Reply(
            {
                "imported": done.imported,
                "updated": done.updated,
                "unchanged": done.unchanged,
                "rejected": rejected,
            }
        )

    async def image(self, request: web.Request) -> web.Response:
        """Serve a stored picture; its name is made from its content, so it never changes."""
        name = request.match_info["name"]
        etag = f'"{name[:32]}"'
        headers = {"ETag": etag, "Cache-Control": "public, max-age=31536000, immutable"}
        image = await self._shop.image(name)
        if image is None:
            raise NotFound("image", name[:80])
        headers |= {
            "Access-Control-Allow-Origin": "*",
            "Cross-Origin-Resource-Policy": "cross-origin",
        }
        if holds(request, etag):
            return web.Response(status=304, headers=headers)
        return web.Response(body=image.data, content_type=image.content_type, headers=headers)

    # Pins

    async def pin(self, request: web.Request) -> Reply:
        sent = await read_model(request, PinSent)
        t_media = None if sent.t_media is None else _instant("t_media", sent.t_media)
        wanted = PinRequest(sent.product_id, sent.anchor, t_media)
        channel = _channel(request)
        interval = await self._shop.pin(channel, wanted, _actor(request))
        return Reply(
            interval_json(interval),
            status=201,
            location=f"/api/v1/channels/{channel}/pins/{interval.id}",
        )

    async def unpin(self, request: web.Request) -> Reply:
        pin = request.match_info["pin"]
        return Reply(interval_json(await self._shop.unpin(_channel(request), pin, _actor(request))))

    async def pins(self, request: web.Request) -> Reply:
        query = read_query(request, PageQuery)
        found = await self._shop.pins(_channel(request))
        return Reply(page(found, query, lambda item: item.id, interval_json))

    async def timeline(self, request: web.Request) -> Reply:
        """Answer the snapshot; the same content has the same ETag, so it holds no clock."""
        query = read_query(request, TimelineQuery)
        since = None if query.from_ is None else _instant("from", query.from_)
        until = None if query.to is None else _instant("to", query.to)
        snapshot = await self._shop.timeline(_channel(request), since, until)
        session = snapshot.session
        ended = session.ended_ms if session else None
        return Reply(
            {
                "session": session.id if session else None,
                "started_at": rfc3339(session.started_ms) if session else None,
                "ended_at": None if ended is None else rfc3339(ended),
                "seq": snapshot.seq,
                "cursor": snapshot.cursor,
                "intervals": intervals_json(snapshot.intervals, snapshot.products),
                "events": [event_json(event) for event in snapshot.events],
            },
            tagged=True,
        )


def _channel(request: web.Request) -> str:
    return request.match_info["channel"]


def _actor(request: web.Request) -> str:
    return request[PRINCIPAL].actor


def _instant(name: str, text: str) -> int:
    try:
        # In a query a `+` of the zone may have come as a space.
        return parse_rfc3339(text.strip().replace(" ", "+"))
    except ValueError as error:
        raise Invalid(Problem(name, str(error))) from error
