"""One who looks on: the connection, its deadlines, its end (asyncio)."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import secrets
from typing import Final

import structlog

from ingest.unit import AudioUnit, Unit, VideoConfig, VideoUnit
from ingest.whip_offer import Fragment, Offer
from ingest.whip_settings import WhipSettings
from server.live.echo import Echo, Reordered
from server.whep.peer import Peer
from server.whep.sample import B_FRAMES, check

TICK_SECONDS: Final = 0.5


class WhepSession:
    """A `server.live.echo.Listener`. `start` it once; `over` is done when nothing of it is left."""

    def __init__(
        self, channel: str, key: str, echo: Echo, offer: Offer, settings: WhipSettings
    ) -> None:
        """`key`: the token it was asked for with. Raises Unseen, Unsupported."""
        self.channel = channel
        self.resource = secrets.token_urlsafe(24)
        """Names the session in its URL; not to be guessed."""
        self.tag = f'"{secrets.token_urlsafe(9)}"'
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._key = key
        self._echo = echo
        self._offer = offer
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        config = check(echo)
        self._codec = config.codec
        self._peer = Peer(offer, settings, echo, config)
        self._ended = asyncio.Event()
        self._reason = ""
        self._running: asyncio.Task[None] | None = None
        self._log = structlog.get_logger("whep").bind(channel=channel)

    @property
    def has_sound(self) -> bool:
        return self._peer.sound is not None and len(self._offer.tracks) > 1

    def opens(self, key: str) -> bool:
        """Tell whether `key`, any text of a header, is what the session was made with."""
        ours, said = (text.encode("utf-8", "surrogatepass") for text in (self._key, key))
        return hmac.compare_digest(ours, said)

    async def start(self) -> str:
        """Give the SDP answer; send once connected.

        Raises PeerError, TimeoutError. Whatever is raised: the session ends by itself.
        """
        try:
            async with asyncio.timeout(self._settings.gather_seconds):
                answer = await self._peer.answer()
        except BaseException:
            self.end("the offer came to nothing")
            raise
        finally:
            self._running = self._loop.create_task(self._run(), name="whep-session")
        return answer

    async def add(self, fragment: Fragment) -> bool:
        """Add candidates; False where the fragment asks for an ICE restart, which we cannot do."""
        if fragment.ufrag is not None and fragment.ufrag != self._offer.ufrag:
            return False
        if not self._ended.is_set():
            await self._peer.add_candidates(fragment.candidates, ended=fragment.ended)
        return True

    async def finish(self) -> None:
        """End as the viewer asked for; returns when it is over."""
        self.end("the viewer ended it")
        await asyncio.wait([self.over], timeout=self._settings.close_seconds + 1)

    def end(self, reason: str) -> None:
        """End soon. Idempotent; never blocks."""
        if not self._ended.is_set():
            self._reason = reason
            self._ended.set()

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

    async def _run(self) -> None:
        try:
            await self._live()
        except Exception:  # noqa: BLE001 - our own fault must not end more than this session
            self._log.exception("whep failed on a viewer")
        finally:
            await self._close()

    async def _live(self) -> None:
        deadline = self._loop.time() + self._settings.connect_seconds
        while self._peer.state in {"new", "connecting"}:
            left = deadline - self._loop.time()
            if left <= 0:
                self.end("no connection came about: is UDP blocked on the way?")
            if await self._told(left):
                return
        if self._peer.state == "connected":
            self._peer.picture.begin()
            self._echo.listen(self)
            self._log.info("whep viewer", sound=self.has_sound)
            if self._echo.closed:
                self.end("the publisher is gone")
        while self._peer.state == "connected":
            if await self._told(TICK_SECONDS):
                return
        self.end(f"the connection is {self._peer.state}")

    async def _told(self, seconds: float) -> bool:
        """Wait for a change of state, at most so long; tell whether it is to end."""
        ended = asyncio.ensure_future(self._ended.wait())
        changed = asyncio.ensure_future(self._peer.changed(seconds))
        try:
            await asyncio.wait((ended, changed), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (ended, changed):
                task.cancel()
            await asyncio.gather(ended, changed, return_exceptions=True)
        return self._ended.is_set()

    async def _close(self) -> None:
        self._echo.leave(self)
        self.end("the server is shutting down")
        self._log.info("whep session ended", reason=self._reason)
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.close_seconds):
                    await self._peer.close()
        finally:
            if not self.over.done():
                self.over.set_result(None)
