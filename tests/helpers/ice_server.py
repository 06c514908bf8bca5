"""A STUN and TURN server on loopback (RFC 8489, RFC 8656): it tells addresses of elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

from aioice import stun
from aioice.turn import make_integrity_key

MAPPED, RELAYED = ("198.51.100.7", 40_000), ("203.0.113.9", 50_000)
REALM, USERNAME, CREDENTIAL = "here", "tea", "made-up"
KEY = make_integrity_key(USERNAME, REALM, CREDENTIAL)
LIFETIME = 600


class IceServer(asyncio.DatagramProtocol):
    """Tells everybody that they are MAPPED; lets who knows the credential have RELAYED."""

    def __init__(self) -> None:
        self.port = 0
        self.allocations = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        request = stun.parse_message(data)
        if request.message_method is stun.Method.BINDING:
            self._answer(request, addr, {"XOR-MAPPED-ADDRESS": MAPPED})
        elif not request.check_message_integrity(KEY):
            wanted = {"ERROR-CODE": (401, "Unauthorized"), "NONCE": b"once", "REALM": REALM}
            self._answer(request, addr, wanted, stun.Class.ERROR)
        elif request.message_method is stun.Method.ALLOCATE:
            self.allocations += 1
            both = {"XOR-MAPPED-ADDRESS": MAPPED, "XOR-RELAYED-ADDRESS": RELAYED}
            self._answer(request, addr, {**both, "LIFETIME": LIFETIME})
        else:
            self.allocations -= request.attributes.get("LIFETIME") == 0
            self._answer(request, addr, {"LIFETIME": 0})

    def _answer(
        self,
        request: stun.Message,
        addr: tuple[str, int],
        attributes: dict[str, Any],
        kind: stun.Class = stun.Class.RESPONSE,
    ) -> None:
        answer = stun.Message(request.message_method, kind, request.transaction_id, attributes)
        if kind is stun.Class.RESPONSE and request.message_method is not stun.Method.BINDING:
            answer.add_message_integrity(KEY)
        self._transport.sendto(bytes(answer), addr)


@asynccontextmanager
async def ice_server() -> AsyncIterator[IceServer]:
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(IceServer, local_addr=("127.0.0.1", 0))
    try:
        yield server
    finally:
        transport.close()
