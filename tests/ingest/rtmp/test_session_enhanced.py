"""Enhanced RTMP through a whole session: announcing, publishing, being asked to reconnect."""

from __future__ import annotations

import pytest

from ingest.errors import PeerError
from ingest.rtmp.amf0 import EcmaArray, Value, encode
from ingest.rtmp.capabilities import OURS, CapsEx
from ingest.rtmp.chunk import RawMessage
from ingest.rtmp.chunk_writer import ChunkWriter
from ingest.rtmp.ex_tag import AudioPacketType, VideoPacketType
from ingest.rtmp.message import Command, MessageType
from ingest.rtmp.state import State
from ingest.unit import AudioConfig, AudioUnit, VideoConfig, VideoUnit
from tests.helpers import connects, ex_tags
from tests.helpers.sessions import units_of
from tests.ingest.rtmp.test_session import HANDSHAKE, Peer, code, reason

ANNOUNCED = ("fourCcList", "videoFourCcInfoMap", "audioFourCcInfoMap", "capsEx")


def objects(result: Command) -> list[dict[str, Value]]:
    found = [value for value in result.arguments if isinstance(value, dict)]
    assert len(found) == 2
    return found


def connected(properties: dict[str, Value]) -> tuple[Peer, Command]:
    peer = Peer()
    peer.shake()
    peer.say("connect", 1.0, properties)
    (result,) = peer.commands()
    assert code(result) == "NetConnection.Connect.Success"
    return peer, result


@pytest.mark.parametrize("encoder", connects.SILENT)
def test_a_client_that_announces_nothing_is_told_nothing(encoder: str) -> None:
    _, result = connected(connects.SILENT[encoder])
    for said in objects(result):
        assert not said.keys() & set(ANNOUNCED)


@pytest.mark.parametrize("encoder", connects.ENHANCED)
def test_a_client_that_announces_something_is_told_what_there_is(encoder: str) -> None:
    _, result = connected(connects.ENHANCED[encoder])
    for said in objects(result):
        assert said["capsEx"] == float(OURS) == 15.0
        codecs, video, audio = said["fourCcList"], said[ANNOUNCED[1]], said[ANNOUNCED[2]]
        assert isinstance(codecs, list)
        assert codecs == ["avc1", "hvc1", "av01", "vp09", "vp08",
                          "mp4a", "Opus", ".mp3", "ac-3", "ec-3", "fLaC"]  # fmt: skip
        assert isinstance(video, dict)
        assert isinstance(audio, dict)
        assert [*video, *audio] == codecs


def test_connect_in_amf3_with_an_ecma_array_is_read_too() -> None:
    peer = Peer()
    peer.shake()
    wrapped = b"\x00" + encode(["connect", 1.0, EcmaArray(connects.EXAMPLE_V2)])
    peer.raw(RawMessage(3, MessageType.COMMAND_AMF3, 0, 0, wrapped))
    assert "capsEx" in objects(peer.commands()[0])[0]


def publishing(properties: dict[str, Value]) -> Peer:
    peer, _ = connected(properties)
    peer.say("createStream", 2.0, None)
    peer.say("publish", 3.0, None, "key", "live", stream=1)
    peer.session.accept(0.0)
    peer.heard()
    return peer


def said(kind: MessageType, timestamp: int, tag: bytes) -> RawMessage:
    return RawMessage(6 if kind == MessageType.VIDEO else 4, kind, 1, timestamp, tag)


MEDIA = [
    said(MessageType.VIDEO, 0, ex_tags.video(VideoPacketType.SEQUENCE_START, "hvc1", ex_tags.HVCC)),
    said(MessageType.AUDIO, 0, ex_tags.audio(AudioPacketType.CODED_FRAMES, "Opus", b"\xfc\xff")),
    said(MessageType.VIDEO, 0, ex_tags.video(VideoPacketType.METADATA, "hvc1", ex_tags.COLOUR)),
    said(MessageType.VIDEO, 40, ex_tags.video(VideoPacketType.CODED_FRAMES_X, "hvc1", bytes(9000))),
]
KINDS = [VideoConfig, AudioConfig, AudioUnit, VideoUnit]


