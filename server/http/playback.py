"""Who may watch, over HTTP: where tokens are carried, what a refusal says, calls that set it.

A token comes in the path (`/live/CHANNEL/~TOKEN/...`, which relative addresses inherit), as the
query's `token`, or in a cookie that a page or a multivariant playlist made of the query's. Who runs
the channel may always watch. docs/playback.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from server.errors import Unauthorized
from server.http.cookie import add_cookie
from server.http.errors import problem
from server.http.missing import missing_page, wants_page
from server.http.site import Site
from server.http.viewer import principal
from server.instant import rfc3339
from server.playback.judge import Denied, Reason, opens
from server.playback.keys import Playback
from server.playback.token import Claims, read

COOKIE = "vitrine_playback"
QUERY = "token"
MEDIA_GRACE_SECONDS = 60
"""What a playlist listed while the token was good may be loaded for so long after."""
CHECK_SECONDS = 10
"""How long a front may keep our word that a token is good."""
_GUARDED = ("/live/", "/replay/", "/playback/")
_PLACES = ("watch", "embed", "live", "replay", "playback")
_MOST_COOKIES = 8
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Content-Length, Date, WWW-Authenticate, X-Request-Id",
}
_SAID = {
    Reason.MISSING: (401, "This show asks viewers for a token: the address lacks it."),
    Reason.UNKNOWN: (401, "This token was not signed with the channel's key."),
    Reason.EXPIRED: (403, "This token has expired; get a new one where you got it."),
    Reason.EARLY: (403, "This token is not good yet."),
    Reason.ELSEWHERE: (403, "This token is for another show."),
}
_PAGES = {
    Reason.MISSING: ("This show needs a ticket", "Open it by the link that came with your ticket."),
    Reason.UNKNOWN: (
        "This ticket does not open the show",
        "A part of its link may be missing. Open it again from where you got it.",
    ),
    Reason.EXPIRED: ("Your ticket has expired", "Get a new one where you got it."),
    Reason.EARLY: ("Not open yet", "Your ticket opens the show later. Come back when it begins."),
    Reason.ELSEWHERE: (
        "A ticket for another show",
        "Open this one by the link that you got for it.",
    ),
}
"""What people are told: they hold a ticket and a link, and know of no tokens."""


class Carrier(Enum):
    PATH = "path"
    QUERY = "query"
    COOKIE = "cookie"
    BEARER = "bearer"


@dataclass(frozen=True, slots=True)
class Admitted:
    """`token` is empty for who runs the channel."""

    carrier: Carrier
    token: str = ""


ADMITTED = web.RequestKey("playback", Admitted)


def doors(prefix: str) -> tuple[str, str]:
    """Give the two beginnings of a channel's addresses, in the order to mount them.

    `prefix`: `/live` or `/replay`. What lies below both is answered by the same call.
    """
    return f"{prefix}/{{channel}}/~{{token}}", f"{prefix}/{{channel}}"


def guarded(site: Site) -> Middleware:
    """Judge every request below `/live/` and `/replay/` before its handler is asked.

    Routes there name `channel`, `session` and, of a single file of media, `name` in their paths.
    """

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith(_GUARDED):
            return await handler(request)
        # An address that no route names is no way around.
        channel = request.match_info.get("channel") or request.path.split("/", 3)[2]
        if not site.playback.is_signed(channel) or request.method == "OPTIONS":
            return await handler(request)
        found = await admit(site, request, channel)
        if isinstance(found, Denied):
            return refusal(found, request)
        request[ADMITTED] = found
        if found.carrier is Carrier.QUERY and _leads_on(request):
            return _to_path(site, request, found.token)
        response = await handler(request)
        if found.carrier is not Carrier.PATH and not response.prepared:
            _keep_private(response)
        if found.carrier is Carrier.QUERY and wants_page(request):
            remember(site, request, response, channel)
        return response

    return guard


def opened(
    playback: Playback,
    session_on: Callable[[str], str | None],
    channel: str,
    token: str,
    media: bool,
) -> bool:
    """Tell whether anybody may watch, or whoever has `token` in the path; as `guarded` does.

    `media`: a file of media is asked for, not a playlist.
    """
    if not playback.is_signed(channel):
        return True
    told = playback.judge(channel, token, MEDIA_GRACE_SECONDS if media else 0)
    return isinstance(told, Claims) and opens(told, session_on(channel))


async def admit(site: Site, request: web.Request, channel: str) -> Admitted | Denied:
    """Tell by what somebody may watch a signed channel, or why not."""
    grace = MEDIA_GRACE_SECONDS if "name" in request.match_info else 0
    denied: Denied | None = None
    for carrier, token in _tokens(request):
        told = site.playback.judge(channel, token, grace)
        if isinstance(told, Claims):
            if not told.session or opens(told, _session(site, request, channel)):
                return Admitted(carrier, token)
            told = Denied(Reason.ELSEWHERE)
        denied = denied or told
    if "Authorization" in request.headers and await _runs(site, request, channel):
        return Admitted(Carrier.BEARER)
    return denied or Denied(Reason.MISSING)


def refusal(denied: Denied, request: web.Request, *, ancestors: str = "'none'") -> web.Response:
    """Answer who may not watch: programs by a problem, people by a page."""
    status, said = _SAID[denied.reason]
    if wants_page(request):
        response = missing_page(*_PAGES[denied.reason], ancestors=ancestors, status=status)
    else:
        members = {} if denied.at is None else {"at": rfc3339(1000 * denied.at)}
        response = problem(status, said, code=denied.reason, members=members, headers=CORS)
    if status == 401:  # which has to name a scheme (RFC 9110 15.5.2)
        response.headers["WWW-Authenticate"] = 'Bearer realm="vitrine"'
    return response


def remember(site: Site, request: web.Request, response: web.StreamResponse, channel: str) -> None:
    """Make cookies of the query's token: one for each part of the site that asks for it.

    Each is sent to this channel's addresses there and nowhere else, not longer than it is good. A
    recording's goes to that recording: it must not take the place of one for the whole channel.
    """
    token = request.query.get(QUERY, "")
    signed = read(token)
    if signed is None:
        return
    https = site.is_https(request)
    # In a frame on the shop's own pages we are a third party: only this kind is kept there.
    foreign = https and request.path.startswith("/embed/")
    left = max(0, signed.claims.expires - site.clock.wall_ms() // 1000)
    session = signed.claims.session
    recorded = session and request.path.startswith("/replay/")
    for place in ("replay",) if recorded else _PLACES:
        path = f"/{place}/{channel}"
        if session and place == "replay":
            path += f"/{session}"
        add_cookie(response, COOKIE, token, path=path, seconds=left, https=https, foreign=foreign)


async def keep_streams_private(request: web.Request, response: web.StreamResponse) -> None:
    """A signal: a stream's headers are sent before its handler is done."""
    found = request.get(ADMITTED)
    if found is not None and found.carrier is not Carrier.PATH:
        _keep_private(response)


