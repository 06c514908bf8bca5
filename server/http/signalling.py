"""What WHIP and WHEP have in common over HTTP: sessions, entity tags, Link headers, preflights.

Sources: RFC 9725 4, which the WHEP draft follows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import ClassVar

from aiohttp import web

from ingest.errors import PeerError
from ingest.rtc_session import RtcSession
from ingest.whip_offer import Unsupported, read_fragment
from ingest.whip_settings import IceServer
from server.errors import NotFound, Unauthorized
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


class Calls(ABC):
    """The endpoint `/{kind}/{channel}`, and the sessions below it."""

    kind: ClassVar[str]
    """`whip` or `whep`."""
    secret: ClassVar[str]
    """What every request carries, and the session was made with."""

    @abstractmethod
    async def begin(self, request: web.Request) -> web.StreamResponse:
        """POST an offer: 201 with the answer and the session's address (4.2)."""

    async def patch(self, request: web.Request) -> web.Response:
        """PATCH candidates: 204 (4.3.2). ICE restarts are not supported: 422 (4.3.1)."""
        session = await self._session(request)
        if request.content_type != FRAGMENT:
            return open_to_all(problem(415, f"Send candidates as {FRAGMENT}."))
        wanted = request.headers.get("If-Match")
        if wanted is None:
            return open_to_all(problem(428, "Send the session's ETag as If-Match."))
        if not _matches(wanted, session.tag):
            said = "The ETag is not this session's: it has no other ICE session."
            return open_to_all(problem(412, said))
        if await session.add(read_fragment(await text_of(request))):
            return open_to_all(web.Response(status=204))
        said = "ICE restarts are not supported: end the session and POST a new offer."
        return open_to_all(problem(422, said))

    async def end(self, request: web.Request) -> web.Response:
        """DELETE: the client says goodbye (4.2)."""
        await (await self._session(request)).finish()
        return open_to_all(web.Response(status=200))

    def add_routes(self, app: web.Application) -> None:
        """Mount the endpoint; other methods are 405 (4.2)."""
        endpoint = f"/{self.kind}/{{channel}}"
        session = f"{endpoint}/{{resource}}"
        app.router.add_post(endpoint, told(self.begin))
        app.router.add_route("OPTIONS", endpoint, options)
        app.router.add_patch(session, told(self.patch))
        app.router.add_delete(session, told(self.end))
        app.router.add_route("OPTIONS", session, options)

    @abstractmethod
    async def _key(self, request: web.Request) -> str:
        """Give the secret that a request carries. Raises Unauthorized, Forbidden."""

    @abstractmethod
    def _find(self, channel: str, resource: str) -> RtcSession | None: ...

    async def _session(self, request: web.Request) -> RtcSession:
        key = await self._key(request)
        found = self._find(request.match_info["channel"], request.match_info["resource"])
        if found is None:
            raise NotFound(f"{self.kind.upper()} session", request.match_info["resource"][:64])
        if not found.opens(key):
            raise Unauthorized(f"This is not the {self.secret} that the session was made with.")
        return found


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
