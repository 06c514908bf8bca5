"""Rude RTMP clients, each as bad as it can be for a while, from an address of its own choice."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias

from ingest.rtmp.chunk import RawMessage
from ingest.rtmp.chunk_writer import ChunkWriter
from ingest.rtmp.message import Command, MessageType, SetChunkSize

SHAKE = b"\x03" + bytes(2 * 1536)
PAUSE = 0.2
"""Seconds between two bytes of a drip, and before a client that was cut comes again."""
Client: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def again_and_again(client: Client, port: int, address: str) -> None:
    """Be this client from `address`; whenever the server has had enough, come again."""
    while True:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, local_addr=(address, 0)
            )
            try:
                await client(reader, writer)
            finally:
                writer.transport.abort()
        await asyncio.sleep(PAUSE)


@asynccontextmanager
async def at_once(*clients: Awaitable[None]) -> AsyncIterator[None]:
    """Run clients until the block ends."""
    tasks = [asyncio.ensure_future(client) for client in clients]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Connect, and say nothing."""
    await reader.read()


async def half_open(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Shake hands by half, close one direction."""
    writer.write(SHAKE[:1000])
    writer.write_eof()
    await reader.read()


async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Shake hands a byte at a time."""
    for at in range(len(SHAKE)):
        writer.write(SHAKE[at : at + 1])
        await writer.drain()
        await asyncio.sleep(PAUSE)


async def idle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Connect properly, then do nothing."""
    writer.write(SHAKE + ChunkWriter().write(Command("connect", 1.0, ({"app": "live"},)).raw()))
    await reader.read()


async def unread(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Ask and ask, and never read an answer."""
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    question = ChunkWriter().write(Command("whatIs", 7.0, (None, "x" * 60)).raw())
    writer.write(SHAKE + question * 500)
    await writer.drain()
    await asyncio.sleep(60)


async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(SHAKE + random.randbytes(100_000))
    await reader.read()


async def giant(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Announce messages of 16 MiB on every chunk stream."""
    heads = b"".join(bytes((csid,)) + b"\0\0\0\xff\xff\xff\x09\1\0\0\0" for csid in range(3, 60))
    writer.write(SHAKE + heads + bytes(100_000))
    await reader.read()


async def large(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Begin as many of the largest messages that are allowed as there is room for."""
    out = ChunkWriter()
    data = SHAKE + out.write(SetChunkSize(65_536).raw())
    for csid in range(3, 60):
        raw = RawMessage(csid, MessageType.VIDEO, 1, 0, bytes(7_000_000))
        data += out.write(raw)[:65_548]
    writer.write(data)
    await reader.read()


async def deep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Objects in objects in objects."""
    nest = b"\x02\x00\x07connect\x00?\xf0\0\0\0\0\0\0" + b"\x03\x00\x01a" * 12_000
    writer.write(SHAKE + ChunkWriter().write(RawMessage(3, MessageType.COMMAND, 0, 0, nest)))
    await reader.read()


async def wide(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A chunk stream more with each message."""
    out = ChunkWriter()
    pieces = [out.write(RawMessage(csid, 4, 0, 0, b"\0\x07\0\0\0\0")) for csid in range(3, 5_000)]
    writer.write(SHAKE + b"".join(pieces))
    await reader.read()


async def guessing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Try a stream key."""
    out = ChunkWriter()
    said = (
        Command("connect", 1.0, ({"app": "live"},)).raw(),
        Command("createStream", 2.0, (None,)).raw(),
        Command("publish", 3.0, (None, f"guess{random.random()}", "live"), 1).raw(),
    )
    writer.write(SHAKE + b"".join(out.write(raw) for raw in said))
    await reader.read()


async def storm(port: int, address: str) -> None:
    """Connect and go, as fast as it goes."""
    while True:
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
            writer.transport.abort()
        await asyncio.sleep(0.01)
