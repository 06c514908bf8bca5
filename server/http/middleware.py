"""What happens to every request, whatever it asks for.

From the outside in: a request id, an access log line and figures; headers that keep
browsers safe; errors as problems; cross-origin reads; paths that try to climb.
Queries and credentials are never logged.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import MutableMapping

import structlog
import ulid
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from server.errors import VitrineError
from server.http.errors import domain_problem, http_problem, problem
from server.http.forwarded import Proxies
from server.http.metrics import Metrics
from server.http.missing import missing_page, wants_page

REQUEST_ID = web.RequestKey("request_id", str)
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_CLIMBS = re.compile(r"(^|[/\\])\.\.([/\\]|$)|[\x00-\x1f\\]")
_TOKEN = re.compile(r"(?<=/)~[^/]+")
"""A playback token in a path: nothing to be read in a log."""
_READS = ("GET", "HEAD", "OPTIONS")
_PAGES = ("watch", "embed", "studio", "ops")
_MEDIA = ("live", "replay", "playback", "images", "player")
_KINDS = (*_PAGES, *_MEDIA, "api", "metrics", "healthz", "whip", "whep")
_LEFT = 499
"""Logged where the client went away before the answer's end."""
_CORS_PREFIXES = ("/api/", "/live/", "/whip/", "/whep/", "/replay/", "/playback/")
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Retry-After, X-Request-Id, Date",
}
_PREFLIGHT = {
    **_CORS,
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": (
        "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, "
        "Range, X-Viewer-Token"
    ),
    "Access-Control-Max-Age": "86400",
}


def middlewares(metrics: Metrics, proxies: Proxies | None = None) -> list[Middleware]:
    """Give the chain, outermost first."""
    return [_observed(metrics, proxies or Proxies()), _answered]


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Set what every answer carries; a signal, because streams send their headers early."""
    headers = response.headers
    headers["X-Request-Id"] = request.get(REQUEST_ID, "")
    guard(headers, request.path)


def guard(headers: MutableMapping[str, str], path: str) -> None:
    """Add what keeps browsers safe, and lets other sites read what is for them."""
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
    if path.startswith(_CORS_PREFIXES):
        for name, value in _CORS.items():
            headers.setdefault(name, value)
    else:
        headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        headers.setdefault("Cross-Origin-Resource-Policy", "same-site")
    headers["Server"] = "vitrine"


def _observed(metrics: Metrics, proxies: Proxies) -> Middleware:
    log = structlog.get_logger("access")

    @web.middleware
    async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("X-Request-Id", "")
        request[REQUEST_ID] = given if _ID.fullmatch(given) else str(ulid.ULID())
        request = proxies.seen(request)
        began = time.perf_counter()
        status = _LEFT
        try:
            response = await handler(request)
            status = response.status
            return response
        finally:
            seconds = time.perf_counter() - began
            kind = _kind(request)
            metrics.observe(kind, request.method, status, seconds)
            write = log.info if _is_news(request, kind, status) else log.debug
            write(
                "request",
                id=request[REQUEST_ID],
                peer=request.remote,
                method=request.method,
                path=_TOKEN.sub("~", request.path),
                status=status,
                ms=round(seconds * 1000, 1),
            )

    return observe


@web.middleware
async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever goes wrong into a problem and refuse paths that climb."""
    if _CLIMBS.search(request.path):
        return problem(400, "The path has characters or steps that are not allowed.")
    if request.method == "OPTIONS" and request.path.startswith("/api/"):
        return web.Response(status=204, headers=_PREFLIGHT)
    try:
        return await handler(request)
    except VitrineError as error:
        return _told(request, domain_problem(error))
    except web.HTTPException as error:
        return error if error.status < 400 else _told(request, http_problem(error))
    except (asyncio.CancelledError, ConnectionError):
        raise
    except Exception:  # noqa: BLE001 - the last line of defence: logged, never shown
        path = _TOKEN.sub("~", request.path)
        structlog.get_logger("http").exception(
            "request failed", id=request[REQUEST_ID], method=request.method, path=path
        )
        return problem(500, f"Our fault; it is logged as request {request[REQUEST_ID]}.")


def _told(request: web.Request, answer: web.Response) -> web.Response:
    """Give a person a page where nothing is; everybody else keeps the problem."""
    if answer.status == 404 and wants_page(request):
        return missing_page("Nothing here", "There is nothing at this address.")
    return answer


def _is_news(request: web.Request, kind: str, status: int) -> bool:
    """Tell whether a request deserves a line at the usual level: writes, pages, errors.

    One page fetches dozens of files and several parts a second, and leaving it breaks off
    what still runs: those lines are for debugging only.
    """
    if request.method not in _READS:
        return True
    if status >= 400 and status != _LEFT:
        return not (status in (401, 403, 404) and kind in _MEDIA)
    return kind in _PAGES or request.path == "/"


def _kind(request: web.Request) -> str:
    """Name the part of the site asked for: a label of few values, whatever clients send."""
    head = request.path.split("/", 2)[1] if "/" in request.path else ""
    return head if head in _KINDS else "other"
