"""What of aiortc is relied on without its promise. When this fails, read its changes."""

from __future__ import annotations

import asyncio
import inspect
from importlib.metadata import version

import aioice
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, rtcdtlstransport, rtcpeerconnection
from aiortc.rtcrtpparameters import RTCRtpCodecParameters, RTCRtpReceiveParameters
from aiortc.rtcrtpreceiver import RTCRtpReceiver, StreamStatistics, decoder_worker
from aiortc.rtp import RtpPacket

from ingest.encoded_track import (
    MOST_SOURCES,
    EncodedTrack,
    bind_to,
    bound_queue,
    ice_connection,
)
from ingest.rtp.clock import MediaClock
from ingest.rtp.receiver import VIDEO, VideoReceiver
from ingest.unit import VideoCodec


def parameters(function: object) -> list[str]:
    assert callable(function)
    return list(inspect.signature(function).parameters)


def test_the_version_that_was_read() -> None:
    assert version("aiortc").split(".")[:2] == ["1", "16"], (
        "aiortc is another: check ingest/encoded_track.py against it, then change this line"
    )


def test_a_transport_hands_packets_to_whoever_looks_like_a_receiver() -> None:
    wanted = {
        name: parameters(function)
        for name, function in inspect.getmembers(rtcdtlstransport.RtpReceiver, inspect.isfunction)
        if name.startswith("_handle")
    }
    assert wanted == {
        "_handle_disconnect": ["self"],
        "_handle_rtcp_packet": ["self", "packet"],
        "_handle_rtp_packet": ["self", "packet", "arrival_time_ms"],
    }
    for name, names in wanted.items():
        assert parameters(getattr(EncodedTrack, name)) == names
    transport = rtcdtlstransport.RTCDtlsTransport
    assert parameters(transport._register_rtp_receiver) == ["self", "receiver", "parameters"]
    assert parameters(transport._send_rtp) == ["self", "data"]


def test_a_connection_calls_receive_and_nothing_else_starts_a_decoder() -> None:
    """`receive` is where the decoder's thread begins; replaced, there is none."""
    source = inspect.getsource(rtcpeerconnection.RTCPeerConnection)
    assert "await transceiver.receiver.receive(" in source
    assert parameters(RTCRtpReceiver.receive) == ["self", "parameters"]
    assert decoder_worker.__name__ in inspect.getsource(RTCRtpReceiver.receive)
    others = inspect.getsource(RTCRtpReceiver).replace(
        inspect.getsource(RTCRtpReceiver.receive), ""
    )
    assert "threading.Thread(" not in others
    # Never started, it has nothing to stop.
    assert "if self.__started:" in inspect.getsource(RTCRtpReceiver.stop)


def test_an_answer_is_made_of_the_transceivers_codecs() -> None:
    made = inspect.getsource(rtcpeerconnection.create_media_description_for_transceiver)
    assert "codecs=transceiver._codecs" in made
    assert "transceiver._codecs = common" in inspect.getsource(RTCPeerConnection)


def test_statistics_have_what_reports_need() -> None:
    known = StreamStatistics(90_000)
    for name in ("fraction_lost", "packets_lost", "jitter", "cycles", "max_seq"):
        assert hasattr(type(known), name) or hasattr(known, name)


async def test_the_agent_below_a_transceiver_can_be_bound_and_its_queue_bounded() -> None:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    try:
        transceiver = connection.addTransceiver("video", "recvonly")
        agent = ice_connection(transceiver)
        assert isinstance(agent, aioice.Connection)
        assert isinstance(transceiver.sender._ssrc, int)
        bind_to(agent, ("127.0.0.1",))
        bound_queue(agent)
        await agent.gather_candidates()
        assert [candidate.host for candidate in agent.local_candidates] == ["127.0.0.1"]
        assert agent.get_component_candidates.__qualname__.startswith("bind_to")
        for number in range(100_000):
            agent.data_received(number.to_bytes(4, "big"), 1)
        assert isinstance(agent._queue, asyncio.Queue)
        assert agent._queue.qsize() < 10_000
        agent._queue.put_nowait(None)
        last = [agent._queue.get_nowait() for _ in range(agent._queue.qsize())][-1]
        assert last is None, "the end of the connection is never lost"
    finally:
        await connection.close()


async def test_sources_that_a_sender_makes_up_are_forgotten() -> None:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    try:
        transceiver = connection.addTransceiver("video", "recvonly")
        receiver = VideoReceiver(MediaClock(VIDEO), {96: VideoCodec.VP8}, lambda _: None)
        track = EncodedTrack(receiver, 90_000, {}, lambda _: None, estimate=False)
        track.tap(transceiver)
        codec = RTCRtpCodecParameters("video/VP8", 90_000, payloadType=96)
        await transceiver.receiver.receive(RTCRtpReceiveParameters(codecs=[codec]))
        router = transceiver.receiver.transport._rtp_router
        for ssrc in range(1_000):
            packet = RtpPacket(payload_type=96, ssrc=ssrc, payload=b"\x10\x00")
            assert router.route_rtp(packet) is track
            await track._handle_rtp_packet(packet, arrival_time_ms=0)
        assert set(router.ssrc_table) == set(range(1_000 - MOST_SOURCES, 1_000))
    finally:
        await connection.close()


def test_parameters_name_what_a_router_needs() -> None:
    assert {"codecs", "headerExtensions", "muxId", "encodings"} <= set(
        inspect.signature(RTCRtpReceiveParameters).parameters
    )


@pytest.mark.parametrize(
    ("ours", "found", "bound"),
    [
        (("127.0.0.2",), ["127.0.0.1"], ["127.0.0.2"]),
        ((), ["127.0.0.3"], ["127.0.0.3"]),
        ((), [], ["127.0.0.1"]),
    ],
)
async def test_where_candidates_are_gathered(
    ours: tuple[str, ...], found: list[str], bound: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aioice.ice.get_host_addresses", lambda **_: found)
    agent = aioice.Connection(ice_controlling=False)
    bind_to(agent, ours)
    try:
        await agent.gather_candidates()
        assert [candidate.host for candidate in agent.local_candidates] == bound
    finally:
        await agent.close()
