"""A line for datagrams on which some are lost, both ways."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

Address = tuple[str | Any, int]


class _Outer(asyncio.DatagramProtocol):
    """The far end of the line, towards the server."""

    def __init__(self, inner: _Inner) -> None:
        self._inner = inner

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._inner.back(data)


class _Inner(asyncio.DatagramProtocol):
    """The near end, where one client sends to."""

    def __init__(self, one_in: int) -> None:
        self._one_in = one_in
        self._count = 0
        self._client: Address | None = None
        self.lost = 0
        self.outer: asyncio.DatagramTransport | None = None
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._client = addr
        if self.outer is not None and not self._loses():
            self.outer.sendto(data)

    def back(self, data: bytes) -> None:
        if self.transport is not None and self._client is not None and not self._loses():
            self.transport.sendto(data, self._client)

    def _loses(self) -> bool:
        self._count += 1
        lost = self._count % self._one_in == 0
        self.lost += lost
        return lost


@asynccontextmanager
async def lossy(port: int, one_in: int) -> AsyncIterator[int]:
    """Lead to a UDP port of loopback, losing one datagram in so many; give the near end's port.

    Raises AssertionError at the end when none was lost.
    """
    loop = asyncio.get_running_loop()
    near, inner = await loop.create_datagram_endpoint(
        lambda: _Inner(one_in), local_addr=("127.0.0.1", 0)
    )
    far, _ = await loop.create_datagram_endpoint(
        lambda: _Outer(inner), remote_addr=("127.0.0.1", port)
    )
    inner.outer = far
    try:
        yield int(near.get_extra_info("sockname")[1])
    finally:
        far.close()
        near.close()
    assert inner.lost > 0
