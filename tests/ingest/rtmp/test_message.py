from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import PeerError
from ingest.rtmp.amf0 import Value, encode
from ingest.rtmp.chunk import RawMessage
from ingest.rtmp.message import (
    Acknowledgement,
    Audio,
    Command,
    Data,
    Message,
    MessageType,
    SetChunkSize,
    SetPeerBandwidth,
    UserControl,
    UserEvent,
    Video,
    WindowAckSize,
    parse,
)


def raw(type_id: int, payload: bytes, timestamp: int = 0) -> RawMessage:
    return RawMessage(3, type_id, 1, timestamp, payload)


@pytest.mark.parametrize(
    "message",
    [
        Acknowledgement(0xFFFFFFFF),
        WindowAckSize(2_500_000),
        SetPeerBandwidth(2_500_000, 1),
        UserControl(UserEvent.STREAM_BEGIN, b"\x00\x00\x00\x01"),
        UserControl(31, b""),
        Command("connect", 1.0, ({"app": "live"},)),
        Command("onStatus", 0.0, (None, {"code": "x"}), 1),
    ],
)
def test_round_trip(
    message: Acknowledgement | WindowAckSize | SetPeerBandwidth | UserControl | Command,
) -> None:
    assert parse(message.raw()) == (message,)


def test_set_chunk_size_is_the_chunk_layers_own() -> None:
    assert SetChunkSize(4096).raw().payload == b"\x00\x00\x10\x00"
    assert parse(SetChunkSize(4096).raw()) == ()


def test_data_round_trips() -> None:
    data = Data(("@setDataFrame", "onMetaData", {"width": 1.0}))
    assert parse(data.raw(4, 1)) == (data,)


def test_amf3_messages_wrap_amf0_values() -> None:
    command = raw(MessageType.COMMAND_AMF3, b"\x00" + encode(["publish", 4.0, None, "key"]))
    assert parse(command) == (Command("publish", 4.0, (None, "key"), 1),)
    data = raw(MessageType.DATA_AMF3, b"\x00" + encode(["onMetaData", {}]))
    assert parse(data) == (Data(("onMetaData", {})),)


def test_an_aggregate_is_its_tags_with_times_from_the_message() -> None:
    def tag(kind: int, stamp: int, body: bytes) -> bytes:
        head = bytes((kind,)) + len(body).to_bytes(3, "big")
        time = (stamp & 0xFFFFFF).to_bytes(3, "big") + bytes((stamp >> 24,)) + bytes(3)
        return head + time + body + (11 + len(body)).to_bytes(4, "big")

    body = tag(9, 0x01000000, b"v") + tag(8, 0x01000015, b"a") + tag(99, 0, b"?")
    expected: tuple[Message, ...] = (Video(500, b"v"), Audio(521, b"a"))
    assert parse(raw(MessageType.AGGREGATE, body, 500)) == expected
    with pytest.raises(PeerError, match="aggregate"):
        parse(raw(MessageType.AGGREGATE, body[:11]))


def test_types_without_use_here_are_nothing() -> None:
    assert parse(raw(19, b"shared object")) == ()
    assert parse(raw(0, b"")) == ()


@pytest.mark.parametrize(
    "payload",
    [
        encode(["onMetaData"]) + b"\x11\x0a\x0b\x01",
        encode(["onMetaData", {"width": 1.0}])[:-5],
        encode([[]] * 5000),
        b"\x0a\x00\x00\x00\x01" * 20,
    ],
)
def test_script_data_that_cannot_be_read_is_left_out(payload: bytes) -> None:
    assert parse(raw(MessageType.DATA, payload)) == ()
    assert parse(raw(MessageType.DATA_AMF3, b"\x00" + payload)) == ()
    assert parse(raw(MessageType.DATA_AMF3, b"\x03" + payload)) == ()


@pytest.mark.parametrize("transaction", [None, "1", True])
def test_a_transaction_that_is_no_number_is_none(transaction: Value) -> None:
    command = raw(MessageType.COMMAND, encode(["onX", transaction, None]))
    assert parse(command) == (Command("onX", 0.0, (None,), 1),)


@pytest.mark.parametrize(
    ("type_id", "payload", "reason"),
    [
        (MessageType.COMMAND, b"", "without a name"),
        (MessageType.COMMAND, encode([1.0]), "without a name"),
        (MessageType.COMMAND_AMF3, b"\x03", "AMF3"),
        (MessageType.ACKNOWLEDGEMENT, b"\x00", "too short"),
        (MessageType.USER_CONTROL, b"\x00", "without an event"),
    ],
)
def test_faults_have_names(type_id: int, payload: bytes, reason: str) -> None:
    with pytest.raises(PeerError, match=reason):
        parse(raw(type_id, payload))


@given(st.integers(0, 255), st.binary(max_size=80))
def test_random_payloads_raise_only_peer_error(type_id: int, payload: bytes) -> None:
    try:
        messages = parse(raw(type_id, payload))
    except PeerError:
        return
    assert isinstance(messages, tuple)
