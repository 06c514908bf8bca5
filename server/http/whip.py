"""WHIP over HTTP (RFC 9725): offers in, answers out, candidates, goodbyes.

Any page may publish from anywhere: what counts is the stream key. Every request carries it.
"""

from __future__ import annotations

import re

from aiohttp import web

from ingest.errors import PeerError
from ingest.port import Refusal, Refused
from ingest.whip import Answered, Asked, Lost, WhipIngest
from ingest.whip_offer import Unsupported, read_fragment, read_offer
from ingest.whip_session import WhipSession
from ingest.whip_settings import IceServer
from server.errors import (
    Forbidden,
    NotFound,
    RateLimited,
    Unauthorized,
    Unavailable,
    VitrineError,
)
from server.http.body import read_body
from server.http.errors import problem
from server.http.route import Stream
from server.http.site import Site

OFFER = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"
RETRY_SECONDS = 30
"""Where the gate says "too often" without saying how long."""
MOST_NAME = 64
_EXPOSED = "ETag, Link, Location, Retry-After, X-Request-Id"
_PREFLIGHT = {
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
    "Access-Control-Max-Age": "86400",
}
_PROGRAM = re.compile(r"(OBS-Studio|GStreamer|Edg|OPR|Firefox|Chrome|Safari)/([\w.-]+)")
_NAMES = {"OBS-Studio": "OBS", "Edg": "Edge", "OPR": "Opera"}


class WhipCalls:
    """The endpoint `/whip/{channel}`, and the sessions below it."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def publish(self, request: web.Request) -> web.Response:
        """POST an offer: 201 with the answer and the session's address (4.2)."""
        whip = self._whip()
        channel, key = request.match_info["channel"], _key(request)
        if request.content_type != OFFER:
            return _answer(problem(415, f"Send the SDP offer as {OFFER}."))
        text = await _text(request)
        await self._judge(channel, key, request.remote or "unknown")
        offer = read_offer(text)
        asked = Asked(channel, key, offer, request.remote or "unknown", _encoder(request))
        return self._published(await whip.publish(asked), whip)

    async def patch(self, request: web.Request) -> web.Response:
        """PATCH candidates: 204 (4.3.2). ICE restarts are not supported: 422 (4.3.1)."""
        session = self._session(request)
        if request.content_type != FRAGMENT:
            return _answer(problem(415, f"Send candidates as {FRAGMENT}."))
        wanted = request.headers.get("If-Match")
        if wanted is None:
            said = "Send the session's ETag as If-Match."
            return _answer(problem(428, said))
        if not _matches(wanted, session.tag):
            said = "The ETag is not this session's: it has no other ICE session."
            return _answer(problem(412, said))
        if not await session.add(read_fragment(await _text(request))):
            said = "ICE restarts are not supported: end the session and POST a new offer."
            return _answer(problem(422, said))
        return _answer(web.Response(status=204))

    async def end(self, request: web.Request) -> web.Response:
        """DELETE: the publisher says goodbye (4.2)."""
        await self._session(request).finish()
        return _answer(web.Response(status=200))

    async def options(self, request: web.Request) -> web.Response:
        """Answer a preflight, and tell what may be posted (4.2)."""
        below = "resource" in request.match_info
        response = web.Response(status=204 if below else 200, headers=_PREFLIGHT)
        allowed = "DELETE, OPTIONS, PATCH" if below else "OPTIONS, POST"
        response.headers["Access-Control-Allow-Methods"] = allowed
        response.headers["Allow"] = allowed
        response.headers["Accept-Patch" if below else "Accept-Post"] = FRAGMENT if below else OFFER
        return _answer(response)

    def _whip(self) -> WhipIngest:
        if self._site.whip is None:
            raise NotFound("WHIP endpoint here: ingest.whip.enabled is", "false")
        return self._site.whip

    async def _judge(self, channel: str, key: str, peer: str) -> None:
        """Hold the key against the address before anything is done with the offer.

        The gate judges the key again, and asks whoever else has a say; it knows nothing of
        the channel in the URL.
        """
        try:
            known = await self._site.channels.stream_key(key, peer)
        except RateLimited as error:
            raise self._refused(Refusal.RATE_LIMITED, error, peer) from None
        if known is None:
            unknown = Unauthorized("This stream key is not known; copy it again.")
            raise self._refused(Refusal.BAD_KEY, unknown, peer)
        if known.channel.id != channel:
            other = Forbidden("This stream key belongs to another channel.")
            raise self._refused(Refusal.BAD_KEY, other, peer)

    def _refused(self, cause: Refusal, said: VitrineError, peer: str) -> VitrineError:
        """Count and log a refusal, as the gate's own are."""
        self._site.live.refused(cause)
        self._whip().refuse(peer, Refused(cause, str(said)))
        return said

    def _session(self, request: web.Request) -> WhipSession:
        key = _key(request)
        found = self._whip().session(request.match_info["channel"], request.match_info["resource"])
        if found is None:
            raise NotFound("WHIP session", request.match_info["resource"][:64])
        if not found.opens(key):
            raise Unauthorized("This is not the stream key that the session was made with.")
        return found

    def _published(self, verdict: Answered | Refused, whip: WhipIngest) -> web.Response:
        if isinstance(verdict, Refused):
            raise _refusal(verdict)
        session = verdict.session
        response = web.Response(status=201, body=verdict.sdp.encode(), content_type=OFFER)
        response.headers["Location"] = f"/whip/{session.channel}/{session.resource}"
        response.headers["ETag"] = session.tag
        response.headers["Accept-Patch"] = FRAGMENT
        for server in whip.settings.ice_servers:
            response.headers.add("Link", _link(server))
        return _answer(response)


