"""RTMPS over loopback: the same connection, the same limits, behind TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ingest.limits import Limits
from ingest.rtmp.certificate import Certificate
from ingest.rtmp.listener import RtmpListener
from ingest.unit import VideoUnit
from tests.helpers import flv_tags
from tests.helpers.certificates import Files, Identity, identity, placed
from tests.helpers.recording_gate import KEY, RecordingGate, until
from tests.helpers.rtmp_publisher import FFMPEG, OBS, Manners, RtmpPublisher

LIMITS = Limits(linger_seconds=0.3)
LOOK_SECONDS = 0.05
Start = Callable[..., Awaitable[RtmpListener]]


@pytest.fixture(scope="module")
def one() -> Identity:
    return identity()


@pytest.fixture
def files(tmp_path: Path, one: Identity) -> Files:
    return placed(tmp_path, one)


@pytest.fixture
def gate() -> RecordingGate:
    return RecordingGate()


@pytest.fixture
async def start(gate: RecordingGate, files: Files) -> AsyncIterator[Start]:
    listeners: list[RtmpListener] = []

    async def begin(limits: Limits = LIMITS) -> RtmpListener:
        listener = RtmpListener(gate, limits, "127.0.0.1", 0)
        listeners.append(listener)
        await listener.start()
        certificate = await asyncio.to_thread(
            Certificate, files.certificate, files.key, LOOK_SECONDS
        )
        await listener.start_secure(certificate, 0)
        return listener

    yield begin
    for listener in listeners:
        await listener.close()
        assert listener.connections == 0


def port_of(listener: RtmpListener) -> int:
    assert listener.secure_port is not None
    return listener.secure_port


@pytest.mark.parametrize("manners", [OBS, FFMPEG], ids=["obs", "ffmpeg"])
async def test_a_publish_becomes_units(
    start: Start, gate: RecordingGate, one: Identity, manners: Manners
) -> None:
    listener = await start()
    publisher = await RtmpPublisher.connect(port_of(listener), manners, one.trust)
    assert (await publisher.publish(KEY))["code"] == "NetStream.Publish.Start"
    publisher.video(0, flv_tags.avc_header())
    for n in range(30):
        frame = flv_tags.nal(b"\x41" + bytes(n * 4_000))
        publisher.video(n * 33, flv_tags.avc_frame(frame, key=n == 0))
    await publisher.end()
    (sink,) = gate.sinks
    await until(lambda: bool(sink.closed))
    assert sink.closed == ["the publisher ended the stream"]
    assert [unit.dts for unit in sink.of(VideoUnit)] == [n * 33 * 90 for n in range(30)]
    assert gate.requests[0].protocol == "rtmps"


async def test_a_refused_key_is_told_why_and_closed(start: Start, one: Identity) -> None:
    listener = await start()
    publisher = await RtmpPublisher.connect(port_of(listener), trust=one.trust)
    status = await publisher.publish("wrong")
    assert status["description"] == "This stream key is not known."
    await publisher.messages_to_the_end()
    publisher.abort()
    await until(lambda: listener.connections == 0)


async def test_drop_tells_why(start: Start, gate: RecordingGate, one: Identity) -> None:
    listener = await start()
    publisher = await RtmpPublisher.connect(port_of(listener), trust=one.trust)
    await publisher.publish(KEY)
    gate.requests[0].publisher.drop("Another encoder took over.")
    assert (await publisher.status())["description"] == "Another encoder took over."
    await publisher.messages_to_the_end()
    publisher.abort()
    await until(lambda: listener.connections == 0)


async def test_a_stranger_is_not_trusted(start: Start) -> None:
    listener = await start()
    with capture_logs() as lines:
        with pytest.raises(ssl.SSLCertVerificationError):
            await RtmpPublisher.connect(port_of(listener), trust=identity().trust)
        await until(lambda: listener.connections == 0 and bool(lines))
    (line,) = lines
    assert "the TLS handshake failed" in line["reason"]


async def test_plain_rtmp_on_the_port_of_rtmps_is_told(start: Start) -> None:
    listener = await start()
    with capture_logs() as lines:
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await RtmpPublisher.connect(port_of(listener))
        await until(lambda: listener.connections == 0)
    assert "must begin with rtmps://" in lines[0]["reason"]


async def test_tls_on_the_port_of_plain_rtmp_is_told(start: Start, one: Identity) -> None:
    listener = await start()
    with capture_logs() as lines:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await RtmpPublisher.connect(listener.port, trust=one.trust)
        await until(lambda: listener.connections == 0)
    assert "rtmps:// has a port of its own" in lines[0]["reason"]


async def test_tls_before_1_2_is_refused(start: Start, one: Identity) -> None:
    listener = await start()
    old = one.trust
    with pytest.warns(DeprecationWarning, match="TLS"):
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLS"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await RtmpPublisher.connect(port_of(listener), trust=old)
    await until(lambda: listener.connections == 0)


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01\x02\x00\x01"], ids=["nothing", "half"])
async def test_a_tls_handshake_that_stops_is_counted_and_cut(start: Start, said: bytes) -> None:
    listener = await start(replace(LIMITS, handshake_seconds=1.0))
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(listener))
    writer.write(said)
    await until(lambda: listener.connections == 1)
    await ended(reader)
    await until(lambda: listener.connections == 0)
    writer.transport.abort()


async def test_rtmp_that_stops_behind_tls_is_cut(start: Start, one: Identity) -> None:
    listener = await start(replace(LIMITS, handshake_seconds=1.0, linger_seconds=0.1))
    _, writer = await asyncio.open_connection("127.0.0.1", port_of(listener), ssl=one.trust)
    writer.write(b"\x03" + bytes(2000))
    await until(lambda: listener.connections == 1)
    await until(lambda: listener.connections == 0)
    writer.transport.abort()


@pytest.mark.parametrize(
    "limits",
    [replace(LIMITS, connections_per_address=2), replace(LIMITS, connections=2)],
    ids=["per-address", "total"],
)
async def test_both_ports_and_open_handshakes_share_the_limits(
    start: Start, one: Identity, limits: Limits
) -> None:
    listener = await start(limits)
    plain = await RtmpPublisher.connect(listener.port)
    _, half_open = await asyncio.open_connection("127.0.0.1", port_of(listener))
    await until(lambda: listener.connections == 2)
    for port, trust in ((listener.port, None), (port_of(listener), one.trust)):
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError, ssl.SSLError)):
            await RtmpPublisher.connect(port, trust=trust)
    half_open.transport.abort()
    await until(lambda: listener.connections == 1)
    again = await RtmpPublisher.connect(port_of(listener), trust=one.trust)
    for publisher in (plain, again):
        publisher.abort()


async def test_a_new_certificate_is_for_new_connections(
    start: Start, gate: RecordingGate, files: Files, one: Identity
) -> None:
    listener = await start()
    before = await RtmpPublisher.connect(port_of(listener), trust=one.trust)
    await before.publish(KEY)
    other = identity()
    await asyncio.to_thread(files.write, other)
    after = await until_trusted(port_of(listener), other)
    with pytest.raises(ssl.SSLCertVerificationError):
        await RtmpPublisher.connect(port_of(listener), trust=one.trust)
    before.video(0, flv_tags.avc_header())
    await until(lambda: bool(gate.sinks[0].units))
    assert gate.sinks[0].closed == []
    for publisher in (before, after):
        publisher.abort()


async def until_trusted(port: int, identity: Identity) -> RtmpPublisher:
    """Try until the server shows this identity."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await RtmpPublisher.connect(port, trust=identity.trust)
            except ssl.SSLCertVerificationError:
                await asyncio.sleep(LOOK_SECONDS)


async def ended(reader: asyncio.StreamReader) -> None:
    """Wait until the server has closed, in whatever way."""
    async with asyncio.timeout(10):
        with suppress(ConnectionError):
            await reader.read()


async def test_close_ends_open_handshakes_and_frees_the_port(
    start: Start, gate: RecordingGate, one: Identity
) -> None:
    listener = await start()
    port = port_of(listener)
    publisher = await RtmpPublisher.connect(port, trust=one.trust)
    await publisher.publish(KEY)
    reader, half_open = await asyncio.open_connection("127.0.0.1", port)
    await until(lambda: listener.connections == 2)
    closing = asyncio.ensure_future(listener.close())
    assert (await publisher.status())["description"] == "The server is shutting down."
    await ended(reader)
    publisher.abort()
    half_open.transport.abort()
    await closing
    assert listener.connections == 0
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", port)
