"""One publisher's socket: an RtmpSession, its deadlines, the gate and the sink (asyncio)."""

from __future__ import annotations

import asyncio
import os
import select
from collections.abc import Callable
from contextlib import suppress
from socket import SO_RCVLOWAT, SOL_SOCKET
from typing import Any, Protocol, cast

import structlog

from ingest.errors import PeerError
from ingest.limits import Limits
from ingest.port import Gate, PublishRequest, Refusal, Refused, Sink
from ingest.rtmp.event import Event, PublishRequested, Received
from ingest.rtmp.handshake import NONCE_SIZE
from ingest.rtmp.low_water import LowWater
from ingest.rtmp.session import RtmpSession

_SECOND_LOOK_SECONDS = 0.05
_ENDED = getattr(select, "POLLRDHUP", 0)
"""What to look for beside errors and a full close, where the system tells the half-closed."""
_GONE = Refused(Refusal.UNAVAILABLE, "The publisher left before the verdict.")
_BUSY = Refused(Refusal.UNAVAILABLE, "The server cannot check the key now; try again in a minute.")


class Room(Protocol):
    """Who counts connections."""

    def enter(self, connection: Connection, address: str) -> str | None:
        """Count a connection in; return a reason if there is no room for it."""
        ...

    def leave(self, connection: Connection, address: str) -> None: ...


