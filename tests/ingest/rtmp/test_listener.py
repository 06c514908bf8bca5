"""The listener over loopback: verdicts, limits, deadlines, and how connections end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from ingest.limits import Limits
from ingest.port import Entry, PublishRequest, Refused, Sink
from ingest.rtmp.listener import RtmpListener
from ingest.rtmp.message import Command
from ingest.unit import AudioUnit, Unit, VideoConfig, VideoUnit
from tests.helpers import flv_tags
from tests.helpers.recording_gate import KEY, RecordingGate, RecordingSink, until
from tests.helpers.rtmp_publisher import FFMPEG, OBS, PLAIN, Manners, RtmpPublisher

LIMITS = Limits(linger_seconds=0.3)
Start = Callable[..., Awaitable[RtmpListener]]


@pytest.fixture
def gate() -> RecordingGate:
    return RecordingGate()


@pytest.fixture
async def start(gate: RecordingGate) -> AsyncIterator[Start]:
    listeners: list[RtmpListener] = []

    async def begin(limits: Limits = LIMITS, admit: object = None) -> RtmpListener:
        listener = RtmpListener(admit or gate, limits, "127.0.0.1", 0)  # type: ignore[arg-type]
        listeners.append(listener)
        await listener.start()
        return listener

    yield begin
    for listener in listeners:
        await listener.close()
        assert listener.connections == 0


@pytest.mark.parametrize("manners", [OBS, FFMPEG, PLAIN], ids=["obs", "ffmpeg", "plain"])
async def test_a_publish_becomes_units(start: Start, gate: RecordingGate, manners: Manners) -> None:
    listener = await start()
    publisher = await RtmpPublisher.connect(listener.port, manners)
    status = await publisher.publish(KEY)
    assert status["code"] == "NetStream.Publish.Start"
    publisher.metadata(width=320.0, height=240.0, framerate=30.0)
    publisher.video(0, flv_tags.avc_header())
    publisher.audio(0, flv_tags.aac_header())
    for n in range(30):
        frame = flv_tags.nal(b"\x41" + bytes(n * 400))
        publisher.video(n * 33, flv_tags.avc_frame(frame, key=n == 0, composition_ms=33))
        publisher.audio(n * 33 + 4, flv_tags.aac_frame(bytes(n + 1)))
    await publisher.end()
    (sink,) = gate.sinks
    await until(lambda: bool(sink.closed))
    assert sink.closed == ["the publisher ended the stream"]
    video, audio = sink.of(VideoUnit), sink.of(AudioUnit)
    assert [unit.dts for unit in video] == [n * 33 * 90 for n in range(30)]
    assert [unit.pts - unit.dts for unit in video] == [33 * 90] * 30
    assert [len(unit.data) for unit in audio] == [n + 1 for n in range(30)]
    assert (gate.requests[0].protocol, gate.requests[0].app) == ("rtmp", "live")
    assert gate.requests[0].publisher.peer == "127.0.0.1"


async def test_a_refused_key_is_told_why_and_closed(start: Start) -> None:
    listener = await start()
    publisher = await RtmpPublisher.connect(listener.port)
    status = await publisher.publish("wrong")
    assert status["code"] == "NetStream.Publish.BadName"
    assert status["description"] == "This stream key is not known."
    await publisher.messages_to_the_end()
    await publisher.close()
    await until(lambda: listener.connections == 0)


async def test_the_key_is_in_no_log_line(start: Start, gate: RecordingGate) -> None:
    with capture_logs() as lines:
        listener = await start()
        for key, app in ((KEY, "live"), ("sk-wrong", "live"), (f"x?key={KEY}", "live")):
            publisher = await RtmpPublisher.connect(listener.port)
            await publisher.publish(key, app)
            await publisher.end()
        publisher = await RtmpPublisher.connect(listener.port)
        await publisher.publish("", f"live/{KEY}")
        await publisher.end()
        await until(lambda: listener.connections == 0)
    assert len(lines) == 7
    assert len([line for line in lines if line["event"] == "rtmp publish started"]) == 3
    assert "sk-" not in repr(lines)


async def test_publish_start_waits_for_a_slow_verdict(start: Start, gate: RecordingGate) -> None:
    gate.hold = asyncio.Event()
    listener = await start()
    publisher = await RtmpPublisher.connect(listener.port)
    publishing = asyncio.ensure_future(publisher.publish(KEY))
    await until(lambda: bool(gate.requests))
    other = await RtmpPublisher.connect(listener.port)
    await other.call("connect", {"app": "live"})
    assert not publishing.done()
    gate.hold.set()
    assert (await publishing)["code"] == "NetStream.Publish.Start"
    publisher.abort()
    other.abort()


async def test_no_verdict_in_time_is_a_refusal(start: Start, gate: RecordingGate) -> None:
    gate.hold = asyncio.Event()
    listener = await start(replace(LIMITS, verdict_seconds=0.1))
    publisher = await RtmpPublisher.connect(listener.port)
    assert (await publisher.publish(KEY))["code"] == "NetStream.Publish.Denied"
    publisher.abort()


async def test_a_gate_that_fails_refuses(start: Start) -> None:
    class Broken:
        async def judge(self, request: PublishRequest) -> Entry | Refused:
            raise RuntimeError("no store")

    listener = await start(admit=Broken())
    publisher = await RtmpPublisher.connect(listener.port)
    assert (await publisher.publish(KEY))["code"] == "NetStream.Publish.Denied"
    publisher.abort()


async def test_a_sink_that_fails_ends_its_own_connection_only(
    start: Start, gate: RecordingGate
) -> None:
    class Broken(RecordingSink):
        def accept(self, units: Sequence[Unit]) -> None:
            raise RuntimeError("full")

    broken = Broken()

    class BrokenOnce:
        async def judge(self, request: PublishRequest) -> Entry | Refused:
            return self._enter if request.key == "b" else await gate.judge(request)

        async def _enter(self) -> Sink:
            return broken

    listener = await start(admit=BrokenOnce())
    bad = await RtmpPublisher.connect(listener.port)
    await bad.publish("b")
    good = await RtmpPublisher.connect(listener.port)
    await good.publish(KEY)
    bad.video(0, flv_tags.avc_header())
    assert (await bad.status())["code"] == "NetStream.Failed"
    good.video(0, flv_tags.avc_header())
    await until(lambda: bool(gate.sinks[0].units))
    assert len(broken.closed) == 1
    bad.abort()
    good.abort()


async def test_drop_tells_why_and_closes_the_sink_once(start: Start, gate: RecordingGate) -> None:
    listener = await start()
    publisher = await RtmpPublisher.connect(listener.port)
    await publisher.publish(KEY)
    handle = gate.requests[0].publisher
    handle.drop("Another encoder took over.")
    handle.drop("again")
    assert gate.sinks[0].closed == []
    publisher.video(0, flv_tags.avc_header())
    messages = await publisher.messages_to_the_end()
    last = messages[-1]
    assert isinstance(last, Command)
    assert last.arguments[1] == {
        "level": "error",
        "code": "NetStream.Failed",
        "description": "Another encoder took over.",
    }
    await publisher.close()
    await until(lambda: listener.connections == 0)
    handle.drop("after the end")
    assert gate.sinks[0].closed == ["Another encoder took over."]
    assert gate.sinks[0].units == []


async def test_a_peer_that_stays_after_drop_is_cut(start: Start, gate: RecordingGate) -> None:
    listener = await start(replace(LIMITS, linger_seconds=0.1))
    publisher = await RtmpPublisher.connect(listener.port)
    await publisher.publish(KEY)
    gate.requests[0].publisher.drop("Enough.")
    await until(lambda: listener.connections == 0)
    publisher.abort()


async def test_a_vanished_publisher_closes_the_sink_once(start: Start, gate: RecordingGate) -> None:
    listener = await start()
    publisher = await RtmpPublisher.connect(listener.port)
    await publisher.publish(KEY)
    publisher.abort()
    await until(lambda: listener.connections == 0)
    assert len(gate.sinks[0].closed) == 1
    assert gate.sinks[0].goodbyes == [False]


async def test_half_a_goodbye_is_one_when_the_rest_was_lost(
    start: Start, gate: RecordingGate
) -> None:
    listener = await start()
    publisher = await RtmpPublisher.connect(listener.port)
    await publisher.publish(KEY)
    await publisher.call("FCUnpublish", None, KEY)
    assert gate.sinks[0].closed == []
    publisher.abort()
    await until(lambda: listener.connections == 0)
    assert gate.sinks[0].goodbyes == [True]


@pytest.mark.parametrize("leave", ["closes", "is reset", "is refused"])
async def test_who_leaves_before_the_verdict_replaces_nobody(
    start: Start, gate: RecordingGate, leave: str
) -> None:
    listener = await start()
    good = await RtmpPublisher.connect(listener.port)
    await good.publish(KEY)
    gate.hold = asyncio.Event()
    second = await RtmpPublisher.connect(listener.port)
    publishing = asyncio.ensure_future(second.publish("no" if leave == "is refused" else KEY))
    await until(lambda: len(gate.requests) == 2)
    if leave == "is reset":
        second.abort()
    elif leave == "closes":
        await second.close()
    gate.hold.set()
    await asyncio.wait([publishing])
    await second.close()
    await until(lambda: listener.connections == 1)
    (sink,) = gate.sinks
    assert sink.closed == []
    good.abort()


async def test_going_on_the_air_has_time_of_its_own(start: Start, gate: RecordingGate) -> None:
    gate.door = asyncio.Event()
    listener = await start(replace(LIMITS, verdict_seconds=0.2))
    publisher = await RtmpPublisher.connect(listener.port)
    began = asyncio.get_running_loop().time()
    publishing = asyncio.ensure_future(publisher.publish(KEY))
    await until(lambda: asyncio.get_running_loop().time() - began > 0.4)
    gate.door.set()
    assert (await publishing)["code"] == "NetStream.Publish.Start"
    publisher.abort()


async def leaves(listener: RtmpListener, gate: RecordingGate) -> None:
    """Ask to publish, and be gone before that is answered."""
    publisher = await RtmpPublisher.connect(listener.port)
    publishing = asyncio.ensure_future(publisher.publish(KEY))
    await until(lambda: bool(gate.requests))
    publishing.cancel()
    gate.requests[0].publisher.drop("Enough.")
    await until(lambda: listener.connections == 0)
    publisher.abort()


async def test_a_publisher_that_leaves_before_the_verdict_leaves_no_sink_open(
    start: Start, gate: RecordingGate
) -> None:
    gate.hold = asyncio.Event()
    listener = await start()
    await leaves(listener, gate)
    gate.hold.set()
    await listener.close()
    assert gate.sinks == []


async def test_a_publisher_that_leaves_on_its_way_in_leaves_no_sink_open(
    start: Start, gate: RecordingGate
) -> None:
    gate.door = asyncio.Event()
    listener = await start()
    await leaves(listener, gate)
    gate.door.set()
    await until(lambda: bool(gate.sinks and gate.sinks[0].closed))


@pytest.mark.parametrize("said", [b"", b"\x03", b"\x03" + bytes(2000)])
async def test_a_handshake_that_stops_is_cut(start: Start, said: bytes) -> None:
    listener = await start(replace(LIMITS, handshake_seconds=0.2, linger_seconds=0.1))
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    writer.write(said)
    async with asyncio.timeout(10):
        await reader.read()
    await until(lambda: listener.connections == 0)
    writer.transport.abort()


async def test_a_client_that_never_publishes_is_cut(start: Start) -> None:
    listener = await start(
        replace(LIMITS, handshake_seconds=1.0, publish_seconds=1.0, linger_seconds=0.1)
    )
    publisher = await RtmpPublisher.connect(listener.port)
    await publisher.call("connect", {"app": "live"})
    status = await publisher.status()
    assert status["description"] == "no publish in time"
    await until(lambda: listener.connections == 0)
    publisher.abort()


async def test_a_silent_publisher_is_cut(start: Start, gate: RecordingGate) -> None:
    listener = await start(replace(LIMITS, silence_seconds=0.2, linger_seconds=0.1))
    publisher = await RtmpPublisher.connect(listener.port)
    await publisher.publish(KEY)
    publisher.video(0, flv_tags.avc_header())
    await until(lambda: bool(gate.sinks[0].closed))
    assert gate.sinks[0].closed == ["the publisher went silent"]
    assert len(gate.sinks[0].of(VideoConfig)) == 1
    publisher.abort()


async def test_malformed_bytes_end_one_connection_with_one_line(
    start: Start, gate: RecordingGate
) -> None:
    listener = await start()
    good = await RtmpPublisher.connect(listener.port)
    await good.publish(KEY)
    with capture_logs() as lines:
        bad = await RtmpPublisher.connect(listener.port)
        bad.send_bytes(b"\xff" * 500)
        await bad.messages_to_the_end()
        await bad.close()
        await until(lambda: listener.connections == 1)
    assert [line["event"] for line in lines] == ["rtmp session failed"]
    assert "chunk" in lines[0]["reason"]
    good.video(0, flv_tags.avc_header())
    await until(lambda: bool(gate.sinks[0].units))
    good.abort()


@pytest.mark.parametrize(
    "limits",
    [replace(LIMITS, connections_per_address=2), replace(LIMITS, connections=2)],
    ids=["per-address", "total"],
)
async def test_connections_are_limited(start: Start, limits: Limits) -> None:
    listener = await start(limits)
    inside = [await RtmpPublisher.connect(listener.port) for _ in range(2)]
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await RtmpPublisher.connect(listener.port)
    assert listener.connections == 2
    inside[0].abort()
    await until(lambda: listener.connections == 1)
    again = await RtmpPublisher.connect(listener.port)
    for publisher in (inside[1], again):
        publisher.abort()


async def test_close_tells_publishers_and_frees_the_port(start: Start, gate: RecordingGate) -> None:
    listener = await start()
    port = listener.port
    publisher = await RtmpPublisher.connect(port)
    await publisher.publish(KEY)
    closing = asyncio.ensure_future(listener.close())
    assert (await publisher.status())["description"] == "The server is shutting down."
    await publisher.close()
    await closing
    assert gate.sinks[0].closed == ["The server is shutting down."]
    with pytest.raises(OSError):
        await RtmpPublisher.connect(port)


async def test_close_asks_those_who_can_be_asked_to_reconnect(
    start: Start, gate: RecordingGate
) -> None:
    listener = await start()
    able = await RtmpPublisher.connect(listener.port)
    await able.publish(KEY, announced={"capsEx": 1.0})
    other = await RtmpPublisher.connect(listener.port)
    await other.publish(KEY)
    closing = asyncio.ensure_future(listener.close())
    said = [await able.messages_to_the_end(), await other.messages_to_the_end()]
    for publisher in (able, other):
        await publisher.close()
    await closing
    codes = [
        [m.arguments[1].get("code") for m in messages if isinstance(m, Command)
         and m.name == "onStatus" and isinstance(m.arguments[1], dict)]
        for messages in said
    ]  # fmt: skip
    assert codes == [["NetConnection.Connect.ReconnectRequest"], ["NetStream.Failed"]]
    assert [sink.closed for sink in gate.sinks] == [["The server is shutting down."]] * 2
