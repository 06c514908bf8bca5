"""One WHIP publisher: its connection, its deadlines, the sink (asyncio)."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import secrets
from typing import Final

import structlog

from ingest.peer import Peer
from ingest.port import Entry, Refused, Sink
from ingest.unit import StreamInfo, Unit
from ingest.whip_offer import Fragment, Offer
from ingest.whip_settings import WhipSettings

TICK_SECONDS: Final = 0.5
GOODBYE_SECONDS: Final = 1.5
MOST_EARLY: Final = 512
"""Units kept while the way in is open: some seconds, of which opening it takes a fraction."""

_SLOW: Final = "the server could not begin the broadcast in time; connect again"


class WhipSession:
    """An `ingest.port.Publisher`. `start` it once; `over` is done when nothing of it is left."""

    def __init__(
        self, channel: str, key: str, peer: str, encoder: str, offer: Offer, settings: WhipSettings
    ) -> None:
        """`peer` is the publisher's address, `encoder` what it calls itself."""
        self.channel = channel
        self.resource = secrets.token_urlsafe(24)
        """Names the session in its URL; not to be guessed."""
        self.tag = f'"{secrets.token_urlsafe(9)}"'
        """Entity tag of the ICE session (RFC 9725 4.3.1)."""
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._key = key
        self._address = peer
        self._encoder = encoder
        self._offer = offer
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._connection = Peer(offer, settings, self._accept, self._hear)
        self._heard_at = self._loop.time()
        self._sink: Sink | None = None
        self._early: list[Unit] = []
        """What came before there was a sink: the keyframe that a sender begins with, mostly."""
        self._reason = ""
        self._finished = False
        self._ended = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._log = structlog.get_logger("ingest.whip").bind(peer=peer, channel=channel)

    @property
    def peer(self) -> str:
        return self._address

    def drop(self, reason: str) -> None:
        """End the session soon. Idempotent; never blocks, never calls the sink from here."""
        self._end(reason)

    def give_way(self) -> None:
        """End the session soon unless it is on the air: its publisher has made a newer offer."""
        if self._sink is None:
            self._end("a newer offer came with the same key")

    def opens(self, key: str) -> bool:
        """Tell whether `key`, any text of a header, is the one that the session was made with."""
        ours, said = (text.encode("utf-8", "surrogatepass") for text in (self._key, key))
        return hmac.compare_digest(ours, said)

    async def start(self, entry: Entry) -> str:
        """Give the SDP answer; go on the air by `entry` once connected.

        Raises PeerError, TimeoutError. Whatever is raised: the session ends by itself.
        """
        try:
            async with asyncio.timeout(self._settings.gather_seconds):
                answer = await self._connection.answer()
        except BaseException:
            self._end("the offer came to nothing")
            raise
        finally:
            self._running = self._loop.create_task(self._run(entry), name="whip-session")
        self._log.info("whip offer answered", encoder=self._encoder)
        return answer

    async def add(self, fragment: Fragment) -> bool:
        """Add candidates; False where the fragment asks for an ICE restart, which we cannot do."""
        if fragment.ufrag is not None and fragment.ufrag != self._offer.ufrag:
            return False
        if not self._ended.is_set():
            await self._connection.add_candidates(fragment.candidates, ended=fragment.ended)
        return True

    async def finish(self) -> None:
        """End as the publisher asked for; returns when it is over."""
        self._end("the publisher ended it", finished=True)
        await asyncio.wait([self.over], timeout=self._settings.close_seconds + 1)

    def _end(self, reason: str, *, finished: bool = False) -> None:
        if not self._ended.is_set():
            self._reason, self._finished = reason, finished
            self._ended.set()

    def _accept(self, unit: Unit) -> None:
        if self._ended.is_set():
            return
        if self._sink is not None:
            self._sink.accept(unit)
        elif len(self._early) < MOST_EARLY:
            self._early.append(unit)
        else:
            self._end(_SLOW)

    def _hear(self, now: float) -> None:
        self._heard_at = now

    async def _run(self, entry: Entry) -> None:
        try:
            await self._live(entry)
        except Exception:  # noqa: BLE001 - our own fault must not end more than this session
            self._log.exception("whip failed on a publisher")
            self._end("the server failed; connect again")
        finally:
            await self._close()

    async def _live(self, entry: Entry) -> None:
        ended = asyncio.ensure_future(self._ended.wait())
        connecting = asyncio.ensure_future(self._until_lost(entry))
        try:
            await asyncio.wait((ended, connecting), return_when=asyncio.FIRST_COMPLETED)
            if connecting.done():
                self._end(connecting.result())
        finally:
            for task in (ended, connecting):
                task.cancel()
            await asyncio.gather(ended, connecting, return_exceptions=True)

    async def _until_lost(self, entry: Entry) -> str:
        """Wait for the connection, go on the air and stay there; return why that is over."""
        connection = self._connection
        deadline = self._loop.time() + self._settings.connect_seconds
        while connection.state in {"new", "connecting"}:
            left = deadline - self._loop.time()
            if left <= 0:
                return "no connection came about: is UDP blocked on the way?"
            await connection.changed(left)
        self._heard_at = self._loop.time()
        if connection.state == "connected":
            refused = await self._enter(entry)
            if refused is not None:
                return refused
        while connection.state == "connected":
            silent = self._loop.time() - self._heard_at
            if silent >= self._settings.silence_seconds:
                return f"nothing came for {self._settings.silence_seconds:.0f} s"
            await connection.say()
            await connection.changed(TICK_SECONDS)
        if connection.state == "closed":
            # Closed by the peer: its goodbye, over HTTP, may still be on the way.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await self._ended.wait()
        return f"the connection is {connection.state}"

    async def _enter(self, entry: Entry) -> str | None:
        """Go on the air; return why that cannot be."""
        try:
            async with asyncio.timeout(self._settings.verdict_seconds):
                verdict = await entry()
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

    async def _close(self) -> None:
        sink, self._sink = self._sink, None
        self._end("the server is shutting down")
        self._log.info("whip session ended", reason=self._reason, finished=self._finished)
        try:
            if sink is not None:
                sink.close(self._reason, finished=self._finished)
            async with asyncio.timeout(self._settings.close_seconds):
                await self._connection.close()
        except TimeoutError:
            self._log.warning("whip connection did not close in time")
        finally:
            if not self.over.done():
                self.over.set_result(None)
