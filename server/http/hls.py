"""The origin over HTTP: playlists and media of live channels, from memory.

aiohttp only at this floor. What is answered is `server.hls.edge`'s to say; here are
status codes, caching, codings, ranges and cross-origin reads. Any page may read live
media, errors included.
"""

from __future__ import annotations

import re
from typing import Protocol

from aiohttp import web
from multidict import CIMultiDict

from server.hls.answer import Answer
from server.hls.edge import Edge
from server.hls.request import Refusal, Refuse
from server.http.errors import problem
from server.http.playback import doors

STATUSES = {
    Refusal.BAD_REQUEST: 400,
    Refusal.NOT_FOUND: 404,
    Refusal.UNAVAILABLE: 503,
}
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Age, Content-Length, Content-Range, Date, ETag, Retry-After",
    "Timing-Allow-Origin": "*",
}
PREFLIGHT = {
    **CORS,
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "Range, If-None-Match, If-Modified-Since, Cache-Control",
    "Access-Control-Max-Age": "86400",
}
_RANGE = re.compile(r"bytes=(?=.*[0-9])([0-9]{0,18})-([0-9]{0,18})", re.IGNORECASE)
"""Of one range; numbers beyond are no file's."""


class Origin(Protocol):
    def edge(self, channel_id: str) -> Edge | None:
        """Return the channel's edge while it is live, or still owed to its viewers."""
        ...


def add_routes(app: web.Application, origin: Origin) -> None:
    """Mount everything below `/live/`."""

    async def live_index(request: web.Request) -> web.Response:
        edge = origin.edge(request.match_info["channel"])
        if edge is None:
            return offline()
        return respond(request, await edge.playlist(None, request.query))

    async def live_playlist(request: web.Request) -> web.Response:
        edge = origin.edge(request.match_info["channel"])
        if edge is None:
            return offline()
        rendition = request.match_info["rendition"]
        return respond(request, await edge.playlist(rendition, request.query))

    async def live_media(request: web.Request) -> web.Response:
        edge = origin.edge(request.match_info["channel"])
        if edge is None:
            return offline()
        rendition, name = request.match_info["rendition"], request.match_info["name"]
        return respond(request, await edge.media(rendition, name))

    # They are tried in this order: the busiest first, but for `~`, which begins no rendition.
    for door in doors("/live"):
        app.router.add_get(f"{door}/{{rendition}}/index.m3u8", live_playlist)
        app.router.add_get(f"{door}/{{rendition}}/{{name}}", live_media)
        app.router.add_get(f"{door}/index.m3u8", live_index)
    app.router.add_route("OPTIONS", "/live/{tail:.*}", _preflight)
    app.router.add_route("*", "/live/{tail:.*}", _elsewhere)


def respond(request: web.Request, answer: Answer | Refuse) -> web.Response:
    """Make the response: conditional (RFC 9110 13), in parts (14), coded as accepted."""
    if isinstance(answer, Refuse):
        return refusal_of(answer)
    headers = headers_of(answer)
    asked = request.headers
    if "If-None-Match" in asked and _matches(asked["If-None-Match"], answer.etag):
        del headers["Content-Type"]
        return web.Response(status=304, headers=headers)
    if answer.gzip is not None and takes_gzip(asked.get("Accept-Encoding", "")):
        headers["Content-Encoding"] = "gzip"
        return web.Response(body=answer.gzip.body(), headers=headers)
    if answer.gzip is not None:
        return web.Response(body=answer.body, headers=headers)
    headers["Accept-Ranges"] = "bytes"
    part = span(request, len(answer.body), answer.etag)
    if part is None:
        return web.Response(body=answer.body, headers=headers)
    if not part:
        return outside(len(answer.body))
    headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{len(answer.body)}"
    return web.Response(status=206, body=answer.body[part.start : part.stop], headers=headers)


def headers_of(answer: Answer) -> CIMultiDict[str]:
    """Give what the answer's own headers are, in whichever coding and part it is sent."""
    headers = CIMultiDict(CORS)
    headers["Content-Type"] = answer.content_type
    headers["ETag"] = answer.etag
    headers["Cache-Control"] = f"max-age={answer.max_age}" + (
        ", immutable" if answer.immutable else ""
    )
    if answer.gzip is not None:
        headers["Vary"] = "Accept-Encoding"
    return headers


def span(request: web.Request, size: int, etag: str) -> range | None:
    """Give which bytes of a body are asked for; none: they lie outside; None: all (RFC 9110 14.2).

    Several ranges at once, another unit, or one of another version get the whole.
    """
    asked = _RANGE.fullmatch(request.headers.get("Range", ""))
    if asked is None or request.headers.get("If-Range", etag) != etag:
        return None
    first, last = asked.groups()
    if not first:
        return range(max(0, size - int(last)), size)
    if last and int(last) < int(first):
        return None
    return range(int(first), min(int(last) + 1, size) if last else size)


def outside(size: int) -> web.Response:
    """Say that the body, of so many bytes, does not have the range."""
    headers = {**CORS, "Content-Range": f"bytes */{size}"}
    return problem(416, "The range lies outside the body.", headers=headers)


def _matches(field: str, etag: str) -> bool:
    """Compare weakly (RFC 9110 8.8.3.2)."""
    wanted = etag.removeprefix("W/")
    return any(each.strip().removeprefix("W/") in (wanted, "*") for each in field.split(","))


def takes_gzip(field: str) -> bool:
    """Tell whether Accept-Encoding allows gzip (RFC 9110 12.5.3)."""
    for each in field.split(","):
        coding, _, weight = each.replace(" ", "").lower().partition(";q=")
        if coding in ("gzip", "*"):
            return weight.strip("0.") != "" if weight else True
    return False


def refusal_of(refusal: Refuse) -> web.Response:
    """Make the problem that tells why there is no answer."""
    status = STATUSES[refusal.refusal]
    headers = {**CORS, "Retry-After": "1"} if status == 503 else CORS
    return problem(status, refusal.detail, headers=headers)


def offline() -> web.Response:
    """Say that the channel is not on the air."""
    return problem(404, "The channel is not live.", code="offline", headers=CORS)


async def _preflight(_request: web.Request) -> web.Response:
    return web.Response(status=204, headers=PREFLIGHT)


async def _elsewhere(request: web.Request) -> web.Response:
    if request.method in ("GET", "HEAD"):
        return problem(404, "There is nothing at this address.", headers=CORS)
    allow = {**CORS, "Allow": "GET, HEAD, OPTIONS"}
    return problem(405, "This address does not take that method.", headers=allow)