def add_routes(app: web.Application, site: Site) -> None:
    """Mount the endpoint; other methods are 405 (4.2)."""
    calls = WhipCalls(site)
    endpoint, session = "/whip/{channel}", "/whip/{channel}/{resource}"
    app.router.add_post(endpoint, _told(calls.publish))
    app.router.add_route("OPTIONS", endpoint, calls.options)
    app.router.add_patch(session, _told(calls.patch))
    app.router.add_delete(session, _told(calls.end))
    app.router.add_route("OPTIONS", session, calls.options)


def _told(call: Stream) -> Stream:
    """Turn the ingest's own errors into problems."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await call(request)
        except Unsupported as error:
            return _answer(problem(422, error.reason))
        except PeerError as error:
            return _answer(problem(400, error.reason))
        except Lost as error:
            raise Unavailable(str(error)) from error

    return answer


def _answer(response: web.Response) -> web.Response:
    response.headers.setdefault("Access-Control-Allow-Origin", "*")
    response.headers.setdefault("Access-Control-Expose-Headers", _EXPOSED)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _key(request: web.Request) -> str:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise Unauthorized("Send the stream key as Authorization: Bearer KEY.")
    return key.strip()


async def _text(request: web.Request) -> str:
    try:
        return (await read_body(request)).decode()
    except UnicodeDecodeError as error:
        raise PeerError("The body is not UTF-8.") from error


def _matches(field: str, tag: str) -> bool:
    """Compare strongly (RFC 9110 13.1.1). `*` is an ICE restart's; its body tells."""
    return any(each.strip() in {tag, "*"} for each in field.split(","))


def _encoder(request: web.Request) -> str:
    """Name the publisher's program from its User-Agent, in few words."""
    said = request.headers.get("User-Agent", "")
    found = _PROGRAM.search(said)
    if found is None:
        return "".join(c for c in said[:MOST_NAME] if c.isprintable()) or "WHIP"
    return f"{_NAMES.get(found[1], found[1])} {found[2][:20]}"


def _refusal(refused: Refused) -> VitrineError:
    match refused.refusal:
        case Refusal.BAD_KEY | Refusal.EXPIRED:
            return Unauthorized(refused.reason)
        case Refusal.DENIED:
            return Forbidden(refused.reason)
        case Refusal.RATE_LIMITED:
            return RateLimited(refused.reason, RETRY_SECONDS)
    return Unavailable(refused.reason)


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
