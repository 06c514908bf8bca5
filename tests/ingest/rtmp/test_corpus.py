"""Whole sessions of real encoders: in any pieces, damaged, spliced, written again."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import PeerError
from ingest.limits import Limits
from ingest.rtmp.chunk import HeaderType, RawMessage
from ingest.rtmp.chunk_reader import ChunkReader
from ingest.rtmp.chunk_writer import ChunkWriter
from ingest.rtmp.event import Ended, Event, PublishRequested
from ingest.rtmp.handshake import SIZE
from ingest.rtmp.message import MessageType, SetChunkSize
from ingest.unit import AudioConfig, AudioUnit, StreamInfo, Unit, VideoConfig, VideoUnit
from tests.helpers.recording_gate import KEY
from tests.helpers.sessions import Session, replay, sessions

NAMES = sorted(sessions())
HANDSHAKE = 1 + 2 * SIZE
WITHOUT_METADATA = {"flash"}


def test_there_are_recordings_of_every_sender() -> None:
    families = {name.partition("-")[0] for name in NAMES}
    assert families >= {"ffmpeg", "flash", "gstreamer", "hardware", "obs", "phone", "pyav"}


@pytest.mark.parametrize("name", NAMES)
def test_a_session_becomes_what_was_broadcast(name: str) -> None:
    events = replay(sessions()[name])
    assert isinstance(events[0], PublishRequested)
    assert events[0].key == KEY
    units = [event for event in events if isinstance(event, Unit)]
    kinds = [type(unit) for unit in units]
    wanted = [VideoConfig, AudioConfig, VideoUnit, AudioUnit]
    assert set(wanted) <= set(kinds)
    assert (StreamInfo in kinds) == (name not in WITHOUT_METADATA)
    assert kinds.index(VideoConfig) < kinds.index(VideoUnit)
    assert kinds.index(AudioConfig) < kinds.index(AudioUnit)
    pictures = [unit for unit in units if isinstance(unit, VideoUnit)]
    assert pictures[0].keyframe
    times = [unit.dts for unit in pictures]
    assert times == sorted(times)
    assert times[-1] - times[0] < 10 * 90_000


@pytest.mark.parametrize("name", NAMES)
def test_byte_by_byte(name: str) -> None:
    assert replay(sessions()[name], (1,)) == replay(sessions()[name])


@given(name=st.sampled_from(NAMES), cuts=st.lists(st.integers(1, 5_000), min_size=1, max_size=8))
def test_no_split_shows(name: str, cuts: list[int]) -> None:
    assert replay(sessions()[name], tuple(cuts)) == replay(sessions()[name])


@given(
    name=st.sampled_from(NAMES),
    chunk_size=st.integers(1, 65_536),
    repeat=st.booleans(),
    short=st.booleans(),
)
def test_what_was_read_is_read_again(name: str, chunk_size: int, repeat: bool, short: bool) -> None:
    """Messages written anew, in other chunks and with other headers, stay the same."""
    session = sessions()[name]
    data = session.asking[HANDSHAKE:] + session.sending
    messages = ChunkReader(Limits()).receive(data)
    out = ChunkWriter(repeat)
    written = out.write(SetChunkSize(chunk_size).raw())
    opened: dict[int, int] = {}
    for raw in messages:
        delta = short and opened.get(raw.csid) == raw.stream_id
        written += out.write(raw, HeaderType.SAME_STREAM if delta else HeaderType.FULL)
        opened[raw.csid] = raw.stream_id
    assert ChunkReader(Limits()).receive(written) == messages


def outcome(session: Session, cuts: tuple[int, ...]) -> list[Event | Unit] | str:
    try:
        return replay(session, cuts)
    except PeerError as error:
        return error.reason


def survives(asking: bytes, sending: bytes, cuts: list[int], *, alike: bool = True) -> None:
    """Whatever it is, it is understood or refused; `alike`: the same in any pieces.

    But the floors of a session each read all that a piece holds: they may differ in which
    fault they see first, and in whether they see one behind the goodbye.
    """
    session = Session(asking, sending)
    pieces, whole = outcome(session, tuple(cuts)), outcome(session, (1 << 20,))
    if alike and isinstance(whole, list):
        assert pieces == whole
    elif alike and isinstance(pieces, list):
        assert isinstance(pieces[-1], Ended)


CUTS = st.lists(st.integers(1, 3_000), min_size=1, max_size=4)
PLACE = st.floats(0, 1, exclude_max=True)
NUMBERS = st.sampled_from(
    [b"\x00", b"\xff", b"\x7f", b"\x80", b"\xff\xff\xff", b"\x00\x00\x00", b"\xff\xff\xff\xff",
     b"\x00\x00\x00\x00", b"\x7f\xff\xff\xff", b"\x03", b"\xc4", b"\x00\x00\x09"]
)  # fmt: skip


@given(
    name=st.sampled_from(NAMES),
    wounds=st.lists(st.tuples(PLACE, st.one_of(NUMBERS, st.binary(min_size=1, max_size=6)))),
    cuts=CUTS,
)
def test_damaged_bytes(name: str, wounds: list[tuple[float, bytes]], cuts: list[int]) -> None:
    session = sessions()[name]
    data = bytearray(session.asking + session.sending)
    middle = len(session.asking)
    asked = True
    for place, value in wounds:
        at = HANDSHAKE + int(place * (len(data) - HANDSHAKE))
        data[at : at + len(value)] = value
        asked = asked and at >= middle
    # What follows a publish in the same piece waits for the verdict, so there pieces may show.
    survives(bytes(data[:middle]), bytes(data[middle:]), cuts, alike=asked)


@given(name=st.sampled_from(NAMES), place=PLACE, size=st.integers(1, 400), cuts=CUTS)
def test_lost_bytes(name: str, place: float, size: int, cuts: list[int]) -> None:
    session = sessions()[name]
    at = int(place * len(session.sending))
    survives(session.asking, session.sending[:at] + session.sending[at + size :], cuts)


@given(name=st.sampled_from(NAMES), place=PLACE, to=PLACE, size=st.integers(1, 9_000), cuts=CUTS)
def test_repeated_bytes(name: str, place: float, to: float, size: int, cuts: list[int]) -> None:
    session = sessions()[name]
    whole = session.asking[HANDSHAKE:] + session.sending
    at, into = int(place * len(whole)), int(to * len(session.sending))
    piece = whole[at : at + size]
    survives(session.asking, session.sending[:into] + piece + session.sending[into:], cuts)


@given(one=st.sampled_from(NAMES), other=st.sampled_from(NAMES), place=PLACE, cuts=CUTS)
def test_one_encoder_goes_on_as_another(
    one: str, other: str, place: float, cuts: list[int]
) -> None:
    first, second = sessions()[one], sessions()[other]
    at = int(place * len(first.sending))
    survives(first.asking, first.sending[:at] + second.sending, cuts)


@given(
    name=st.sampled_from(NAMES),
    number=st.integers(0, 30),
    kind=st.sampled_from([int(kind) for kind in MessageType] + [0, 7, 16, 19, 21, 255]),
    payload=st.binary(max_size=120),
)
def test_a_message_that_does_not_belong_there(
    name: str, number: int, kind: int, payload: bytes
) -> None:
    """Whole, well-formed chunks: what is above them must judge."""
    session = sessions()[name]
    data = session.asking[HANDSHAKE:] + session.sending
    out = ChunkWriter()
    pieces = [out.write(raw) for raw in ChunkReader(Limits()).receive(data)]
    pieces.insert(number, ChunkWriter().write(RawMessage(3, kind, 1, 0, payload)))
    written = session.asking[:HANDSHAKE] + b"".join(pieces)
    with suppress(PeerError):
        replay(Session(written, b""))
