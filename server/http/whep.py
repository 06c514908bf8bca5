"""WHEP over HTTP: the publisher's picture for who runs the channel (draft-ietf-wish-whep).

The anchor's token or the operator's opens it, nobody else's: each session costs this process the
encryption of all its packets. Every request carries the token.
"""

from __future__ import annotations

from typing import ClassVar

from aiohttp import web

from ingest.address import subscriber
from ingest.whip_offer import RECEIVES, read_offer
from server.attempts import Attempts
from server.errors import NotFound, RateLimited
from server.http.errors import problem
from server.http.signalling import OFFER, Calls, created, open_to_all, text_of
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


class WhepCalls(Calls):
    kind: ClassVar[str] = "whep"
    secret: ClassVar[str] = "token"  # noqa: S105 - its name

    def __init__(self, site: Site) -> None:
        self._site = site
        self._pace = Attempts(OFFERS_A_MINUTE, 60.0)

    async def begin(self, request: web.Request) -> web.Response:
        try:
            return await self._watch(request)
        except Unseen as error:
            status = 503 if isinstance(error, Crowded | Lost) else 409
            headers = {"Retry-After": str(RETRY_SECONDS)}
            return open_to_all(problem(status, str(error), code=error.code, headers=headers))

    async def _watch(self, request: web.Request) -> web.Response:
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

    def _whep(self) -> Whep:
        if self._site.whep is None:
            raise NotFound("WHEP endpoint here: whep.max_sessions is", "0")
        return self._site.whep

    async def _key(self, request: web.Request) -> str:
        (await principal(self._site, request)).require_channel(request.match_info["channel"])
        return request.headers.get("Authorization", "").partition(" ")[2].strip()

    def _find(self, channel: str, resource: str) -> WhepSession | None:
        return self._whep().session(channel, resource)

    def _count(self, peer: str) -> None:
        who, now = subscriber(peer), self._site.clock.monotonic()
        wait = self._pace.wait(who, now)
        if wait:
            raise RateLimited(f"Too many previews were begun; try again in {wait} s.", wait)
        self._pace.count(who, now)