class Connection(asyncio.Protocol):
    """A `ingest.port.Publisher`.

    Closes in two steps: `_end` says why and tells the sink; then the peer has
    Limits.linger_seconds to read it and go, or the socket is cut.
    """

    def __init__(self, room: Room, gate: Gate, limits: Limits, clock: Callable[[], float]) -> None:
        self._room = room
        self._gate = gate
        self._limits = limits
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._session = RtmpSession(limits, os.urandom(NONCE_SIZE), clock())
        self._transport: asyncio.Transport | None = None
        self._address = ""
        self._protocol = "rtmp"
        self._log = structlog.get_logger("ingest.rtmp")
        self._timer: asyncio.TimerHandle | None = None
        self._verdict: asyncio.Task[None] | None = None
        self._sink: Sink | None = None
        self._entered = False
        self._over = False
        self._judging = False
        self._full = False
        self._doubted = False
        self._low_water = LowWater()
        self.closed = self._loop.create_future()

    @property
    def peer(self) -> str:
        """Host address of the remote end, without its port."""
        return self._address

    def drop(self, reason: str) -> None:
        """Close the connection soon. Idempotent; never blocks, never calls the sink from here."""
        self._loop.call_soon(self._end, reason)

    def ask_to_reconnect(self, description: str) -> None:
        """Ask a publisher that can be asked to come again; others hear nothing."""
        if not self._over:
            self._session.ask_to_reconnect(description)
            self._flush()

    @property
    def publishes(self) -> bool:
        return self._sink is not None

    def gather(self, crowd: int) -> None:
        """Fit how much of a live stream gathers before it is read. See LowWater."""
        if self._sink is not None:
            self._mark(self._low_water.look(self._session.received, crowd))

    def _mark(self, mark: int | None) -> None:
        if mark is None or self._transport is None or self._transport.is_closing():
            return
        socket = self._transport.get_extra_info("socket")
        if socket is not None:
            with suppress(OSError):  # Where a system does not know it, each message is read.
                socket.setsockopt(SOL_SOCKET, SO_RCVLOWAT, mark)

    def cut(self) -> None:
        """Close the socket now."""
        if self._transport is not None:
            self._transport.abort()

    def knock(self, address: Any) -> bool:
        """Count this connection in from its socket's `address`; False if there is no room.

        Where TLS comes first, the owner knocks before it; else `connection_made` does.
        """
        host, port = address[:2] if address else ("unknown", 0)
        self._address = str(host).removeprefix("::ffff:")
        self._log = self._log.bind(peer=f"{self._address}:{port}")
        crowded = self._room.enter(self, self._address)
        if crowded is not None:
            self._log.warning("rtmp refused a connection", reason=crowded)
            self._over = True
        self._entered = crowded is None
        return self._entered

    def turn_away(self, reason: str) -> None:
        """End a connection that got no further than `knock`."""
        self._end(reason, fault=True)
        self._leave()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if transport.get_extra_info("sslcontext") is not None:
            self._protocol = "rtmps"
        if not self._entered:
            self.knock(transport.get_extra_info("peername"))
        if self._over:
            self._transport.abort()
        else:
            self._arm()

    def data_received(self, data: bytes) -> None:
        if self._over:
            return
        try:
            for event in self._session.receive_data(data, self._clock()):
                self._act(event)
        except Exception as error:  # noqa: BLE001 - told apart, and ends this connection only
            self._fail(error)
        self._flush()

    def eof_received(self) -> bool:
        self._end("the publisher closed the connection")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(f"the connection was lost ({exc})" if exc else "the connection was closed")
        self._leave()

    def _leave(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._entered:
            self._entered = False
            self._room.leave(self, self._address)
        if not self.closed.done():
            self.closed.set_result(None)

    def pause_writing(self) -> None:
        # A peer that does not read its answers gets no more of them.
        self._full = True
        self._steer()

    def resume_writing(self) -> None:
        self._full = False
        self._steer()

    async def settle(self) -> None:
        """Wait for a verdict that is still out, which is bounded by its own deadline."""
        if self._verdict is not None:
            await self._verdict

    def _fail(self, error: Exception) -> None:
        """End this connection, and nothing else, for what its data did."""
        if isinstance(error, PeerError):
            self._end(error.reason, fault=True)
            return
        self._log.error("rtmp failed on a publisher's data", exc_info=error)
        self._end("The server failed; connect again.", fault=True)

    def _act(self, event: Event) -> None:
        if isinstance(event, Received):
            if self._sink is not None:
                self._sink.accept(event.units)
        elif isinstance(event, PublishRequested):
            self._judge(event)
        else:
            self._end(event.reason, finished=True)

    def _judge(self, asked: PublishRequested) -> None:
        self._judging = True
        self._steer()
        self._verdict = self._loop.create_task(self._ask_gate(asked))

    async def _ask_gate(self, asked: PublishRequested) -> None:
        request = PublishRequest(self._protocol, asked.app, asked.key, self, asked.encoder)
        verdict: Sink | Refused = _BUSY
        try:
            verdict = await self._enter(request)
        except TimeoutError:
            self._log.error("rtmp gate gave no verdict in time")
        except Exception:  # noqa: BLE001 - a gate that fails refuses; the server goes on
            self._log.exception("rtmp gate failed")
        self._judging = False
        self._steer()
        if isinstance(verdict, Refused):
            self._refuse(verdict)
        elif self._over:
            verdict.close("the publisher left before the verdict")
        else:
            self._sink = verdict
            self._log = self._log.bind(channel=verdict.name)
            self._log.info("rtmp publish started", app=asked.app, encoder=asked.encoder)
            self._begin()
            self._arm()

    async def _enter(self, request: PublishRequest) -> Sink | Refused:
        """Have the gate judge, then go on the air. Raises TimeoutError."""
        async with asyncio.timeout(self._limits.verdict_seconds):
            judged = await self._gate.judge(request)
        if isinstance(judged, Refused):
            return judged
        if self._over or self._hung_up():
            # Another may be on the air with this key, and stays.
            return _GONE
        async with asyncio.timeout(self._limits.entry_seconds):
            return await judged()

    def _hung_up(self) -> bool:
        """Tell whether the peer has closed or lost its side; what it sent before stays unread."""
        transport = self._transport
        socket = None if transport is None else transport.get_extra_info("socket")
        if socket is None or socket.fileno() < 0:
            return False
        look = select.poll()
        look.register(socket.fileno(), _ENDED)
        return bool(look.poll(0))

    def _begin(self) -> None:
        try:
            for event in self._session.accept(self._clock()):
                self._act(event)
        except Exception as error:  # noqa: BLE001 - as in data_received
            self._fail(error)
        self._flush()

    def _refuse(self, refused: Refused) -> None:
        if self._over:
            return
        self._session.refuse(refused)
        self._log.warning("rtmp publish refused", cause=refused.refusal, reason=refused.reason)
        self._hang_up(refused.reason)

    def _end(self, reason: str, *, fault: bool = False, finished: bool = False) -> None:
        if self._over:
            return
        self._session.end(reason)
        if self._session.unpublished and not finished:
            reason, finished = f"the publisher ended the stream; then {reason}", True
        event = "rtmp session failed" if fault else "rtmp session ended"
        line = self._log.warning if fault else self._log.info
        line(event, reason=reason, published=self._sink is not None, bytes=self._session.received)
        self._hang_up(reason, finished=finished)

    def _hang_up(self, reason: str, *, finished: bool = False) -> None:
        self._over = True
        # GStreamer takes it for an error if we close before it does.
        self._linger(half_close=not finished)
        sink, self._sink = self._sink, None
        if sink is not None:
            sink.close(reason, finished=finished)

    def _linger(self, *, half_close: bool) -> None:
        # Unread input would turn a close into a reset that destroys the last answer:
        # half-close, read on into nothing, and wait for the peer to go.
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        self._flush()
        self._mark(1)
        self._steer()
        self._rearm(self._limits.linger_seconds, transport.abort)
        try:
            if half_close and transport.can_write_eof():
                transport.write_eof()
        except OSError:  # The peer has reset the connection already.
            transport.abort()

    def _steer(self) -> None:
        """Read while there is room for answers and no verdict is out."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if (self._judging or self._full) and not self._over:
            transport.pause_reading()
        else:
            transport.resume_reading()

    def _flush(self) -> None:
        data = self._session.data_to_send()
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _arm(self) -> None:
        deadline = self._session.deadline
        if deadline is not None and not self._over:
            self._rearm(max(deadline - self._clock(), 0.01), self._on_deadline)

    def _rearm(self, seconds: float, then: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, then)

    def _on_deadline(self) -> None:
        try:
            self._session.check(self._clock())
        except PeerError as error:
            if self._doubted:
                self._end(error.reason, fault=True)
            else:
                # After a standstill of ours the loop looks at timers first, then at sockets.
                self._doubted = True
                self._rearm(_SECOND_LOOK_SECONDS, self._on_deadline)
        else:
            self._doubted = False
            self._arm()