@pytest.mark.parametrize("cut", [1, 7, 4096, 100_000])
def test_enhanced_media_becomes_units_however_it_is_cut(cut: int) -> None:
    peer, writer = publishing(connects.OBS_30), ChunkWriter()
    data = b"".join(writer.write(raw) for raw in MEDIA)
    events = []
    for position in range(0, len(data), cut):
        events += peer.bytes(data[position : position + cut])
    assert [type(unit) for unit in units_of(events)] == KINDS


def test_enhanced_media_before_the_verdict_is_kept_for_it() -> None:
    peer, _ = connected(connects.OBS_30)
    peer.say("createStream", 2.0, None)
    peer.say("publish", 3.0, None, "key", "live", stream=1)
    for raw in MEDIA:
        assert peer.raw(raw) == []
    events = peer.session.accept(0.0)
    assert [type(unit) for unit in units_of(events)] == KINDS


def test_what_cannot_be_decoded_ends_the_session_with_advice() -> None:
    peer = publishing(connects.EXAMPLE_V2)
    with pytest.raises(PeerError, match="set the encoder to") as fault:
        peer.raw(said(MessageType.VIDEO, 0, ex_tags.video(0, "vvc1", b"x")))
    peer.session.end(fault.value.reason)
    (status,) = peer.commands()
    assert (status.stream_id, code(status)) == (1, "NetStream.Failed")
    assert reason(status) == fault.value.reason


def test_a_client_that_can_be_is_asked_to_reconnect_and_may_go_on() -> None:
    peer = publishing(connects.EXAMPLE_V2)
    peer.session.ask_to_reconnect("Back in a moment.")
    (request,) = peer.commands()
    assert (request.name, request.transaction, request.stream_id) == ("onStatus", 0.0, 0)
    assert request.arguments[0] is None
    information = request.arguments[1]
    assert information == {
        "level": "status",
        "code": "NetConnection.Connect.ReconnectRequest",
        "description": "Back in a moment.",
    }
    assert peer.session.state is State.LIVE
    assert len(peer.raw(MEDIA[0])) == 1
    peer.session.ask_to_reconnect("Again.")
    assert peer.commands() == []


def test_the_end_after_the_request_is_no_error() -> None:
    """An error would stop an encoder that is about to come back."""
    peer = publishing(connects.EXAMPLE_V2)
    peer.session.ask_to_reconnect("Back in a moment.")
    peer.heard()
    peer.session.end("The server is shutting down.")
    assert peer.commands() == []
    assert peer.session.state is State.CLOSED


@pytest.mark.parametrize("encoder", [*connects.SILENT, "lavf-62"])
def test_a_client_that_cannot_be_is_not_asked(encoder: str) -> None:
    peer = publishing({**connects.SILENT, **connects.ENHANCED}[encoder])
    peer.session.ask_to_reconnect("Back in a moment.")
    assert peer.commands() == []
    peer.session.end("The server is shutting down.")
    assert code(peer.commands()[0]) == "NetStream.Failed"


def test_other_capabilities_do_not_mean_that_it_can_be_asked() -> None:
    caps = float(CapsEx.MULTITRACK | CapsEx.MOD_EX | CapsEx.TIMESTAMP_NANO_OFFSET)
    peer = publishing({**connects.EXAMPLE_V2, "capsEx": caps})
    peer.session.ask_to_reconnect("Back in a moment.")
    assert peer.commands() == []


def test_nobody_is_asked_before_connect_or_after_the_end() -> None:
    peer = Peer()
    peer.session.ask_to_reconnect("Too early.")
    assert peer.session.data_to_send() == b""
    peer.bytes(HANDSHAKE)
    peer.session.data_to_send()
    peer.session.ask_to_reconnect("Too early.")
    assert peer.session.data_to_send() == b""
    peer = publishing(connects.EXAMPLE_V2)
    peer.session.end("over")
    peer.heard()
    peer.session.ask_to_reconnect("Too late.")
    assert peer.session.data_to_send() == b""
