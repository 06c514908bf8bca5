"""One who looks on: what of the publisher's it is sent (asyncio)."""

from __future__ import annotations

from typing import ClassVar

import structlog

from ingest.rtc_session import RtcSession
from ingest.unit import AudioUnit, Unit, VideoConfig, VideoUnit
from ingest.whip_offer import Offer
from ingest.whip_settings import WhipSettings
from server.live.echo import Echo, Reordered
from server.whep.peer import Peer
from server.whep.sample import B_FRAMES, check


class WhepSession(RtcSession):
    """A `server.live.echo.Listener`. `start` it once."""

    KIND: ClassVar[str] = "whep"
    THEY: ClassVar[str] = "viewer"

    def __init__(
        self, channel: str, key: str, echo: Echo, offer: Offer, settings: WhipSettings
    ) -> None:
        """`key`: the token it was asked for with. Raises Unseen, Unsupported."""
        config = check(echo)
        self._echo = echo
        self._codec = config.codec
        self._peer = Peer(offer, settings, echo, config)
        log = structlog.get_logger("whep").bind(channel=channel)
        super().__init__(channel, key, offer, settings, self._peer, log)

    @property
    def has_sound(self) -> bool:
        return self._peer.sound is not None and len(self._offer.tracks) > 1

    async def start(self) -> str:
        """Give the SDP answer; send once connected.

        Raises PeerError, TimeoutError. Whatever is raised: the session ends by itself.
        """
        return await self._answer()

    # The publisher's units

    def hear(self, unit: Unit) -> None:
        if self._ended.is_set():
            return
        if isinstance(unit, VideoUnit):
            if self._echo.reordered is Reordered.YES:
                self.end(B_FRAMES)
            else:
                self._peer.picture.hear(unit)
        elif isinstance(unit, AudioUnit):
            if self._peer.sound is not None:
                self._peer.sound.hear(unit)
        elif isinstance(unit, VideoConfig):
            if unit.codec is self._codec:
                self._peer.picture.renew(unit)
            else:
                self.end("the encoder changed its codec; ask again")

    def gone(self, reason: str) -> None:
        self.end(reason)

    async def _enter(self) -> str | None:
        self._peer.picture.begin()
        self._echo.listen(self)
        self._log.info("whep viewer", sound=self.has_sound)
        return "the publisher is gone" if self._echo.closed else None

    async def _tick(self) -> str | None:
        return None

    def _leave(self) -> None:
        self._echo.leave(self)
