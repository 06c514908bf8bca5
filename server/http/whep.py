"""WHEP over HTTP: the publisher's picture for who runs the channel (draft-ietf-wish-whep).

The anchor's token or the operator's opens it, nobody else's: each session costs this process the
encryption of all its packets. Every request carries the token.
"""

from __future__ import annotations

from aiohttp import web

from ingest.whip_offer import RECEIVES, read_offer
from server.attempts import Attempts
from server.errors import NotFound, RateLimited, Unauthorized
from server.http.errors import problem
from server.http.route import Stream
from server.http.signalling import (
    OFFER,
    added,
    created,
    fragment_of,
    open_to_all,
    options,
    text_of,
    told,
)
from server.http.site import Site
from server.http.viewer import principal
from server.whep.errors import Crowded, Lost, Unseen
from server.whep.service import Whep
from server.whep.session import WhepSession

OFFERS_A_MINUTE = 30
RETRY_SECONDS = 5
"""After which a channel may be on the air, or room for one more."""
SOUND = "X-Vitrine-Sound"
"""`none`: the publisher's sound is none that a browser can be sent as it is."""


class WhepCalls:
    """The endpoint `/whep/{channel}`, and the sessions below it."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._pace = Attempts(OFFERS_A_MINUTE, 60.0)

    async def watch(self, request: web.Request) -> web.Response:
        """POST an offer: 201 with the answer and the session's address."""
        whep = self._whep()
        channel, key = request.match_info["channel"], await self._key(request)
        if request.content_type != OFFER:
            return open_to_all(problem(415, f"Send the SDP offer as {OFFER}."))
        self._count(request.remote or "unknown")
        text = await text_of(request)
        await self._site.channels.get(channel)
        whep.look(channel)
        session, sdp = await whep.watch(channel, key, read_offer(text, RECEIVES))
        location = f"/whep/{channel}/{session.resource}"
        response = created(sdp, location, session.tag, whep.settings.ice_servers)
        response.headers[SOUND] = "opus" if session.has_sound else "none"
        response.headers["Access-Control-Expose-Headers"] += f", {SOUND}"
        return response

    async def patch(self, request: web.Request) -> web.Response:
        """PATCH candidates: 204. ICE restarts are not supported: 422."""
        session = await self._session(request)
        fragment = await fragment_of(request, session.tag)
        if isinstance(fragment, web.Response):
            return fragment
        return added(await session.add(fragment))

    async def end(self, request: web.Request) -> web.Response:
        """DELETE: the viewer has seen enough."""
        await (await self._session(request)).finish()
        return open_to_all(web.Response(status=200))

    def _whep(self) -> Whep:
        if self._site.whep is None:
            raise NotFound("WHEP endpoint here: whep.max_sessions is", "0")
        return self._site.whep

    async def _key(self, request: web.Request) -> str:
        """Give the token of who runs the channel. Raises Unauthorized, Forbidden."""
        (await principal(self._site, request)).require_channel(request.match_info["channel"])
        return request.headers.get("Authorization", "").partition(" ")[2].strip()

    async def _session(self, request: web.Request) -> WhepSession:
        key = await self._key(request)
        found = self._whep().session(request.match_info["channel"], request.match_info["resource"])
        if found is None:
            raise NotFound("WHEP session", request.match_info["resource"][:64])
        if not found.opens(key):
            raise Unauthorized("This is not the token that the session was made with.")
        return found

    def _count(self, peer: str) -> None:
        now = self._site.clock.monotonic()
        wait = self._pace.wait(peer, now)
        if wait:
            raise RateLimited(f"Too many previews were begun; try again in {wait} s.", wait)
        self._pace.count(peer, now)


def add_routes(app: web.Application, site: Site) -> None:
    """Mount the endpoint; other methods are 405."""
    calls = WhepCalls(site)
    endpoint, session = "/whep/{channel}", "/whep/{channel}/{resource}"
    app.router.add_post(endpoint, _seen(told(calls.watch)))
    app.router.add_route("OPTIONS", endpoint, options)
    app.router.add_patch(session, told(calls.patch))
    app.router.add_delete(session, told(calls.end))
    app.router.add_route("OPTIONS", session, options)


def _seen(call: Stream) -> Stream:
    """Turn the reasons why there is no picture into problems."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await call(request)
        except Unseen as error:
            status = 503 if isinstance(error, Crowded | Lost) else 409
            headers = {"Retry-After": str(RETRY_SECONDS)}
            return open_to_all(problem(status, str(error), code=error.code, headers=headers))

    return answer
