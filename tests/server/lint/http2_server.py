"""A server of HTTP/2 over TLS on loopback that does as its script says."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from struct import pack

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived, StreamReset
from h2.settings import SettingCodes, Settings

from tests.helpers.certificates import identity, placed


@dataclass
class Visit:
    """One connection."""

    h2: H2Connection
    writer: asyncio.StreamWriter
    asked: list[tuple[int, str]] = field(default_factory=list)
    """Streams and paths."""
    reset: list[int] = field(default_factory=list)

    def answer(
        self, stream: int, body: bytes, *headers: tuple[str, str], status: int = 200
    ) -> None:
        self.h2.send_headers(stream, [(":status", str(status)), *headers])
        self.h2.send_data(stream, body, end_stream=True)
        self.send()

    def go_away(self, last: int, code: int = 0) -> None:
        """Take no more than stream `last` (RFC 9113 6.8)."""
        self.writer.write(b"\0\0\x08\x07\0" + bytes(4) + pack(">II", last, code))

    def send(self) -> None:
        self.writer.write(self.h2.data_to_send())


Script = Callable[[Visit, int, str], Awaitable[None] | None]
"""Called with each request: its visit, stream and path."""


@dataclass
class Server:
    url: str
    certificate: Path
    visits: list[Visit] = field(default_factory=list)

    def was_asked(self, visits: int) -> bool:
        """Tell whether so many connections were made, and something asked on the newest."""
        return len(self.visits) == visits and bool(self.visits[-1].asked)


@asynccontextmanager
async def answering(
    folder: Path, script: Script, *, most_streams: int = 100, protocol: str = "h2"
) -> AsyncIterator[Server]:
    """Serve; `protocol` is what TLS offers."""
    files = placed(folder, identity())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    await asyncio.to_thread(context.load_cert_chain, files.certificate, files.key)
    context.set_alpn_protocols([protocol])
    server = Server("", files.certificate)

    async def visited(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if protocol != "h2":
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold")
            writer.close()
            return
        visit = Visit(H2Connection(H2Configuration(client_side=False)), writer)
        told = {SettingCodes.MAX_CONCURRENT_STREAMS: most_streams}
        visit.h2.local_settings = Settings(client=False, initial_values=told)
        visit.h2.initiate_connection()
        visit.send()
        server.visits.append(visit)
        while data := await reader.read(65_536):
            for event in visit.h2.receive_data(data):
                if isinstance(event, RequestReceived):
                    path = next(value for name, value in event.headers if name == b":path")
                    visit.asked.append((event.stream_id, path.decode()))
                    done = script(visit, event.stream_id, path.decode())
                    if done is not None:
                        await done
                elif isinstance(event, StreamReset):
                    visit.reset.append(event.stream_id)
            visit.send()
        writer.close()

    listening = await asyncio.start_server(visited, "127.0.0.1", 0, ssl=context)
    server.url = f"https://localhost:{listening.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listening.close()
        for visit in server.visits:
            visit.writer.transport.abort()
