"""Asks servers by HTTP/2 where their TLS offers it, else by HTTP/1.1. asyncio.

It keeps no cookies: neither does a player on a page of another origin.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import aiohttp
from yarl import URL

from server.lint.http2 import ALPN, Http2, WentAwayError

CONNECT_SECONDS = 10.0
MOST_CONNECTIONS = 3
"""One after the other, for one request that servers close them on."""
HTTP_2 = "HTTP/2"
HTTP_1_1 = "HTTP/1.1"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    """As it was sent, in its coding."""
    protocol: str


@dataclass(frozen=True, slots=True)
class Trust:
    """Which certificates are taken."""

    insecure: bool = False
    """Any."""
    ca: Path | None = None
    """A file (PEM) of authorities, in place of the system's."""

    def context(self, *protocols: str) -> ssl.SSLContext:
        """Make a context that offers `protocols` (RFC 7301). Blocks. Raises OSError."""
        made = ssl.create_default_context(cafile=self.ca)
        made.set_alpn_protocols(protocols)
        if self.insecure:
            made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
        return made


class Client:
    """To be used as a context. Bodies have at most `most_bytes`, as they are sent."""

    def __init__(self, trust: Trust, most_bytes: int) -> None:
        self._trust = trust
        self._most_bytes = most_bytes
        self._connections: dict[tuple[str, int], Http2 | None] = {}
        """By server; None: it has no HTTP/2."""
        self._turns: dict[tuple[str, int], asyncio.Lock] = {}

    async def __aenter__(self) -> Client:
        """Raises OSError when there are no certificates to trust."""
        self._offering = await asyncio.to_thread(self._trust.context, ALPN, "http/1.1")
        plain = await asyncio.to_thread(self._trust.context, "http/1.1")
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=plain),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        for connection in self._connections.values():
            if connection is not None:
                connection.close()
        await self._session.close()

    async def ask(self, method: str, url: URL, headers: Mapping[str, str]) -> Answer:
        """Make one request, following no redirection.

        Has no deadline but to connect. Raises OSError, ValueError, aiohttp.ClientError.
        """
        for _ in range(MOST_CONNECTIONS):
            connection = await self._connection(url) if url.scheme == "https" else None
            if connection is None:
                return await self._ask_http1(method, url, headers)
            try:
                named = url.host_port_subcomponent or ""
                got = await connection.request(method, named, url.raw_path_qs, headers)
            except WentAwayError:
                continue
            return Answer(got.status, tuple(got.headers), bytes(got.body), HTTP_2)
        raise ConnectionError("the server closes every connection")

    async def _ask_http1(self, method: str, url: URL, headers: Mapping[str, str]) -> Answer:
        asking = self._session.request(method, url, headers=headers, allow_redirects=False)
        async with asking as answer:
            body = bytearray()
            async for piece in answer.content.iter_any():
                body += piece
                if len(body) > self._most_bytes:
                    raise ConnectionError(f"more than {self._most_bytes} bytes")
            told = tuple((name.lower(), value) for name, value in answer.headers.items())
            return Answer(answer.status, told, bytes(body), HTTP_1_1)

    async def _connection(self, url: URL) -> Http2 | None:
        """Give the connection to a server, which all requests share; None: it has no HTTP/2."""
        host, port = url.raw_host or "", url.port or 443
        async with self._turns.setdefault((host, port), asyncio.Lock()):
            if (host, port) in self._connections:
                known = self._connections[host, port]
                if known is None or known.takes_more:
                    return known
            made = await self._connect(host, port)
            if not made.chosen:
                made.close()
            self._connections[host, port] = made if made.chosen else None
            return self._connections[host, port]

    async def _connect(self, host: str, port: int) -> Http2:
        loop, making = asyncio.get_running_loop(), partial(Http2, self._most_bytes)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                _, made = await loop.create_connection(making, host, port, ssl=self._offering)
        except TimeoutError as error:
            raise ConnectionError(f"no connection within {CONNECT_SECONDS:.0f} s") from error
        return made
