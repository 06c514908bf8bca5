"""The commands in the orders in which encoders send them, and what comes between."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pytest

from ingest.rtmp.amf0 import EcmaArray
from ingest.rtmp.chunk import HeaderType, RawMessage
from ingest.rtmp.chunk_writer import ChunkWriter
from ingest.rtmp.event import Ended, Event, PublishRequested
from ingest.rtmp.message import (
    Acknowledgement,
    Command,
    Data,
    MessageType,
    SetChunkSize,
    UserControl,
    WindowAckSize,
)
from ingest.rtmp.state import State
from ingest.unit import AudioConfig, AudioUnit, StreamInfo, VideoConfig, VideoUnit
from tests.helpers import connects, flv_tags
from tests.helpers.sessions import units_of
from tests.ingest.rtmp.test_session import Peer, code

KEY = "the-key"
INFO = EcmaArray({"width": 1280.0, "height": 720.0, "framerate": 30.0, "encoder": "an encoder"})
MEDIA = (
    RawMessage(4, MessageType.VIDEO, 1, 0, flv_tags.avc_header()),
    RawMessage(4, MessageType.AUDIO, 1, 0, flv_tags.aac_header()),
    RawMessage(4, MessageType.VIDEO, 1, 0, flv_tags.avc_frame(flv_tags.nal(b"\x65"), key=True)),
    RawMessage(4, MessageType.AUDIO, 1, 10, flv_tags.aac_frame(b"sound")),
)
KINDS = [StreamInfo, VideoConfig, AudioConfig, VideoUnit, AudioUnit]


def call(
    name: str, transaction: float, *arguments: str | float | None, csid: int = 3
) -> RawMessage:
    stream = 1 if name == "publish" else 0
    return Command(name, transaction, (None, *arguments), stream).raw(csid)


@dataclass(frozen=True)
class Script:
    connect: dict[str, object]
    before: tuple[RawMessage, ...]
    """Between connect and publish."""
    publish: RawMessage
    info: RawMessage
    after: tuple[RawMessage, ...]
    """Instead of a goodbye nothing but a closed socket: empty."""
    first: tuple[RawMessage, ...] = ()


def said(name: str, csid: int, *values: str) -> RawMessage:
    return Data((*values, name, INFO)).raw(csid, 1)


COURTEOUS = (call("releaseStream", 2, KEY), call("FCPublish", 3, KEY), call("createStream", 4))
GOODBYE = (call("FCUnpublish", 6, KEY), call("deleteStream", 7, 1.0))
SCRIPTS = {
    "obs": Script(
        connect=dict(connects.OBS_30),
        first=(SetChunkSize(4096).raw(),),
        before=COURTEOUS,
        publish=call("publish", 5, KEY, "live", csid=4),
        info=said("onMetaData", 4, "@setDataFrame"),
        after=GOODBYE,
    ),
    "ffmpeg": Script(
        connect=dict(connects.LAVF_59),
        before=(
            SetChunkSize(60_000).raw(),
            WindowAckSize(2_500_000).raw(),
            *COURTEOUS,
            call("_checkbw", 8),
        ),
        publish=call("publish", 5, KEY, "live", csid=8),
        info=said("onMetaData", 8, "@setDataFrame"),
        after=GOODBYE,
    ),
    "rtmp2sink": Script(
        connect={**connects.LAVF_59, "flashVer": "LNX 10,0,32,18", "fpad": False},
        before=(
            WindowAckSize(2_500_000).raw(),
            call("createStream", 2),
            call("releaseStream", 3, KEY),
            call("FCPublish", 4, KEY),
        ),
        publish=call("publish", 5, KEY, "live", csid=4),
        info=said("onMetaData", 4, "@setDataFrame"),
        after=(call("FCUnpublish", 0, KEY), call("closeStream", 0), call("deleteStream", 0, 1.0)),
    ),
    "librtmp": Script(
        connect={**connects.LAVF_59, "flashVer": "LNX 10,0,32,18"},
        before=COURTEOUS,
        publish=call("publish", 5, KEY, "live", csid=4),
        info=said("onMetaData", 4),
        after=GOODBYE,
    ),
    "phone": Script(
        connect=dict(connects.HAISHINKIT),
        before=(
            UserControl(3, bytes(8)).raw(),
            call("createStream", 2),
            call("FCPublish", 3, KEY),
            Acknowledgement(3_000).raw(),
        ),
        publish=call("publish", 4, KEY),
        info=said("onMetaData", 4, "@setDataFrame"),
        after=(call("deleteStream", 5, 1.0),),
    ),
}


@pytest.mark.parametrize("encoder", SCRIPTS)
def test_encoders_publish_in_their_own_order(encoder: str) -> None:
    script, peer = SCRIPTS[encoder], Peer()
    peer.shake()
    connect = Command("connect", 1.0, (dict(script.connect),)).raw()  # type: ignore[arg-type]
    for raw in (*script.first, connect, *script.before):
        assert peer.raw(raw) == []
    answers = {m.transaction: m for m in peer.commands()}
    asked = {1.0, 2.0, 3.0}
    assert asked <= answers.keys()
    assert {answer.name for answer in answers.values()} == {"_result"}
    (event,) = peer.raw(script.publish)
    assert isinstance(event, PublishRequested)
    assert (event.app, event.key) == ("live", KEY)
    assert peer.commands() == []
    peer.session.accept(0.0)
    assert code(peer.commands()[0]) == "NetStream.Publish.Start"
    events: list[Event] = []
    for raw in (script.info, *MEDIA):
        events += peer.raw(raw)
    assert [type(unit) for unit in units_of(events)] == KINDS
    ends = [event for raw in script.after for event in peer.raw(raw)]
    assert ends == [Ended("the publisher ended the stream")]
    assert peer.session.state is State.CLOSED


def states() -> dict[str, Peer]:
    shaken, connected, asked, live = (Peer() for _ in range(4))
    shaken.shake()
    connected.connect()
    asked.publish()
    live.live()
    return {"handshake": shaken, "connected": connected, "asked": asked, "live": live}


@pytest.mark.parametrize("state", ["handshake", "connected", "asked", "live"])
def test_unknown_commands_get_an_error_in_every_state(state: str) -> None:
    peer = states()[state]
    before = peer.session.state
    for name in ("getStreamLength", "seek", "x" * 1000, "", "onFCPublish"):
        assert peer.say(name, 9.0, None, KEY) == []
        (error,) = peer.commands()
        assert (error.name, error.transaction) == ("_error", 9.0)
        assert peer.say(name, 0.0, None) == []
        assert peer.commands() == []
    assert peer.session.state is before


def test_nothing_is_said_of_the_publish_before_its_verdict() -> None:
    """However long the verdict takes and whatever the encoder does meanwhile (srs#4038)."""
    peer = Peer()
    peer.publish()
    for raw in (said("onMetaData", 4, "@setDataFrame"), *MEDIA, call("_checkbw", 0)):
        assert peer.raw(raw) == []
        assert [m for m in peer.heard() if isinstance(m, Command | UserControl)] == []
    events = peer.session.accept(0.0)
    assert [type(unit) for unit in units_of(events)] == KINDS
    assert code(peer.commands()[0]) == "NetStream.Publish.Start"


def test_the_chunk_size_may_change_inside_a_message_of_another_chunk_stream() -> None:
    peer, writer = Peer(), ChunkWriter()
    peer.live()
    peer.raw(MEDIA[0])
    tag = flv_tags.avc_frame(flv_tags.nal(bytes(range(200)) * 5), key=True)
    video = RawMessage(6, MessageType.VIDEO, 1, 40, tag)
    begun = writer.write(video)[: 12 + 128]
    change = ChunkWriter().write(SetChunkSize(300).raw())
    rest = tag[128:]
    pieces = [rest[at : at + 300] for at in range(0, len(rest), 300)]
    assert peer.bytes(begun + change) == []
    (unit,) = units_of(peer.bytes(b"".join(b"\xc6" + piece for piece in pieces)))
    assert unit == VideoUnit(3600, 3600, True, tag[5:])


def test_an_aborted_message_is_not_missed() -> None:
    peer, writer = Peer(), ChunkWriter()
    peer.live()
    peer.raw(MEDIA[0])
    cut = writer.write(RawMessage(6, MessageType.VIDEO, 1, 40, flv_tags.avc_frame(bytes(900))))
    abort = RawMessage(2, MessageType.ABORT, 0, 0, (6).to_bytes(4, "big"))
    assert peer.bytes(cut[: 140 + 2 * 129]) == []  # three chunks
    assert peer.raw(abort) == []
    following = RawMessage(6, MessageType.VIDEO, 1, 80, flv_tags.avc_frame(b"whole"))
    (unit,) = units_of(peer.bytes(writer.write(following)))
    assert unit == VideoUnit(7200, 7200, False, b"whole")


def test_time_goes_on_over_the_32_bit_wrap() -> None:
    """49.7 days: the chunk layer's deltas wrap, the units' ticks do not."""
    peer = Peer()
    peer.live()
    peer.raw(MEDIA[0])
    start, times = 0xFFFFFFFF - 50, []
    for step in range(4):
        stamp = (start + step * 33) & 0xFFFFFFFF
        raw = RawMessage(4, MessageType.VIDEO, 1, stamp, flv_tags.avc_frame(b"picture"))
        (unit,) = units_of(peer.raw(raw, HeaderType.SAME_STREAM if step else HeaderType.FULL))
        assert isinstance(unit, VideoUnit)
        times.append(unit.dts // 90)
    assert times[0] == start - 2**32  # the header came 51 ms later, at 0
    assert [b - a for a, b in pairwise(times)] == [33, 33, 33]


@pytest.mark.parametrize("name", ["show?key=the-key", "?key=the-key", "show?x=1&key=the-key&y="])
def test_the_key_may_come_in_the_names_query(name: str) -> None:
    asked = Peer().publish(name)
    assert (asked.app, asked.key) == ("live", KEY)
