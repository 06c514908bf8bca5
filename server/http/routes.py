"""The URL table. Everything that the server answers, on one page.

Each call of the API says who may make it and what goes in and out: the router, the checks
and `openapi.json` all read this table.
"""

from __future__ import annotations

from aiohttp import web

from server.http import documents as d
from server.http import documents_playback as p
from server.http import documents_recording as r
from server.http import hls, poster, replay, replay_show
from server.http.body import BODY_LIMIT
from server.http.channels import ChannelCalls
from server.http.events import EventsQuery, EventStream
from server.http.idempotency import Idempotency
from server.http.openapi import describe
from server.http.ops import OpsCalls
from server.http.pages import Pages
from server.http.paging import PageQuery
from server.http.playback import check, doors
from server.http.playback_calls import PlaybackCalls
from server.http.reply import Reply, written
from server.http.route import Access, Route, Stream
from server.http.sessions import LogQuery, SessionCalls
from server.http.shop import ImportQuery, ShopCalls, TimelineQuery
from server.http.site import Site
from server.http.sources import SourceCalls
from server.http.viewer import PRINCIPAL, principal
from server.http.whep import WhepCalls
from server.http.whip import WhipCalls
from server.http.writes import Writes

API = "/api/v1"
_C = f"{API}/channels/{{channel}}"


def api(site: Site) -> tuple[Route, ...]:
    """Give the API's calls."""
    channels, shop, events = ChannelCalls(site), ShopCalls(site), EventStream(site)
    sources, sessions = SourceCalls(site), SessionCalls(site)
    playback = PlaybackCalls(site)
    anybody, anchor, operator = Access.ANYBODY, Access.CHANNEL, Access.OPERATOR
    limits = site.limits
    # fmt: off
    return (
        Route("POST", f"{API}/channels", channels.add, operator, "Make a channel",
              d.ChannelMade, 201, d.ChannelSent, limit=limits.json, secret=True),
        Route("GET", f"{API}/channels", channels.list, anybody, "List channels",
              d.Channels, query=PageQuery),
        Route("GET", _C, channels.get, anybody, "Read a channel and its state", d.Channel),
        Route("PATCH", _C, channels.change, anchor,
              "Change the title; for the operator, who may watch", d.ChannelChanged,
              body=d.ChannelChange, secret=True),
        Route("DELETE", _C, channels.remove, operator, "Remove a channel and all of it",
              status=204),
        Route("POST", f"{_C}/rotate-key", channels.rotate_key, operator,
              "Replace the stream key; the old one's publisher is let go unless it is kept",
              d.KeyMade, body=d.RotateSent, secret=True),
        Route("POST", f"{_C}/stop", channels.stop, anchor, "End the broadcast", d.Channel),
        Route("PUT", f"{_C}/source", sources.put, operator,
              "Have the channel's picture pulled from an address", d.Source, body=d.SourceSent,
              limit=limits.json),
        Route("GET", f"{_C}/source", sources.get, operator, "Read where it is pulled from",
              d.Source),
        Route("DELETE", f"{_C}/source", sources.remove, operator, "Pull no longer", status=204),
        Route("POST", f"{_C}/playback/rotate-key", playback.rotate, operator,
              "Replace the key that signs playback tokens", p.PlaybackKeyMade,
              body=p.PlaybackRotateSent, secret=True),
        Route("POST", f"{_C}/playback/tokens", playback.mint, anchor,
              "Make a playback token, as your own site would", p.TokenMade, 201, p.TokenSent,
              secret=True),
        Route("POST", f"{_C}/viewers", channels.greet, anybody, "Get a viewer's token",
              d.ViewerMade, 201, secret=True),
        Route("PUT", f"{_C}/products/{{product}}", shop.put_product, anchor,
              "Add or replace a product", d.Product, body=d.ProductSent, limit=limits.product),
        Route("GET", f"{_C}/products", shop.products, anybody, "List products",
              d.Products, query=PageQuery),
        Route("GET", f"{_C}/products/{{product}}", shop.product, anybody, "Read a product",
              d.Product),
        Route("DELETE", f"{_C}/products/{{product}}", shop.remove_product, anchor,
              "Remove a product", status=204),
        Route("PUT", f"{_C}/products/{{product}}/image", shop.put_image, anchor,
              f"Give a product its picture, at most {limits.image} bytes", d.Product,
              binary="image/*", limit=limits.image),
        Route("POST", f"{_C}/products:import", shop.import_products, anchor,
              f"Import a feed, at most {limits.feed} bytes", d.Imported, query=ImportQuery,
              binary="text/csv", limit=limits.feed),
        Route("POST", f"{_C}/pins", shop.pin, anchor, "Pin a product to the picture",
              d.Pin, 201, d.PinSent, limit=limits.json),
        Route("DELETE", f"{_C}/pins/{{pin}}", shop.unpin, anchor, "End a pin", d.Pin),
        Route("GET", f"{_C}/pins", shop.pins, anybody, "List what is pinned", d.Pins,
              query=PageQuery),
        Route("GET", f"{_C}/timeline", shop.timeline, anybody, "Read what was shown when",
              d.Timeline, query=TimelineQuery),
        Route("GET", f"{_C}/events", None, anybody,
              "Follow the channel by server-sent events (`health`: for who runs it)",
              query=EventsQuery, stream=events.events),
        Route("GET", f"{_C}/sessions", sessions.list, anybody,
              "List the channel's recordings, newest first", r.Sessions, query=PageQuery),
        Route("GET", f"{_C}/sessions/{{session}}", sessions.get, anybody, "Read of a recording",
              r.Session),
        Route("DELETE", f"{_C}/sessions/{{session}}", sessions.remove, operator,
              "Remove a recording, unless it is on hold", status=204),
        Route("PUT", f"{_C}/sessions/{{session}}/hold", sessions.hold, operator,
              "Put a legal hold on a recording, or end it", r.Session, body=r.HoldSent),
        Route("GET", f"{_C}/recording-log", sessions.log, operator,
              "Read what was done with the channel's recordings", r.RecordingLog, query=LogQuery),
        Route("GET", f"{API}/recordings/usage", sessions.usage, operator,
              "Read what recordings take of the disk", r.Usage),
        Route("GET", f"{API}/profiles", channels.profiles, anybody, "List the profiles",
              d.Profiles, query=PageQuery),
        Route("GET", f"{API}/profiles/{{name}}", channels.profile, anybody, "Read a profile",
              d.Profile),
    )
    # fmt: on


