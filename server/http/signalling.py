"""What WHIP and WHEP have in common over HTTP: bodies, entity tags, Link headers, preflights.

Sources: RFC 9725 4, which the WHEP draft follows.
"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from ingest.errors import PeerError
from ingest.whip_offer import Fragment, Unsupported, read_fragment
from ingest.whip_settings import IceServer
from server.http.body import read_body
from server.http.errors import problem
from server.http.route import Stream

OFFER = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"
_EXPOSED = "ETag, Link, Location, Retry-After, X-Request-Id"
_PREFLIGHT = {
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
    "Access-Control-Max-Age": "86400",
}


def open_to_all(response: web.Response) -> web.Response:
    """Let any page read the answer: what counts is what the request carried."""
    response.headers.setdefault("Access-Control-Allow-Origin", "*")
    response.headers.setdefault("Access-Control-Expose-Headers", _EXPOSED)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


async def options(request: web.Request) -> web.Response:
    """Answer a preflight, and tell what may be posted (4.2)."""
    below = "resource" in request.match_info
    response = web.Response(status=204 if below else 200, headers=_PREFLIGHT)
    allowed = "DELETE, OPTIONS, PATCH" if below else "OPTIONS, POST"
    response.headers["Access-Control-Allow-Methods"] = allowed
    response.headers["Allow"] = allowed
    response.headers["Accept-Patch" if below else "Accept-Post"] = FRAGMENT if below else OFFER
    return open_to_all(response)


def told(call: Stream) -> Stream:
    """Turn what is wrong with an offer or a fragment into problems."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await call(request)
        except Unsupported as error:
            return open_to_all(problem(422, error.reason))
        except PeerError as error:
            return open_to_all(problem(400, error.reason))

    return answer


async def text_of(request: web.Request) -> str:
    """Read the body as text. Raises PeerError, TooLarge."""
    try:
        return (await read_body(request)).decode()
    except UnicodeDecodeError as error:
        raise PeerError("The body is not UTF-8.") from error


async def fragment_of(request: web.Request, tag: str) -> Fragment | web.Response:
    """Read candidates for the session of `tag`, or what is to be answered (4.3.1, 4.3.2)."""
    if request.content_type != FRAGMENT:
        return open_to_all(problem(415, f"Send candidates as {FRAGMENT}."))
    wanted = request.headers.get("If-Match")
    if wanted is None:
        return open_to_all(problem(428, "Send the session's ETag as If-Match."))
    if not _matches(wanted, tag):
        said = "The ETag is not this session's: it has no other ICE session."
        return open_to_all(problem(412, said))
    return read_fragment(await text_of(request))


def added(done: bool) -> web.Response:
    """Answer a PATCH; `done`: it asked for no ICE restart, which we cannot do."""
    if done:
        return open_to_all(web.Response(status=204))
    said = "ICE restarts are not supported: end the session and POST a new offer."
    return open_to_all(problem(422, said))


def created(sdp: str, location: str, tag: str, servers: Iterable[IceServer]) -> web.Response:
    """Answer an offer (4.2)."""
    response = web.Response(status=201, body=sdp.encode(), content_type=OFFER)
    response.headers["Location"] = location
    response.headers["ETag"] = tag
    response.headers["Accept-Patch"] = FRAGMENT
    for server in servers:
        response.headers.add("Link", _link(server))
    return open_to_all(response)


def _matches(field: str, tag: str) -> bool:
    """Compare strongly (RFC 9110 13.1.1). `*` is an ICE restart's; its body tells."""
    return any(each.strip() in {tag, "*"} for each in field.split(","))


def _link(server: IceServer) -> str:
    """Write a STUN or TURN server as a Link header (4.6)."""
    link = f'<{server.url}>; rel="ice-server"'
    if server.username:
        name, credential = _quoted(server.username), _quoted(server.credential)
        link += f'; username={name}; credential={credential}; credential-type="password"'
    return link


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
