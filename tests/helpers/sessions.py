"""Whole publishing sessions as bytes: recorded ones, and those of encoders that cannot run here.

Recorded by `tests.helpers.record_sessions`. Built from what is known of the others on the wire:
order of commands, chunk size, chunk streams, header types, extended timestamps.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from ingest.limits import Limits
from ingest.rtmp.amf0 import EcmaArray, Value, encode
from ingest.rtmp.chunk import HeaderType, RawMessage
from ingest.rtmp.chunk_writer import ChunkWriter
from ingest.rtmp.event import Event, PublishRequested, Received
from ingest.rtmp.handshake import NONCE_SIZE, SIZE
from ingest.rtmp.message import (
    Acknowledgement,
    Command,
    Data,
    MessageType,
    SetChunkSize,
    UserControl,
    UserEvent,
    WindowAckSize,
)
from ingest.rtmp.session import RtmpSession
from ingest.rtmp.state import State
from ingest.unit import Unit
from tests.helpers import flv_tags
from tests.helpers.recording_gate import KEY
from tests.helpers.rtmp_publisher import FFMPEG, OBS, PLAIN, Manners

RECORDED = Path(__file__).parents[1] / "data/rtmp"
LATE_MS = 0xFFFFFF - 60
"""So that extended timestamps begin under way."""


@dataclass(frozen=True, slots=True)
class Session:
    """What a publisher says: up to `publish`, and, once that is answered, after it."""

    asking: bytes
    sending: bytes


def replay(session: Session, cuts: tuple[int, ...] = (1 << 20,)) -> list[Event | Unit]:
    """Give all events of a session, each unit by itself; it arrives in pieces of these sizes.

    The sizes are gone through again and again. Raises PeerError.
    """
    server = RtmpSession(Limits(), bytes(NONCE_SIZE), now=0.0)
    events: list[Event | Unit] = []
    turn = 0
    for part in (session.asking, session.sending):
        position = 0
        while position < len(part):
            step = cuts[turn % len(cuts)]
            heard = server.receive_data(part[position : position + step], 0.0)
            events += flat(heard)
            position, turn = position + step, turn + 1
            if server.state is State.ASKED and any(isinstance(e, PublishRequested) for e in heard):
                events += flat(server.accept(0.0))
        server.data_to_send()
    return events


def units_of(events: Iterable[Event]) -> list[Unit]:
    """Give the media among `events`."""
    return [unit for event in events if isinstance(event, Received) for unit in event.units]


def flat(events: Iterable[Event]) -> list[Event | Unit]:
    """Give `events` with each unit by itself: how units are gathered depends on the pieces."""
    told: list[Event | Unit] = []
    for event in events:
        told += event.units if isinstance(event, Received) else (event,)
    return told


@cache
def sessions() -> dict[str, Session]:
    """Give every session by the name of its encoder."""
    recorded = {path.stem: _cut(path.read_bytes()) for path in sorted(RECORDED.glob("*.bin"))}
    return {
        **recorded,
        "obs-31": _built(replace(OBS, repeat_extended=True)),
        "obs-before-30": _built(OBS),
        "obs-fifth-hour": _built(replace(OBS, repeat_extended=True), LATE_MS),
        "obs-before-30-fifth-hour": _built(OBS, LATE_MS),
        "ffmpeg-built": _built(FFMPEG),
        "phone": _built(_PHONE),
        "hardware": _built(PLAIN),
        "flash": _flash(),
    }


_PHONE = replace(
    OBS,
    encoder="FMLE/3.0 (compatible; a phone)",
    stream_csid=8,
    audio_csid=5,
    video_csid=6,
    repeat_extended=True,
    courtesies=("releaseStream", "FCPublish", "_checkbw", "getStreamLength"),
)


def _cut(data: bytes) -> Session:
    """Find where a recorded publisher waits for its answer."""
    server = RtmpSession(Limits(), bytes(NONCE_SIZE), now=0.0)
    for at in range(len(data)):
        server.receive_data(data[at : at + 1], 0.0)
        if server.state is State.ASKED:
            return Session(data[: at + 1], data[at + 1 :])
    raise AssertionError("a recorded session without a publish")


def _built(manners: Manners, begin_ms: int = 0) -> Session:
    out = ChunkWriter(repeat_extended=manners.repeat_extended)
    connect: dict[str, Value] = {
        "app": "live",
        "type": "nonprivate",
        "flashVer": manners.encoder,
        "swfUrl": "rtmp://127.0.0.1/live",
        "tcUrl": "rtmp://127.0.0.1/live",
    }
    size = SetChunkSize(manners.chunk_size).raw()
    said = [Command("connect", 1.0, (connect,)).raw()]
    said.insert(0 if manners.chunk_size_first else 1, size)
    said += [WindowAckSize(5_000_000).raw(), Acknowledgement(3_000).raw()]
    for number, name in enumerate(manners.courtesies):
        said.append(Command(name, 2.0 + number, (None, KEY)).raw())
    said.append(Command("createStream", 9.0, (None,)).raw())
    said.append(Command("publish", 10.0, (None, KEY, "live"), 1).raw(manners.stream_csid))
    asking = b"\x03" + bytes(2 * SIZE) + b"".join(out.write(raw) for raw in said)
    return Session(asking, _media(out, manners, begin_ms) + _goodbye(out))


def _media(out: ChunkWriter, manners: Manners, begin_ms: int) -> bytes:
    metadata: dict[str, Value] = {
        "width": 320.0,
        "height": 240.0,
        "framerate": 30000 / 1001,
        "videodatarate": 2500.0,
        "encoder": manners.encoder,
    }
    about = Data(("@setDataFrame", "onMetaData", EcmaArray(metadata)))
    written = [out.write(about.raw(manners.stream_csid, 1, begin_ms))]
    opened = {manners.stream_csid}

    def say(csid: int, kind: MessageType, at_ms: int, tag: bytes) -> None:
        raw = RawMessage(csid, kind, 1, begin_ms + at_ms, tag)
        delta = manners.deltas and csid in opened
        opened.add(csid)
        written.append(out.write(raw, HeaderType.SAME_STREAM if delta else HeaderType.FULL))

    say(manners.video_csid, MessageType.VIDEO, 0, flv_tags.avc_header())
    say(manners.audio_csid, MessageType.AUDIO, 0, flv_tags.aac_header())
    for n in range(8):
        picture = flv_tags.nal(b"\x65" + bytes(9_000) if n == 0 else b"\x41" + bytes(n * 70))
        tag = flv_tags.avc_frame(picture, key=n == 0, composition_ms=33)
        say(manners.video_csid, MessageType.VIDEO, n * 33, tag)
        say(manners.audio_csid, MessageType.AUDIO, n * 33 + 5, flv_tags.aac_frame(bytes(n + 7)))
        if n == 4:
            written.append(out.write(UserControl(UserEvent.PING_REQUEST, bytes(4)).raw()))
    return b"".join(written)


def _goodbye(out: ChunkWriter) -> bytes:
    unpublish = Command("FCUnpublish", 11.0, (None, KEY)).raw()
    return out.write(unpublish) + out.write(Command("deleteStream", 12.0, (None, 1.0)).raw())


def _flash() -> Session:
    """AMF3 commands, long chunk stream ids, an aggregate, an aborted message."""
    out = ChunkWriter()

    def amf3(*values: Value, stream_id: int = 0) -> bytes:
        payload = b"\x00" + encode(values)
        return out.write(RawMessage(400, MessageType.COMMAND_AMF3, stream_id, 0, payload))

    asking = b"\x03" + bytes(2 * SIZE)
    asking += amf3("connect", 1.0, {"app": "live", "flashVer": "WIN 32,0", "objectEncoding": 3.0})
    asking += amf3("createStream", 2.0, None)
    asking += amf3("publish", 3.0, None, KEY, "live", stream_id=1)
    tags = (
        (MessageType.VIDEO, 0, flv_tags.avc_header()),
        (MessageType.AUDIO, 0, flv_tags.aac_header()),
        (MessageType.VIDEO, 33, flv_tags.avc_frame(flv_tags.nal(b"\x65" * 300), key=True)),
        (MessageType.AUDIO, 34, flv_tags.aac_frame(b"sound")),
    )
    aggregate = b"".join(
        bytes((kind,)) + len(tag).to_bytes(3, "big") + at.to_bytes(3, "big") + bytes(4)
        + tag + (len(tag) + 11).to_bytes(4, "big")
        for kind, at, tag in tags
    )  # fmt: skip
    torn = out.write(RawMessage(70, MessageType.VIDEO, 1, 0, bytes(300)))[:141]
    abort = RawMessage(2, MessageType.ABORT, 0, 0, (70).to_bytes(4, "big"))
    sending = torn + out.write(abort)
    sending += out.write(RawMessage(66_000 - 500, MessageType.AGGREGATE, 1, 0, aggregate))
    return Session(asking, sending + amf3("closeStream", 4.0, None))
