"""What every small parser of the ingest promises: any bytes, any pieces, no error but its own."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import PeerError
from ingest.limits import Limits
from ingest.rtmp import amf0
from ingest.rtmp.asc import parse_asc
from ingest.rtmp.avcc import check_avcc
from ingest.rtmp.chunk_reader import ChunkReader
from ingest.rtmp.flv import FlvReader, read_metadata
from ingest.rtmp.handshake import NONCE_SIZE, SIZE, ServerHandshake
from ingest.rtmp.message import MessageType, parse
from tests.helpers import flv_tags
from tests.helpers.sessions import sessions
from transcode.nal import parse_avcc

SHAKE = b"\x03" + bytes(range(256)) * 12
METADATA = amf0.encode(
    ("@setDataFrame", "onMetaData", amf0.EcmaArray({"width": 320.0, "encoder": "x", "list": [1.0]}))
)


def damaged(*valid: bytes) -> st.SearchStrategy[bytes]:
    """Give valid bytes with a few replaced, cut short or lengthened."""

    def wound(drawn: tuple[bytes, list[tuple[int, int]], int, bytes]) -> bytes:
        data, wounds, cut, more = drawn
        copy = bytearray(data)
        for at, value in wounds:
            copy[at % len(copy)] = value
        return bytes(copy[: len(copy) - cut % len(copy)]) + more

    wounds = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=4)
    cuts = st.one_of(st.just(0), st.integers(0, 10_000))
    return st.tuples(st.sampled_from(valid), wounds, cuts, st.binary(max_size=4)).map(wound)


@given(cuts=st.lists(st.integers(0, 1 + 2 * SIZE), max_size=6), rest=st.binary(max_size=50))
def test_handshake_in_any_pieces(cuts: list[int], rest: bytes) -> None:
    said = SHAKE[: 1 + 2 * SIZE]
    said += bytes(1 + 2 * SIZE - len(said)) + rest
    shaking, answers, behind = ServerHandshake(bytes(NONCE_SIZE)), b"", b""
    for begin, end in pairwise((0, *sorted(cuts), len(said))):
        if shaking.done:
            behind += said[begin:end]
            continue
        answer, after = shaking.receive(said[begin:end])
        answers, behind = answers + answer, behind + after
    assert shaking.done
    assert (len(answers), behind) == (1 + 2 * SIZE, rest)


@given(data=st.binary(min_size=1, max_size=100))
def test_handshake_of_anything(data: bytes) -> None:
    with suppress(PeerError):
        assert ServerHandshake(bytes(NONCE_SIZE)).receive(data) == (b"", b"")
        assert data[0] == 3


@given(data=damaged(METADATA, amf0.encode(("connect", 1.0, {"app": "live", "a": {"b": None}}))))
def test_amf0(data: bytes) -> None:
    with suppress(PeerError):
        values = amf0.decode(data)
        read_metadata(tuple(values))


@given(asc=st.one_of(st.binary(max_size=20), damaged(flv_tags.ASC, b"\x2b\x92\x08\x00")))
def test_asc(asc: bytes) -> None:
    with suppress(PeerError):
        config = parse_asc(asc)
        assert 7_000 <= config.sample_rate <= 96_000
        assert 1 <= config.channels <= 8


@given(record=st.one_of(st.binary(max_size=60), damaged(flv_tags.AVCC)))
def test_what_avcc_lets_through_the_worker_can_read(record: bytes) -> None:
    with suppress(PeerError):
        check_avcc(record)
        config = parse_avcc(record)
        assert config.sps
        assert config.pps
        assert config.length_size in {1, 2, 4}


TAGS = st.tuples(
    st.booleans(),
    st.integers(0, 0xFFFFFFFF),
    st.one_of(
        damaged(flv_tags.avc_header(), flv_tags.aac_header(), flv_tags.avc_end()),
        damaged(flv_tags.avc_frame(b"\x00\x00\x00\x01\x65", key=True), flv_tags.aac_frame(b"a")),
        st.binary(max_size=12),
    ),
)


@given(tags=st.lists(TAGS, max_size=8))
def test_flv_tags_in_any_order(tags: list[tuple[bool, int, bytes]]) -> None:
    reader = FlvReader()
    with suppress(PeerError):
        for is_video, timestamp, tag in tags:
            (reader.video if is_video else reader.audio)(timestamp, tag)


RECORDED = tuple(
    raw
    for session in sessions().values()
    for raw in ChunkReader(Limits()).receive(session.asking[1 + 2 * SIZE :] + session.sending)
    if len(raw.payload) < 2_000 and raw.payload
)


@given(
    which=st.integers(0, len(RECORDED) - 1),
    kind=st.one_of(st.none(), st.sampled_from(MessageType)),
    data=st.data(),
)
def test_damaged_messages(which: int, kind: MessageType | None, data: st.DataObject) -> None:
    raw = RECORDED[which]
    payload = data.draw(damaged(raw.payload))
    with suppress(PeerError):
        parse(raw._replace(payload=payload, type_id=raw.type_id if kind is None else kind))
