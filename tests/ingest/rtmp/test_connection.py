"""What a connection does to its transport when the peer does not read or the gate is slow."""

from __future__ import annotations

import asyncio

import pytest

from ingest.limits import Limits
from ingest.port import Entry, PublishRequest, Refused, Sink
from ingest.rtmp.amf0 import Value
from ingest.rtmp.chunk_writer import ChunkWriter
from ingest.rtmp.connection import Connection
from ingest.rtmp.message import Command
from tests.helpers.recording_gate import RecordingSink, until

CONNECT: dict[str, Value] = {"app": "live"}


class Wire(asyncio.Transport):
    """A transport that keeps what is done to it."""

    def __init__(self) -> None:
        super().__init__({"peername": ("::ffff:192.0.2.7", 5000)})
        self._reading = True
        self.gone = False
        self.sent = bytearray()

    def is_closing(self) -> bool:
        return self.gone

    def is_reading(self) -> bool:
        return self._reading

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        self._reading = True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += data

    def can_write_eof(self) -> bool:
        return False

    def abort(self) -> None:
        self.gone = True


class Doorman:
    """A room with space for all, and a gate that opens when it is told to."""

    def __init__(self) -> None:
        self.inside = 0
        self.opened = asyncio.Event()
        self.sink = RecordingSink()

    def enter(self, connection: Connection, address: str) -> str | None:
        self.inside += 1
        return None

    def leave(self, connection: Connection, address: str) -> None:
        self.inside -= 1

    async def judge(self, request: PublishRequest) -> Entry | Refused:
        await self.opened.wait()
        return self._let_in

    async def _let_in(self) -> Sink:
        return self.sink


@pytest.fixture
async def doorman() -> Doorman:
    return Doorman()


def connection(doorman: Doorman, wire: Wire) -> Connection:
    made = Connection(doorman, doorman, Limits(), clock=lambda: 0.0)
    made.connection_made(wire)
    return made


async def test_a_peer_that_does_not_read_is_not_read(doorman: Doorman) -> None:
    wire = Wire()
    made = connection(doorman, wire)
    made.pause_writing()
    assert not wire.is_reading()
    made.resume_writing()
    assert wire.is_reading()
    made.connection_lost(None)
    assert doorman.inside == 0


async def test_nothing_is_read_while_the_verdict_is_out(doorman: Doorman) -> None:
    wire = Wire()
    made = connection(doorman, wire)
    out = ChunkWriter()
    made.data_received(b"\x03" + bytes(3072))
    for command in (Command("connect", 1.0, (CONNECT,)), Command("publish", 2.0, (None, "k"), 1)):
        made.data_received(out.write(command.raw()))
    assert not wire.is_reading()
    made.pause_writing()
    made.resume_writing()
    assert not wire.is_reading()
    assert b"NetStream.Publish.Start" not in wire.sent
    doorman.opened.set()
    await until(wire.is_reading)
    assert b"NetStream.Publish.Start" in wire.sent
    made.connection_lost(ConnectionResetError("reset"))
    assert doorman.sink.closed == ["the connection was lost (reset)"]


async def test_the_peers_address_is_the_ipv4_one_where_it_is_mapped(doorman: Doorman) -> None:
    made = connection(doorman, Wire())
    assert made.peer == "192.0.2.7"
    made.connection_lost(None)


async def test_what_waited_in_the_socket_while_we_stood_still_counts(doorman: Doorman) -> None:
    """After a standstill the deadline comes first, then the bytes: they were in time."""
    wire, now = Wire(), 0.0
    made = Connection(doorman, doorman, Limits(), clock=lambda: now)
    made.connection_made(wire)
    out = ChunkWriter()
    made.data_received(b"\x03" + bytes(3072))
    for command in (Command("connect", 1.0, (CONNECT,)), Command("publish", 2.0, (None, "k"), 1)):
        made.data_received(out.write(command.raw()))
    doorman.opened.set()
    await until(lambda: b"NetStream.Publish.Start" in wire.sent)
    now = 9.0
    made._on_deadline()
    made.data_received(b"\x04")
    made._on_deadline()
    assert doorman.sink.closed == []
    now = 18.0
    made._on_deadline()
    await until(lambda: bool(doorman.sink.closed))
    assert doorman.sink.closed == ["the publisher went silent"]
    made.connection_lost(None)
