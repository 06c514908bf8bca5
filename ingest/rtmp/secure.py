"""The RTMPS port: TLS first, then the same connection as without (asyncio)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any, Final

import structlog

from ingest.rtmp.certificate import Certificate
from ingest.rtmp.connection import Connection

_BACKLOG: Final = 100
_REST_SECONDS: Final = 1.0
"""After an accept that failed, for want of file descriptors mostly."""

_PLAIN: Final = frozenset(("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"))


class SecureDoor:
    """Accepts on a port of its own; counts a socket in before its TLS handshake begins.

    asyncio's own TLS server makes a protocol's connection known only after the handshake,
    which would leave half-open ones out of every limit.
    """

    def __init__(
        self, make: Callable[[], Connection], certificate: Certificate, handshake_seconds: float
    ) -> None:
        self._make = make
        self._certificate = certificate
        self._handshake_seconds = handshake_seconds
        self._sockets: list[socket.socket] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._log = structlog.get_logger("ingest.rtmps")

    @property
    def port(self) -> int:
        """The port that is listened on, once open."""
        port: int = self._sockets[0].getsockname()[1]
        return port

    async def open(self, host: str, port: int) -> None:
        """Listen on `host`:`port`; port 0 takes a free one. Raises OSError."""
        self._sockets = await _listen(host, port)
        self._run(self._certificate.watch())
        for listening in self._sockets:
            self._run(self._accept(listening))

    async def close(self) -> None:
        """Stop listening, and end the handshakes that are not done."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for listening in self._sockets:
            listening.close()

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, address = await loop.sock_accept(listening)
            except OSError as error:
                self._log.error("rtmps cannot accept", error=str(error))
                await asyncio.sleep(_REST_SECONDS)
                continue
            connection = self._make()
            if connection.knock(address):
                self._run(self._secure(accepted, connection))
            else:
                accepted.close()

    async def _secure(self, accepted: socket.socket, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(
                lambda: connection,
                accepted,
                ssl=self._certificate.context,
                ssl_handshake_timeout=self._handshake_seconds,
                ssl_shutdown_timeout=self._handshake_seconds,
            )
        except OSError as error:
            accepted.close()
            connection.turn_away(_reason(error))
        except asyncio.CancelledError:
            accepted.close()
            connection.turn_away("the server is shutting down")
            raise

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _listen(host: str, port: int) -> list[socket.socket]:
    """Listen on every address that `host` has, as `loop.create_server` does. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    sockets: list[socket.socket] = []
    try:
        for family, address in dict.fromkeys((item[0], item[4]) for item in found):
            listening = socket.create_server(address[:2], family=family, backlog=_BACKLOG)
            sockets.append(listening)
            listening.setblocking(False)
    except OSError:
        for listening in sockets:
            listening.close()
        raise
    return sockets


def _reason(error: OSError) -> str:
    said = getattr(error, "reason", None)
    if said in _PLAIN:
        return "no TLS on the RTMPS port: the address must begin with rtmps://"
    if said:
        return f"the TLS handshake failed: {said}"
    return f"the TLS handshake failed: {error}"
