"""The WHIP ingest: judges publishers, counts sessions, closes them (RFC 9725). asyncio.

What HTTP says and answers is `server.http.whip`'s.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import structlog

from ingest.errors import IngestError
from ingest.port import Entry, Gate, PublishRequest, Refusal, Refused
from ingest.rtc_session import Sessions
from ingest.whip_offer import Offer
from ingest.whip_session import WhipSession
from ingest.whip_settings import WhipSettings

_CLOSING = Refused(Refusal.UNAVAILABLE, "The server is shutting down.")
_CROWDED = Refused(Refusal.UNAVAILABLE, "Too many publishers are connected; try again later.")
_SILENT_GATE = Refused(
    Refusal.UNAVAILABLE, "The server cannot check the key now; try again in a minute."
)


class Lost(IngestError):
    """Our own candidates could not be gathered in time."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One POST."""

    channel: str
    key: str = field(repr=False)
    offer: Offer
    peer: str
    """The publisher's address."""
    encoder: str
    """What the publisher calls itself; for people to read."""
    by_hand: bool = False
    """See `ingest.port.PublishRequest`."""


@dataclass(frozen=True, slots=True)
class Answered:
    session: WhipSession
    sdp: str


class WhipIngest:
    """All WHIP sessions of one server."""

    def __init__(self, gate: Gate, settings: WhipSettings) -> None:
        self.settings = settings
        self._gate = gate
        self._sessions: Sessions[WhipSession] = Sessions()
        self._asking = 0
        self._work: set[asyncio.Task[Answered | Refused]] = set()
        self._closing = False
        self._log = structlog.get_logger("ingest.whip")

    @property
    def sessions(self) -> int:
        return len(self._sessions)

    def session(self, channel: str, resource: str) -> WhipSession | None:
        """Find a session by what stands in its URL."""
        return self._sessions.find(channel, resource)

    async def publish(self, asked: Asked) -> Answered | Refused:
        """Judge a publisher and answer its offer. Raises PeerError for the offer, Lost.

        It goes on the air once it is connected, and only then takes over from another.
        A caller that is cancelled leaves a session behind that ends by its own deadlines.
        """
        work = asyncio.create_task(self._publish(asked), name="whip-publish")
        self._work.add(work)
        work.add_done_callback(self._worked)
        return await asyncio.shield(work)

    async def _publish(self, asked: Asked) -> Answered | Refused:
        full = self._full()
        if full is not None:
            return full
        session = WhipSession(
            asked.channel, asked.key, asked.peer, asked.encoder, asked.offer, self.settings
        )
        judged = await self._judge(asked, session)
        if isinstance(judged, Refused):
            self.refuse(asked.peer, judged)
            return judged
        if self._closing:
            return _CLOSING
        for other in self._sessions:
            if other.channel == session.channel:
                other.give_way()
        self._sessions.add(session)
        try:
            return Answered(session, await session.start(judged))
        except TimeoutError as error:
            raise Lost("The server could not gather its own addresses in time.") from error

    def refuse(self, peer: str, refused: Refused) -> None:
        """Log that a publisher was refused, by the gate or on its way here."""
        cause, reason = refused.refusal.value, refused.reason
        self._log.warning("whip publish refused", peer=peer, cause=cause, reason=reason)

    def _worked(self, work: asyncio.Task[Answered | Refused]) -> None:
        self._work.discard(work)
        if not work.cancelled():
            _ = work.exception()  # the caller may be gone

    async def close(self) -> None:
        """Refuse whoever comes, tell every publisher, return when all sessions are over."""
        self._closing = True
        if self._work:  # each is bounded by the gate's deadline and its own
            await asyncio.wait(set(self._work), timeout=self.settings.verdict_seconds)
        await self._sessions.close(self.settings.close_seconds + 1)

    def _full(self) -> Refused | None:
        """Tell why there is room for nobody; whoever asks already may become a session."""
        if self._closing:
            return _CLOSING
        taken = self._asking + self.sessions
        if self._asking < self.settings.asking and taken < self.settings.sessions:
            return None
        self._log.warning("whip refused a publisher", sessions=self.sessions)
        return _CROWDED

    async def _judge(self, asked: Asked, session: WhipSession) -> Entry | Refused:
        request = PublishRequest(
            "whip", "live", asked.key, session, asked.encoder, by_hand=asked.by_hand
        )
        self._asking += 1
        try:
            async with asyncio.timeout(self.settings.verdict_seconds):
                return await self._gate.judge(request)
        except TimeoutError:
            self._log.error("whip gate gave no verdict in time")
            return _SILENT_GATE
        finally:
            self._asking -= 1
