"""One WHIP publisher: what it sends, and the sink for it (asyncio)."""

from __future__ import annotations

import asyncio
from typing import ClassVar, Final

import structlog

from ingest.peer import Peer
from ingest.port import Entry, Refused, Sink
from ingest.rtc_session import RtcSession
from ingest.unit import StreamInfo, Unit
from ingest.whip_offer import Offer
from ingest.whip_settings import WhipSettings

MOST_EARLY: Final = 512
"""Units kept while the way in is open: some seconds, of which opening it takes a fraction."""

_SLOW: Final = "the server could not begin the broadcast in time; connect again"


class WhipSession(RtcSession):
    """An `ingest.port.Publisher`. `start` it once."""

    KIND: ClassVar[str] = "whip"
    THEY: ClassVar[str] = "publisher"

    def __init__(
        self, channel: str, key: str, peer: str, encoder: str, offer: Offer, settings: WhipSettings
    ) -> None:
        """`peer` is the publisher's address, `encoder` what it calls itself."""
        self._peer = Peer(offer, settings, self._accept, self._hear)
        log = structlog.get_logger("ingest.whip").bind(peer=peer, channel=channel)
        super().__init__(channel, key, offer, settings, self._peer, log)
        self._address = peer
        self._encoder = encoder
        self._entry: Entry | None = None
        self._heard_at = self._loop.time()
        self._sink: Sink | None = None
        self._early: list[Unit] = []
        """What came before there was a sink: the keyframe that a sender begins with, mostly."""
        self._finished = False

    @property
    def peer(self) -> str:
        return self._address

    def drop(self, reason: str) -> None:
        """End the session soon. Idempotent; never blocks, never calls the sink from here."""
        self.end(reason)

    def give_way(self) -> None:
        """End the session soon unless it is on the air: its publisher has made a newer offer."""
        if self._sink is None:
            self.end("a newer offer came with the same key")

    async def start(self, entry: Entry) -> str:
        """Give the SDP answer; go on the air by `entry` once connected.

        Raises PeerError, TimeoutError. Whatever is raised: the session ends by itself.
        """
        self._entry = entry
        answer = await self._answer()
        self._log.info("whip offer answered", encoder=self._encoder)
        return answer

    async def finish(self) -> None:
        self._finished = not self._ended.is_set()
        await super().finish()

    def _accept(self, unit: Unit) -> None:
        if self._ended.is_set():
            return
        if self._sink is not None:
            self._sink.accept((unit,))
        elif len(self._early) < MOST_EARLY:
            self._early.append(unit)
        else:
            self.end(_SLOW)

    def _hear(self, now: float) -> None:
        self._heard_at = now

    async def _enter(self) -> str | None:
        """Go on the air; return why that cannot be."""
        if self._entry is None:
            return _SLOW
        self._heard_at = self._loop.time()
        try:
            async with asyncio.timeout(self._settings.verdict_seconds):
                verdict = await self._entry()
        except TimeoutError:
            return _SLOW
        if isinstance(verdict, Refused):
            return verdict.reason
        self._sink = verdict
        self._log.info("whip publish started", encoder=self._encoder)
        early, self._early = self._early, []
        for unit in (StreamInfo(encoder=self._encoder), *early):
            self._accept(unit)
        return None

    async def _tick(self) -> str | None:
        if self._loop.time() - self._heard_at >= self._settings.silence_seconds:
            return f"nothing came for {self._settings.silence_seconds:.0f} s"
        await self._peer.say()
        return None

    def _leave(self) -> None:
        sink, self._sink = self._sink, None
        if sink is not None:
            sink.close(self._reason, finished=self._finished)