async def check(request: web.Request) -> web.Response:
    """Tell a front that whoever asks may watch; who may not did not get here.

    What it says holds for CHECK_SECONDS (nginx: auth_request, its answer cached by token).
    """
    headers = {**CORS, "Cache-Control": f"max-age={CHECK_SECONDS}"}
    return web.Response(status=204, headers=headers)


def _tokens(request: web.Request) -> list[tuple[Carrier, str]]:
    """Give what was sent: the path goes first, then the query, then cookies."""
    in_path = request.match_info.get("token")
    if in_path is not None:
        return [(Carrier.PATH, in_path)]
    if QUERY in request.query:
        return [(Carrier.QUERY, request.query[QUERY])]
    # All of that name: one may be for a session of the channel, another for all of it.
    pairs = [each.strip().partition("=") for each in request.headers.get("Cookie", "").split(";")]
    found = [value for name, _, value in pairs if name == COOKIE]
    return [(Carrier.COOKIE, value) for value in found[:_MOST_COOKIES]]


def _session(site: Site, request: web.Request, channel: str) -> str | None:
    """Name the session that is asked for: a front says which, all others ask by their path."""
    named = request.match_info.get("session", "")
    if request.path.startswith("/playback/"):
        named = request.query.get("session", "")
    return named or site.live.session_on(channel)


async def _runs(site: Site, request: web.Request, channel: str) -> bool:
    try:
        return (await principal(site, request)).may_run(channel)
    except Unauthorized:
        return False


def _leads_on(request: web.Request) -> bool:
    """Tell a multivariant playlist, whose answer is what all else is relative to."""
    return request.path.endswith("/index.m3u8") and "rendition" not in request.match_info


def _to_path(site: Site, request: web.Request, token: str) -> web.Response:
    """Move the token from the query into the path, for players that keep no cookies."""
    _, part, channel, behind = request.rel_url.raw_path.split("/", 3)
    place = f"/{part}/{channel}/~{token}/{behind}"
    headers = {**CORS, "Location": place, "Cache-Control": "no-store"}
    response = web.Response(status=302, headers=headers)
    remember(site, request, response, request.match_info["channel"])
    return response


def _keep_private(response: web.StreamResponse) -> None:
    """No shared cache may give to others what a cookie, a query or a bearer opened."""
    said = response.headers.get("Cache-Control", "")
    if "no-store" not in said and "private" not in said:
        response.headers["Cache-Control"] = f"private, {said}" if said else "private"