def add_routes(app: web.Application, site: Site, pages: Pages) -> None:
    """Mount everything."""
    ops, shop = OpsCalls(site), ShopCalls(site)
    once, writes = Idempotency(site.store, site.clock), Writes()
    get = app.router.add_get  # HEAD too (RFC 9110 9.3.2)
    routes = api(site)
    for route in routes:
        answer = _guarded(site, once, writes, route)
        if route.method == "GET":
            get(route.path, answer, allow_head=route.stream is None)
        else:
            app.router.add_route(route.method, route.path, answer)
    get(f"{API}/openapi.json", _openapi(routes))
    get("/api/docs", pages.docs)
    get("/api/docs/{path}", pages.docs_asset)
    poster.add_routes(app, site.posters)
    hls.add_routes(app, site.live)
    replay_show.add_routes(app, site.recordings, pages.replay)
    replay.add_routes(app, site.recordings.library)
    WhipCalls(site).add_routes(app)
    WhepCalls(site).add_routes(app)
    for door in doors("/playback"):
        get(door, check)
    get("/images/{name}", shop.image)
    get("/", pages.lobby)
    get("/watch/{channel}", pages.watch)
    get("/embed/{channel}", pages.embed)
    get("/studio/{channel}", pages.studio)
    get("/studio/{channel}/camera", pages.camera)
    get("/ops", pages.ops)
    get("/player/{path:.+}", pages.asset)
    get("/favicon.ico", pages.icon)
    get("/healthz", ops.healthz)
    get("/readyz", ops.readyz)
    get("/metrics", ops.metrics)


def _guarded(site: Site, once: Idempotency, writes: Writes, route: Route) -> Stream:
    async def answer(request: web.Request) -> web.StreamResponse:
        who = request[PRINCIPAL] = await principal(site, request)
        request[BODY_LIMIT] = route.limit
        if route.access is Access.OPERATOR:
            who.require_operator()
        elif route.access is Access.CHANNEL:
            who.require_channel(request.match_info["channel"])
        if route.stream is not None:
            return await route.stream(request)
        if route.call is None:
            raise LookupError(f"nobody answers {route.method} {route.path}")
        if route.method == "GET":
            return written(request, await route.call(request))
        work = once.once(request, who, route.secret, route.call)
        return written(request, await writes.finish(work))

    return answer


def _openapi(routes: tuple[Route, ...]) -> Stream:
    reply = Reply(describe(routes), tagged=True)

    async def answer(request: web.Request) -> web.StreamResponse:
        return written(request, reply)

    return answer
