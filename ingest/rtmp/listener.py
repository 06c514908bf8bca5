"""The RTMP ports: accept publishers, count them, close them (asyncio)."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable

from ingest.address import subscriber
from ingest.limits import Limits
from ingest.port import Gate
from ingest.rtmp.certificate import Certificate
from ingest.rtmp.connection import Connection
from ingest.rtmp.low_water import LOOK_SECONDS
from ingest.rtmp.secure import SecureDoor


class RtmpListener:
    """Listens on `host`:`port`; port 0 takes a free one.

    `clock`: monotonic seconds. Raises OSError from start() if the port is taken.
    """

    def __init__(
        self,
        gate: Gate,
        limits: Limits | None = None,
        host: str = "0.0.0.0",  # noqa: S104 - encoders connect from elsewhere; config narrows it
        port: int = 1935,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gate = gate
        self._limits = limits or Limits()
        self._host = host
        self._port = port
        self._clock = clock
        self._server: asyncio.Server | None = None
        self._looking: asyncio.Task[None] | None = None
        self._secure: SecureDoor | None = None
        self._connections: set[Connection] = set()
        self._per_address: Counter[str] = Counter()

    @property
    def port(self) -> int:
        """The port that is listened on, once started."""
        if self._server is not None and self._server.sockets:
            port: int = self._server.sockets[0].getsockname()[1]
            return port
        return self._port

    @property
    def secure_port(self) -> int | None:
        """The port that RTMPS is listened on; None where it is not."""
        return self._secure.port if self._secure is not None else None

    @property
    def connections(self) -> int:
        return len(self._connections)

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._make, self._host, self._port)
        self._looking = loop.create_task(self._look())

    async def start_secure(self, certificate: Certificate, port: int) -> None:
        """Take RTMPS too, on `port`, within the same limits. Once, after start(); OSError."""
        door = SecureDoor(self._make, certificate, self._limits.handshake_seconds)
        await door.open(self._host, port)
        self._secure = door

    async def close(self) -> None:
        """Stop listening, tell every publisher, and return when all sockets are closed.

        Those that can be asked to reconnect are asked; they come back once the port is open.
        Takes at most Limits.linger_seconds, and a verdict's deadline where one is out.
        """
        if self._server is not None:
            self._server.close()
        if self._looking is not None:
            self._looking.cancel()
        if self._secure is not None:
            await self._secure.close()
        connections = list(self._connections)
        for connection in connections:
            connection.ask_to_reconnect("The server is shutting down; connect again in a moment.")
            connection.drop("The server is shutting down.")
        if connections:
            closed = [connection.closed for connection in connections]
            await asyncio.wait(closed, timeout=self._limits.linger_seconds + 1)
            for connection in connections:
                connection.cut()
            await asyncio.gather(*(connection.settle() for connection in connections))
        if self._server is not None:
            await self._server.wait_closed()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            crowd = sum(connection.publishes for connection in self._connections)
            for connection in self._connections:
                connection.gather(crowd)

    def _make(self) -> Connection:
        return Connection(self, self._gate, self._limits, self._clock)

    def enter(self, connection: Connection, address: str) -> str | None:
        """Count a connection in; return a reason if there is no room for it."""
        if self._server is None or not self._server.is_serving():
            return "the server is shutting down"
        if len(self._connections) >= self._limits.connections:
            return "too many connections"
        block = subscriber(address)
        if self._per_address[block] >= self._limits.connections_per_address:
            return "too many connections from this address"
        self._per_address[block] += 1
        self._connections.add(connection)
        return None

    def leave(self, connection: Connection, address: str) -> None:
        """Count a connection out."""
        self._connections.discard(connection)
        block = subscriber(address)
        self._per_address[block] -= 1
        if self._per_address[block] <= 0:
            del self._per_address[block]
