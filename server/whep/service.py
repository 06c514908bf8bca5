"""Everybody who looks on at this server: let in, counted, closed. asyncio."""

from __future__ import annotations

from typing import Final, Protocol

import structlog

from ingest.rtc_session import Sessions
from ingest.whip_offer import Offer
from ingest.whip_settings import WhipSettings
from server.live.echo import Echo
from server.whep.errors import Crowded, Lost
from server.whep.sample import check
from server.whep.session import WhepSession

CLOSING: Final = "The server is shutting down."


class Echoes(Protocol):
    def echo(self, channel: str) -> Echo | None:
        """Give what the channel's publisher sends; None where there is none."""
        ...


class Whep:
    """At most `settings.sessions` at once: each has every packet encrypted for it alone."""

    def __init__(self, echoes: Echoes, settings: WhipSettings) -> None:
        self.settings = settings
        self._echoes = echoes
        self._sessions: Sessions[WhepSession] = Sessions()
        self._closing = False
        self._log = structlog.get_logger("whep")

    @property
    def sessions(self) -> int:
        return len(self._sessions)

    def session(self, channel: str, resource: str) -> WhepSession | None:
        """Find a session by what stands in its URL."""
        return self._sessions.find(channel, resource)

    def look(self, channel: str) -> None:
        """Raise Unseen where nobody can look on now: before an offer is read."""
        if self._closing:
            raise Crowded(CLOSING)
        check(self._echoes.echo(channel))
        if len(self._sessions) >= self.settings.sessions:
            self._log.warning("whep refused a viewer", sessions=self.sessions)
            most = self.settings.sessions
            raise Crowded(f"{most} previews run already, which is all that whep.max_sessions lets.")

    async def watch(self, channel: str, key: str, offer: Offer) -> tuple[WhepSession, str]:
        """Answer an offer. Raises Unseen, PeerError for the offer."""
        self.look(channel)
        echo = self._echoes.echo(channel)
        check(echo)
        session = WhepSession(channel, key, echo or Echo(), offer, self.settings)
        self._sessions.add(session)
        try:
            return session, await session.start()
        except TimeoutError as error:
            raise Lost("The server could not gather its own addresses in time.") from error

    async def close(self) -> None:
        """Let nobody in, end all, return when they are over. Idempotent."""
        self._closing = True
        await self._sessions.close(self.settings.close_seconds + 1)
