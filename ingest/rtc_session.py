"""One offer that was answered, whichever side sends: its address, its deadlines, its end (asyncio).

What WHIP (RFC 9725) and WHEP, which follows it, have in common below HTTP.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar, Final, Generic, TypeVar

import structlog

from ingest.rtc_connection import RtcConnection
from ingest.whip_offer import Fragment, Offer
from ingest.whip_settings import WhipSettings

TICK_SECONDS: Final = 0.5
GOODBYE_SECONDS: Final = 1.5


class RtcSession(ABC):
    """`over` is done when nothing of it is left."""

    KIND: ClassVar[str]
    """`whip` or `whep`: what the log calls it."""
    THEY: ClassVar[str]
    """Who the other side is."""

    def __init__(
        self,
        channel: str,
        key: str,
        offer: Offer,
        settings: WhipSettings,
        connection: RtcConnection,
        log: structlog.stdlib.BoundLogger,
    ) -> None:
        """`key`: what it was asked for with."""
        self.channel = channel
        self.resource = secrets.token_urlsafe(24)
        """Names the session in its URL; not to be guessed."""
        self.tag = f'"{secrets.token_urlsafe(9)}"'
        """Entity tag of the ICE session (RFC 9725 4.3.1)."""
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._key = key
        self._offer = offer
        self._settings = settings
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._reason = ""
        self._ended = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._log = log

    def opens(self, key: str) -> bool:
        """Tell whether `key`, any text of a header, is what the session was made with."""
        ours, said = (text.encode("utf-8", "surrogatepass") for text in (self._key, key))
        return hmac.compare_digest(ours, said)

    async def add(self, fragment: Fragment) -> bool:
        """Add candidates; False where the fragment asks for an ICE restart, which we cannot do."""
        if fragment.ufrag is not None and fragment.ufrag != self._offer.ufrag:
            return False
        if not self._ended.is_set():
            await self._connection.add_candidates(fragment.candidates, ended=fragment.ended)
        return True

    async def finish(self) -> None:
        """End as the other side asked for; returns when it is over."""
        self.end(f"the {self.THEY} ended it")
        await asyncio.wait([self.over], timeout=self._settings.close_seconds + 1)

    def end(self, reason: str) -> None:
        """End soon. Idempotent; never blocks."""
        if not self._ended.is_set():
            self._reason = reason
            self._ended.set()

    async def _answer(self) -> str:
        """Give the SDP answer, once. Raises PeerError, TimeoutError.

        Whatever is raised: the session ends by itself.
        """
        try:
            async with asyncio.timeout(self._settings.gather_seconds):
                return await self._connection.answer()
        except BaseException:
            self.end("the offer came to nothing")
            raise
        finally:
            self._running = self._loop.create_task(self._run(), name=f"{self.KIND}-session")

    @abstractmethod
    async def _enter(self) -> str | None:
        """Do what is to be done once connected; return why it cannot be."""

    @abstractmethod
    async def _tick(self) -> str | None:
        """Do what is due while connected; return why it is over."""

    @abstractmethod
    def _leave(self) -> None:
        """Let go of what `_enter` took, if it did. Called once."""

    async def _run(self) -> None:
        try:
            await self._live()
        except Exception:  # noqa: BLE001 - our own fault must not end more than this session
            self._log.exception(f"{self.KIND} failed on a {self.THEY}")
            self.end("the server failed; connect again")
        finally:
            await self._close()

    async def _live(self) -> None:
        ended = asyncio.ensure_future(self._ended.wait())
        connected = asyncio.ensure_future(self._until_lost())
        try:
            await asyncio.wait((ended, connected), return_when=asyncio.FIRST_COMPLETED)
            if connected.done():
                self.end(connected.result())
        finally:
            for task in (ended, connected):
                task.cancel()
            await asyncio.gather(ended, connected, return_exceptions=True)

    async def _until_lost(self) -> str:
        """Wait for the connection and for its end; return why that came."""
        connection = self._connection
        deadline = self._loop.time() + self._settings.connect_seconds
        while connection.state in {"new", "connecting"}:
            left = deadline - self._loop.time()
            if left <= 0:
                return "no connection came about: is UDP blocked on the way?"
            await connection.changed(left)
        over = await self._enter() if connection.state == "connected" else None
        while over is None and connection.state == "connected":
            over = await self._tick()
            if over is None:
                await connection.changed(TICK_SECONDS)
        if over is not None:
            return over
        if connection.state == "closed":
            # Closed by the peer: its goodbye, over HTTP, may still be on the way.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await self._ended.wait()
        return f"the connection is {connection.state}"

    async def _close(self) -> None:
        self.end("the server is shutting down")
        self._log.info(f"{self.KIND} session ended", reason=self._reason)
        try:
            self._leave()
            async with asyncio.timeout(self._settings.close_seconds):
                await self._connection.close()
        except TimeoutError:
            self._log.warning(f"{self.KIND} connection did not close in time")
        finally:
            if not self.over.done():
                self.over.set_result(None)


S = TypeVar("S", bound=RtcSession)


class Sessions(Generic[S]):
    """All of one server, by what stands in their URLs."""

    def __init__(self) -> None:
        self._all: dict[str, S] = {}

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[S]:
        return iter(tuple(self._all.values()))

    def add(self, session: S) -> None:
        """Take a session in until it is over."""
        self._all[session.resource] = session
        session.over.add_done_callback(lambda _: self._all.pop(session.resource, None))

    def find(self, channel: str, resource: str) -> S | None:
        found = self._all.get(resource)
        return found if found is not None and found.channel == channel else None

    async def close(self, seconds: float) -> None:
        """End all, as the server does; return when they are over, or after `seconds`."""
        over = [session.over for session in self]
        for session in self:
            session.end("the server is shutting down")
        if over:
            await asyncio.wait(over, timeout=seconds)
