"""The session without sockets: what OBS, ffmpeg and others say, and what they are told."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import PeerError
from ingest.limits import Limits
from ingest.port import Refusal, Refused
from ingest.rtmp.amf0 import Value, encode
from ingest.rtmp.chunk import HeaderType, RawMessage
from ingest.rtmp.chunk_reader import ChunkReader
from ingest.rtmp.chunk_writer import ChunkWriter
from ingest.rtmp.event import Ended, Event, PublishRequested
from ingest.rtmp.handshake import NONCE_SIZE
from ingest.rtmp.message import (
    Acknowledgement,
    Command,
    Data,
    Message,
    MessageType,
    SetChunkSize,
    UserControl,
    UserEvent,
    WindowAckSize,
    parse,
)
from ingest.rtmp.session import WINDOW, RtmpSession
from ingest.rtmp.state import State
from ingest.unit import AudioConfig, AudioUnit, StreamInfo, Unit, VideoConfig, VideoUnit
from tests.helpers import flv_tags
from tests.helpers.sessions import flat, units_of

LIMITS = Limits()
HANDSHAKE = b"\x03" + bytes(1536) + bytes(1536)
CONNECT: dict[str, Value] = {"app": "live", "flashVer": "FMLE/3.0", "tcUrl": "rtmp://h/live"}


class Peer:
    """A client and the session it talks to, at one desk."""

    def __init__(self, limits: Limits = LIMITS, app: str = "live") -> None:
        self.session = RtmpSession(limits, bytes(NONCE_SIZE), now=0.0, app=app)
        self._out = ChunkWriter()
        self._in = ChunkReader(LIMITS)

    def bytes(self, data: bytes, now: float = 0.0) -> list[Event]:
        return self.session.receive_data(data, now)

    def raw(self, raw: RawMessage, kind: HeaderType = HeaderType.FULL) -> list[Event]:
        return self.bytes(self._out.write(raw, kind))

    def say(self, name: str, transaction: float, *arguments: Value, stream: int = 0) -> list[Event]:
        return self.raw(Command(name, transaction, arguments, stream).raw())

    def heard(self) -> list[Message]:
        return [m for raw in self._in.receive(self.session.data_to_send()) for m in parse(raw)]

    def commands(self) -> list[Command]:
        return [message for message in self.heard() if isinstance(message, Command)]

    def shake(self) -> None:
        assert self.bytes(HANDSHAKE) == []
        assert len(self.session.data_to_send()) == 1 + 2 * 1536

    def connect(self, app: str = "live") -> None:
        self.shake()
        self.say("connect", 1.0, {**CONNECT, "app": app})
        self.heard()

    def publish(self, key: str = "key", app: str = "live") -> PublishRequested:
        self.connect(app)
        self.say("createStream", 2.0, None)
        (event,) = self.say("publish", 3.0, None, key, "live", stream=1)
        self.heard()
        assert isinstance(event, PublishRequested)
        return event

    def live(self, now: float = 0.0) -> None:
        self.publish()
        assert self.session.accept(now) == []
        self.heard()


def code(command: Command) -> object:
    information = command.arguments[1]
    assert isinstance(information, dict)
    return information["code"]


def reason(command: Command) -> object:
    information = command.arguments[1]
    assert isinstance(information, dict)
    return information["description"]


def test_connect_is_answered_with_sizes_and_success() -> None:
    peer = Peer()
    peer.shake()
    peer.say("connect", 1.0, CONNECT)
    messages = peer.heard()
    assert messages[0] == WindowAckSize(WINDOW)
    (result,) = [m for m in messages if isinstance(m, Command)]
    assert (result.name, result.transaction) == ("_result", 1.0)
    assert code(result) == "NetConnection.Connect.Success"


def test_publish_start_waits_for_the_verdict() -> None:
    peer = Peer()
    assert peer.publish("secret") == PublishRequested("live", "secret", "FMLE/3.0")
    assert peer.heard() == []
    peer.session.accept(0.0)
    begin, status = peer.heard()
    assert begin == UserControl(UserEvent.STREAM_BEGIN, b"\x00\x00\x00\x01")
    assert isinstance(status, Command)
    assert (status.name, status.stream_id) == ("onStatus", 1)
    assert code(status) == "NetStream.Publish.Start"


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        (Refusal.BAD_KEY, "NetStream.Publish.BadName"),
        (Refusal.BUSY, "NetStream.Publish.Denied"),
        (Refusal.RATE_LIMITED, "NetStream.Publish.Denied"),
        (Refusal.UNAVAILABLE, "NetStream.Publish.Denied"),
    ],
)
def test_a_refusal_has_a_code_and_a_reason(refusal: Refusal, expected: str) -> None:
    peer = Peer()
    peer.publish()
    peer.session.refuse(Refused(refusal, "Because."))
    (status,) = peer.commands()
    assert (status.stream_id, code(status), reason(status)) == (1, expected, "Because.")
    assert peer.session.state is State.CLOSED
    assert peer.bytes(b"anything") == []


def test_a_verdict_without_a_question_is_our_own_fault() -> None:
    peer = Peer()
    with pytest.raises(RuntimeError):
        peer.session.accept(0.0)
    with pytest.raises(RuntimeError):
        peer.session.refuse(Refused(Refusal.BUSY, ""))


def test_quirk_1_obs_sets_its_chunk_size_before_connect_on_chunk_stream_2() -> None:
    peer = Peer()
    peer.shake()
    size = SetChunkSize(4096).raw()
    assert size.csid == 2
    peer.raw(size)
    peer.say("connect", 1.0, {**CONNECT, "swfUrl": "x" * 1000})
    assert code(peer.commands()[0]) == "NetConnection.Connect.Success"


def test_quirk_2_obs_says_everything_on_chunk_stream_4() -> None:
    peer = Peer()
    peer.connect()
    peer.say("createStream", 2.0, None)
    peer.raw(Command("publish", 3.0, (None, "key", "live"), 1).raw(csid=4))
    peer.session.accept(0.0)
    said = Data(("@setDataFrame", "onMetaData", {"width": 1280.0, "framerate": 30.0}))
    events = peer.raw(said.raw(4, 1))
    for timestamp, kind, tag in (
        (0, MessageType.VIDEO, flv_tags.avc_header()),
        (0, MessageType.AUDIO, flv_tags.aac_header()),
        (0, MessageType.VIDEO, flv_tags.avc_frame(b"\x00\x00\x00\x01\x65", key=True)),
        (21, MessageType.AUDIO, flv_tags.aac_frame(b"a")),
        (33, MessageType.VIDEO, flv_tags.avc_frame(b"\x00\x00\x00\x01\x41")),
    ):
        events += peer.raw(RawMessage(4, kind, 1, timestamp, tag), HeaderType.SAME_STREAM)
    units = units_of(events)
    kinds = [StreamInfo, VideoConfig, AudioConfig, VideoUnit, AudioUnit, VideoUnit]
    assert [type(unit) for unit in units] == kinds
    assert isinstance(units[-1], VideoUnit)
    assert units[-1].dts == 33 * 90


@pytest.mark.parametrize("name", ["releaseStream", "FCPublish", "FCUnpublish", "_checkbw"])
def test_quirk_3_courtesies_come_at_any_time(name: str) -> None:
    peer = Peer()
    peer.connect()
    for transaction in (5.0, 6.0, 7.0):
        assert peer.say(name, transaction, None, "key") == []
        assert peer.commands() == [Command("_result", transaction, (None,))]
        if peer.session.state is State.READY:
            peer.say("publish", 3.0, None, "key", "live", stream=1)
        elif peer.session.state is State.ASKED:
            peer.session.accept(0.0)
            peer.heard()
    assert peer.session.state is State.LIVE
    assert peer.say(name, 0.0, None) == []
    assert peer.commands() == []


def test_quirk_3_delete_stream_before_publish_ends_nothing() -> None:
    peer = Peer()
    peer.connect()
    assert peer.say("deleteStream", 0.0, None, 1.0) == []
    assert peer.session.state is State.READY


@pytest.mark.parametrize("name", ["deleteStream", "closeStream"])
def test_quirk_3_delete_stream_ends_a_publish(name: str) -> None:
    peer = Peer()
    peer.live()
    assert peer.say(name, 0.0, None, 1.0) == [Ended("the publisher ended the stream")]
    assert code(peer.commands()[0]) == "NetStream.Unpublish.Success"
    assert peer.session.state is State.CLOSED


def test_quirk_7_bytes_after_c2_in_the_same_read_count() -> None:
    peer = Peer()
    connect = ChunkWriter().write(Command("connect", 1.0, (CONNECT,)).raw())
    peer.bytes(HANDSHAKE + connect)
    answer = peer.session.data_to_send()[1 + 2 * 1536 :]
    names = [m.name for raw in ChunkReader(LIMITS).receive(answer) for m in parse(raw)
             if isinstance(m, Command)]  # fmt: skip
    assert names == ["_result"]


@pytest.mark.parametrize(
    ("app", "name", "expected"),
    [
        ("live", "abc", ("live", "abc")),
        ("live", "abc?x=1", ("live", "abc")),
        ("live", "anything?key=abc", ("live", "abc")),
        ("live", "anything?x=1&key=a%2Bc", ("live", "a+c")),
        ("live", "?key=abc", ("live", "abc")),
        ("live/", "abc", ("live", "abc")),
        ("live/studio", "abc", ("live", "abc")),
        ("live/studio", "x?key=abc", ("live", "abc")),
        ("live/abc", "abc", ("live", "abc")),
        ("live/abc?key=abc", "abc", ("live", "abc")),
        ("live?key=abc", "x", ("live", "abc")),
        ("live?key=no", "x?key=abc", ("live", "abc")),
        ("live/abc", "", ("live", "abc")),
        ("live", "", ("live", "")),
    ],
)
def test_quirk_8_where_the_key_may_stand(app: str, name: str, expected: tuple[str, str]) -> None:
    asked = Peer().publish(name, app)
    assert (asked.app, asked.key) == expected


def test_a_key_is_not_in_the_events_text() -> None:
    assert "secret" not in repr(Peer().publish("secret"))


def test_quirk_11_every_window_is_acknowledged() -> None:
    peer = Peer()
    peer.live()
    peer.raw(WindowAckSize(50_000).raw())
    frame = flv_tags.avc_frame(bytes(9_000))
    acks: list[int] = []
    for step in range(20):
        peer.raw(RawMessage(6, 9, 1, step * 33, frame))
        acks += [m.sequence for m in peer.heard() if isinstance(m, Acknowledgement)]
    gaps = [b - a for a, b in zip([0, *acks], acks, strict=False)]
    assert len(acks) >= 3
    assert max(gaps) <= 50_000 + len(frame) + 100
    assert acks[-1] <= peer.session.received


def test_quirk_11_a_window_of_nothing_is_clamped() -> None:
    peer = Peer()
    peer.live()
    peer.raw(WindowAckSize(0).raw())
    peer.heard()
    peer.raw(RawMessage(6, 8, 1, 0, flv_tags.aac_header()))
    assert peer.heard() == []


def test_quirk_11_pings_are_answered() -> None:
    peer = Peer()
    peer.connect()
    peer.raw(UserControl(UserEvent.PING_REQUEST, b"\x00\x00\x12\x34").raw())
    assert peer.heard() == [UserControl(UserEvent.PING_RESPONSE, b"\x00\x00\x12\x34")]


def test_quirk_11_bytes_before_the_verdict_are_capped() -> None:
    peer = Peer(replace(LIMITS, unpublished_bytes=5_000))
    peer.connect()
    words = Command("_checkbw", 0.0, ("x" * 100,)).raw()
    data = b"".join(ChunkWriter().write(words) for _ in range(100))
    with pytest.raises(PeerError, match="too many bytes"):
        peer.bytes(data)


def test_media_before_the_verdict_is_kept_for_it() -> None:
    peer = Peer()
    peer.publish()
    assert peer.raw(RawMessage(6, 9, 1, 0, flv_tags.avc_header())) == []
    (unit,) = units_of(peer.session.accept(0.0))
    assert isinstance(unit, VideoConfig)


def test_unknown_commands_get_an_error_and_the_session_goes_on() -> None:
    peer = Peer()
    peer.connect()
    assert peer.say("getStreamLength", 9.0, None, "key") == []
    (error,) = peer.commands()
    assert (error.name, error.transaction) == ("_error", 9.0)
    assert code(error) == "NetConnection.Call.Failed"
    assert peer.say("whatever", 0.0) == []
    assert peer.say("_result", 9.0, None) == []
    assert peer.say("onStatus", 9.0, None) == []
    assert peer.commands() == []
    assert peer.session.state is State.READY


def test_commands_before_connect_get_an_error() -> None:
    peer = Peer()
    peer.shake()
    assert peer.say("publish", 1.0, None, "key") == []
    assert peer.commands()[0].name == "_error"
    assert peer.session.state is State.CONNECT


def test_a_second_publish_is_refused_and_the_first_goes_on() -> None:
    peer = Peer()
    peer.live()
    assert peer.say("publish", 5.0, None, "key", "live", stream=2) == []
    (status,) = peer.commands()
    assert (status.stream_id, code(status)) == (2, "NetStream.Publish.BadName")
    assert peer.session.state is State.LIVE


def test_play_is_refused_with_a_reason() -> None:
    peer = Peer()
    peer.connect()
    peer.say("play", 0.0, None, "key", stream=1)
    assert code(peer.commands()[0]) == "NetStream.Play.Failed"


@pytest.mark.parametrize("app", ["", "other", "livestream", "other/live"])
def test_another_app_is_rejected(app: str) -> None:
    peer = Peer()
    peer.shake()
    (ended,) = peer.say("connect", 1.0, {**CONNECT, "app": app})
    assert isinstance(ended, Ended)
    (error,) = peer.commands()
    assert (error.name, code(error)) == ("_error", "NetConnection.Connect.Rejected")
    assert ended.reason == f"connect to app {app.partition('/')[0]!r}, not live"


@pytest.mark.parametrize(
    ("app", "said"),
    [
        ("show me " * 20, repr("show me " * 8)),
        ("Live/0123456789abcdef0123456789abcdef", "'Live'"),
        ("show?key=0123456789abcdef", "'show'"),
        ("0123456789abcdef0123456789_bcd-f", "of 32 characters that may be a key"),
    ],
)
def test_another_app_is_told_without_what_may_be_a_key(app: str, said: str) -> None:
    peer = Peer()
    peer.shake()
    (ended,) = peer.say("connect", 1.0, {**CONNECT, "app": app})
    assert isinstance(ended, Ended)
    assert ended.reason == f"connect to app {said}, not live"


def test_message_streams_are_bounded() -> None:
    peer = Peer()
    peer.connect()
    for number in range(LIMITS.message_streams):
        peer.say("createStream", 2.0, None)
        assert peer.commands()[0].arguments[1] == float(number + 1)
    with pytest.raises(PeerError, match="message streams"):
        peer.say("createStream", 2.0, None)


def test_amf3_commands_are_obeyed() -> None:
    peer = Peer()
    peer.shake()
    wrapped = b"\x00" + encode(["connect", 1.0, {**CONNECT, "objectEncoding": 3.0}])
    peer.raw(RawMessage(3, MessageType.COMMAND_AMF3, 0, 0, wrapped))
    assert code(peer.commands()[0]) == "NetConnection.Connect.Success"


def test_a_vendors_own_words_do_not_end_a_broadcast() -> None:
    peer = Peer()
    peer.live()
    amf3 = encode(["@setDataFrame", "onVendor"]) + b"\x11\x0a\x0b\x01"
    assert peer.raw(RawMessage(4, MessageType.DATA, 1, 0, amf3)) == []
    unknown = encode(["onVendor", None, {"a": 1.0}])
    assert peer.raw(RawMessage(3, MessageType.COMMAND, 1, 0, unknown)) == []
    assert peer.session.state is State.LIVE
    assert peer.commands() == []


def test_unknown_codecs_are_refused_by_name() -> None:
    peer = Peer()
    peer.live()
    with pytest.raises(PeerError, match=r"vvc1 .* H\.264"):
        peer.raw(RawMessage(6, 9, 1, 0, b"\x90vvc1" + bytes(20)))


def test_end_tells_the_publisher_why() -> None:
    peer = Peer()
    peer.live()
    peer.session.end("Another encoder took over.")
    (status,) = peer.commands()
    assert (code(status), reason(status)) == ("NetStream.Failed", "Another encoder took over.")
    peer.session.end("twice")
    assert peer.commands() == []


def test_the_handshake_has_a_deadline() -> None:
    session = Peer().session
    assert session.deadline == LIMITS.handshake_seconds
    session.check(4.9)
    with pytest.raises(PeerError, match="handshake"):
        session.check(5.0)


def test_the_way_to_publish_has_a_deadline() -> None:
    peer = Peer()
    peer.connect()
    assert peer.session.deadline == LIMITS.publish_seconds
    with pytest.raises(PeerError, match="no publish"):
        peer.session.check(10.0)


def test_while_the_owner_judges_there_is_none() -> None:
    peer = Peer()
    peer.publish()
    assert peer.session.deadline is None
    peer.session.check(1e9)


def test_a_live_publisher_must_be_heard() -> None:
    peer = Peer()
    session = peer.session
    peer.live(20.0)
    assert session.deadline == 20.0 + LIMITS.silence_seconds
    peer.bytes(b"\x04", now=25.0)
    session.check(32.9)
    with pytest.raises(PeerError, match="silent"):
        session.check(33.0)
    session.end("")
    session.check(1e9)


def test_a_live_publisher_must_send_media() -> None:
    peer = Peer()
    session = peer.session
    peer.live(0.0)
    ping = ChunkWriter().write(UserControl(UserEvent.PING_RESPONSE, bytes(4)).raw())
    peer.bytes(ChunkWriter().write(RawMessage(6, 9, 1, 0, flv_tags.avc_header())), now=2.0)
    for second in range(3, 22):
        peer.bytes(ping, now=float(second))
        session.check(float(second))
    assert session.deadline == 2.0 + LIMITS.media_seconds
    with pytest.raises(PeerError, match="neither picture nor sound"):
        session.check(22.0)


def test_a_slow_drip_does_not_move_the_handshakes_deadline() -> None:
    peer = Peer()
    for second in range(5):
        peer.bytes(b"\x03"[: second == 0] or b"\x00", now=float(second))
    assert peer.session.deadline == LIMITS.handshake_seconds


def conversation() -> tuple[bytes, bytes]:
    """Everything a publisher says up to publish, and its media."""
    out = ChunkWriter()
    commands = HANDSHAKE + b"".join(
        out.write(raw)
        for raw in (
            SetChunkSize(4096).raw(),
            Command("connect", 1.0, (CONNECT,)).raw(),
            Command("releaseStream", 2.0, (None, "key")).raw(),
            Command("createStream", 3.0, (None,)).raw(),
            Command("publish", 4.0, (None, "key", "live"), 1).raw(4),
        )
    )
    media = b"".join(
        out.write(raw)
        for raw in (
            Data(("onMetaData", {"width": 2.0})).raw(4, 1),
            RawMessage(6, 9, 1, 0, flv_tags.avc_header()),
            RawMessage(4, 8, 1, 0, flv_tags.aac_header()),
            RawMessage(6, 9, 1, 40, flv_tags.avc_frame(bytes(9_000), key=True)),
            RawMessage(4, 8, 1, 42, flv_tags.aac_frame(bytes(300))),
        )
    )
    return commands, media


def events_of(cuts: list[int]) -> list[Event | Unit]:
    peer = Peer()
    events: list[Event | Unit] = []
    turn = 0
    for part in conversation():
        position = 0
        while position < len(part):
            step = cuts[turn % len(cuts)]
            events += flat(peer.bytes(part[position : position + step]))
            position, turn = position + step, turn + 1
        if peer.session.state is State.ASKED:
            events += flat(peer.session.accept(0.0))
    return events


@given(st.lists(st.integers(1, 4000), min_size=1, max_size=6))
def test_no_split_shows_in_the_events(cuts: list[int]) -> None:
    assert events_of(cuts) == events_of([100_000])


def test_byte_by_byte() -> None:
    events = events_of([1])
    assert events == events_of([100_000])
    assert len(events) == 6


@given(st.binary(max_size=300), st.booleans())
def test_random_bytes_raise_only_peer_error(data: bytes, live: bool) -> None:
    peer = Peer()
    if live:
        peer.live()
    with suppress(PeerError):
        peer.bytes(data)


@given(st.integers(0, 3_000), st.integers(0, 255))
def test_one_wrong_byte_raises_only_peer_error(at: int, value: int) -> None:
    commands, media = conversation()
    data = bytearray(commands[len(HANDSHAKE) :] + media)
    data[at % len(data)] = value
    peer = Peer()
    peer.shake()
    with suppress(PeerError):
        peer.bytes(bytes(data))
