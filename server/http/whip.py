"""WHIP over HTTP (RFC 9725): offers in, answers out, candidates, goodbyes.

Any page may publish from anywhere: what counts is the stream key. Every request carries it.
"""

from __future__ import annotations

import re
from typing import ClassVar

from aiohttp import web

from ingest.port import Refusal, Refused
from ingest.whip import Answered, Asked, Lost, WhipIngest
from ingest.whip_offer import read_offer
from ingest.whip_session import WhipSession
from server.errors import (
    Conflict,
    Forbidden,
    NotFound,
    RateLimited,
    Unauthorized,
    Unavailable,
    VitrineError,
)
from server.http.errors import problem
from server.http.signalling import OFFER, Calls, created, open_to_all, text_of
from server.http.site import Site

RETRY_SECONDS = 30
"""Where the gate says "too often" without saying how long."""
MOST_NAME = 64
_PROGRAM = re.compile(r"(OBS-Studio|GStreamer|Edg|OPR|Firefox|Chrome|Safari)/([\w.-]+)")
_NAMES = {"OBS-Studio": "OBS", "Edg": "Edge", "OPR": "Opera"}


class WhipCalls(Calls):
    kind: ClassVar[str] = "whip"
    secret: ClassVar[str] = "stream key"  # noqa: S105 - its name

    def __init__(self, site: Site) -> None:
        self._site = site

    async def begin(self, request: web.Request) -> web.Response:
        whip = self._whip()
        channel, key = request.match_info["channel"], await self._key(request)
        if request.content_type != OFFER:
            return open_to_all(problem(415, f"Send the SDP offer as {OFFER}."))
        text = await text_of(request)
        await self._judge(channel, key, request.remote or "unknown")
        offer = read_offer(text)
        peer, by_hand = request.remote or "unknown", _from_our_page(request)
        asked = Asked(channel, key, offer, peer, _encoder(request), by_hand)
        try:
            return self._published(await whip.publish(asked), whip)
        except Lost as error:
            raise Unavailable(str(error)) from error

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
        self._site.tally.refused[cause] += 1
        self._whip().refuse(peer, Refused(cause, str(said)))
        return said

    async def _key(self, request: web.Request) -> str:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            raise Unauthorized("Send the stream key as Authorization: Bearer KEY.")
        return key.strip()

    def _find(self, channel: str, resource: str) -> WhipSession | None:
        return self._whip().session(channel, resource)

    def _published(self, verdict: Answered | Refused, whip: WhipIngest) -> web.Response:
        if isinstance(verdict, Refused):
            raise _refusal(verdict)
        session = verdict.session
        location = f"/whip/{session.channel}/{session.resource}"
        return created(verdict.sdp, location, session.tag, whip.settings.ice_servers)


def _from_our_page(request: web.Request) -> bool:
    """Tell whether the camera page asks; browsers say so themselves (Fetch Metadata 2.3).

    It begins when a person presses its button, and does not try again when it is told to wait.
    """
    return request.headers.get("Sec-Fetch-Site") == "same-origin"


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
        case Refusal.STOPPED:
            return Conflict("stopped", refused.reason)
        case Refusal.RATE_LIMITED:
            return RateLimited(refused.reason, RETRY_SECONDS)
    return Unavailable(refused.reason)
