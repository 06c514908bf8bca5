"""Reader and writer of the chunk stream, driven by the same cases."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.errors import PeerError
from ingest.limits import Limits
from ingest.rtmp.chunk import HeaderType, RawMessage
from ingest.rtmp.chunk_reader import ChunkReader
from ingest.rtmp.chunk_writer import ChunkWriter
from ingest.rtmp.message import SetChunkSize

LIMITS = Limits()
LATE = 0x01000000
"""A time of 4 h 39 m and more, which needs an extended timestamp."""


def message(
    timestamp: int, size: int, csid: int = 4, type_id: int = 9, stream_id: int = 1
) -> RawMessage:
    payload = bytes((i * 31 + size) % 256 for i in range(size))
    return RawMessage(csid, type_id, stream_id, timestamp, payload)


def written(*messages: tuple[RawMessage, HeaderType], repeat_extended: bool = True) -> bytes:
    writer = ChunkWriter(repeat_extended)
    return b"".join(writer.write(raw, kind) for raw, kind in messages)


def read(data: bytes, limits: Limits = LIMITS) -> list[RawMessage]:
    """Read whole, then byte by byte; both must agree."""
    whole = ChunkReader(limits).receive(data)
    reader = ChunkReader(limits)
    single = [raw for byte in data for raw in reader.receive(bytes((byte,)))]
    assert single == whole
    return whole


FULL, SAME_STREAM, SAME_LENGTH, NONE = HeaderType

ROUND_TRIPS = {
    "empty message": [(message(0, 0), FULL)],
    "one chunk": [(message(5, 128), FULL)],
    "one byte over": [(message(5, 129), FULL)],
    "whole chunks": [(message(5, 128 * 5), FULL)],
    "many chunks": [(message(5, 10_000), FULL)],
    "the four headers": [
        (message(1000, 300), FULL),
        (message(1033, 200), SAME_STREAM),
        (message(1066, 200), SAME_LENGTH),
        (message(1099, 200), NONE),
        (message(1132, 200), NONE),
    ],
    "a chunk size on the way": [
        (message(0, 500), FULL),
        (SetChunkSize(4096).raw(), FULL),
        (message(33, 9000), SAME_STREAM),
        (SetChunkSize(65_536).raw(), FULL),
        (message(66, 70_000), SAME_STREAM),
        (SetChunkSize(1).raw(), FULL),
        (message(99, 50), SAME_STREAM),
    ],
    "extended, absolute": [(message(LATE, 1000), FULL), (message(LATE + 33, 1000), SAME_STREAM)],
    "extended, at its border": [(message(0xFFFFFE, 300), FULL), (message(0xFFFFFF, 300), FULL)],
    "extended delta": [(message(0, 300), FULL), (message(LATE, 300), SAME_STREAM)],
    "timestamp wrap": [(message(0xFFFFFFF0, 300), FULL), (message(0x10, 300), SAME_STREAM)],
}


@pytest.mark.parametrize("case", ROUND_TRIPS)
@pytest.mark.parametrize("repeat_extended", [True, False], ids=["ffmpeg", "librtmp"])
def test_round_trip(case: str, repeat_extended: bool) -> None:
    messages = ROUND_TRIPS[case]
    data = written(*messages, repeat_extended=repeat_extended)
    assert read(data) == [raw for raw, _ in messages if raw.type_id != 1]


def test_the_wire_is_as_the_specification_shows_it() -> None:
    """RTMP 1.0, 5.3.2.1 and 5.3.2.2."""
    audio = [RawMessage(3, 8, 12345, 1000 + 20 * i, bytes(32)) for i in range(4)]
    kinds = (FULL, SAME_LENGTH, NONE, NONE)
    data = written(*zip(audio, kinds, strict=True))
    assert len(data) == 44 + 36 + 33 + 33
    video = RawMessage(4, 9, 12346, 1000, bytes(307))
    assert len(written((video, FULL))) == 140 + 129 + 52


def test_quirk_2_one_chunk_stream_for_publish_metadata_audio_and_video() -> None:
    """OBS: a full header first, then deltas against whatever was there last."""
    data = written(
        (message(0, 40, type_id=20), FULL),
        (message(0, 300, type_id=18), FULL),
        (message(0, 7, type_id=8), SAME_STREAM),
        (message(0, 45, type_id=9), SAME_STREAM),
        (message(33, 900, type_id=9), SAME_STREAM),
        (message(21, 200, type_id=8), FULL),
        (message(42, 200, type_id=8), SAME_STREAM),
        (message(66, 700, type_id=9), SAME_STREAM),
    )
    seen = [(raw.type_id, raw.timestamp) for raw in read(data)]
    assert seen == [(20, 0), (18, 0), (8, 0), (9, 0), (9, 33), (8, 21), (8, 42), (9, 66)]


@pytest.mark.parametrize("repeat_extended", [True, False], ids=["ffmpeg", "librtmp"])
def test_quirk_4_extended_timestamp_in_continuations(repeat_extended: bool) -> None:
    messages = [message(LATE + 33 * i, 700) for i in range(3)]
    data = written(*((raw, FULL) for raw in messages), repeat_extended=repeat_extended)
    assert len(data) == 3 * (16 + 700 + 5 * (5 if repeat_extended else 1))
    assert read(data) == messages


def test_quirk_4_a_short_rest_is_not_held_back_by_the_peek() -> None:
    """Two bytes are left and cannot be the timestamp: they count at once."""
    raw = message(LATE, 130)._replace(payload=b"\xaa" * 130)
    reader = ChunkReader(LIMITS)
    assert reader.receive(written((raw, FULL), repeat_extended=False)) == [raw]


def test_quirk_4_the_full_time_in_a_continuation_of_a_delta() -> None:
    first, second = message(0, 10), message(LATE, 200)
    data = written((first, FULL), (second, SAME_STREAM))
    last = data.rindex(LATE.to_bytes(4, "big"))
    absolute = data[:last] + (LATE).to_bytes(4, "big") + data[last + 4 :]
    assert read(absolute) == [first, second]


def test_quirk_5_type_3_that_begins_a_message_repeats_the_delta() -> None:
    data = written((message(100, 10), FULL), (message(133, 10), SAME_STREAM))
    again = bytes((0xC4,)) + message(0, 10).payload
    assert [raw.timestamp for raw in read(data + again + again)] == [100, 133, 166, 199]


def test_quirk_6_type_3_after_a_full_header_has_delta_0() -> None:
    data = written((message(100, 10), FULL)) + bytes((0xC4,)) + message(0, 10).payload
    assert [raw.timestamp for raw in read(data)] == [100, 100]


@pytest.mark.parametrize("csid", [2, 63, 64, 319, 320, 65_599])
def test_quirk_10_chunk_stream_ids_of_one_two_and_three_bytes(csid: int) -> None:
    messages = [message(0, 500, csid=csid), message(33, 500, csid=csid)]
    data = written((messages[0], FULL), (messages[1], SAME_LENGTH))
    assert data[0] & 0x3F == (csid if csid < 64 else 0 if csid < 320 else 1)
    assert read(data) == messages


def test_messages_interleave_chunk_by_chunk() -> None:
    video, audio = message(40, 128 * 4, csid=6), message(41, 128 * 3 + 5, csid=5, type_id=8)
    a, v = written((audio, FULL)), written((video, FULL))
    chunks_v = [v[:140], *(v[140 + 129 * i : 140 + 129 * (i + 1)] for i in range(3))]
    chunks_a = [a[:140], *(a[140 + 129 * i : 140 + 129 * (i + 1)] for i in range(3))]
    mixed = b"".join(x for pair in zip(chunks_v, chunks_a, strict=True) for x in pair)
    assert read(mixed) == [video, audio]
    runs = b"".join([*chunks_v[:3], *chunks_a[:3], *chunks_v[3:], *chunks_a[3:]])
    assert read(runs) == [video, audio]


def test_abort_drops_the_unfinished_message() -> None:
    cut = written((message(0, 300), FULL))[:140]
    abort = written((RawMessage(2, 2, 0, 0, (4).to_bytes(4, "big")), FULL))
    whole = message(10, 200)
    assert read(cut + abort + written((whole, FULL))) == [whole]


def test_a_first_header_of_type_1_is_taken_from_time_0() -> None:
    raw = message(7, 50, stream_id=0)
    assert read(written((raw, SAME_STREAM))) == [raw]


def rejected(data: bytes, reason: str, limits: Limits = LIMITS) -> None:
    with pytest.raises(PeerError, match=reason):
        ChunkReader(limits).receive(data)


@pytest.mark.parametrize("size", [0, 65_537, 0x7FFFFFFF, 0xFFFFFFFF])
def test_quirk_11_chunk_size_is_bounded(size: int) -> None:
    rejected(written((RawMessage(2, 1, 0, 0, size.to_bytes(4, "big")), FULL)), "chunk size")


def test_quirk_11_message_sizes_are_bounded() -> None:
    limits = Limits(message_bytes=1000, command_bytes=100)
    assert read(written((message(0, 1000), FULL)), limits)
    rejected(written((message(0, 1001), FULL))[:12], "over the limit", limits)
    rejected(written((message(0, 101, type_id=20), FULL))[:12], "over the limit", limits)


def test_quirk_11_unfinished_messages_are_bounded_together() -> None:
    limits = Limits(message_bytes=1000)
    cuts = b"".join(written((message(0, 900, csid=c), FULL))[: 140 + 129 * 3] for c in (4, 5))
    rejected(cuts, "unfinished", limits)


def test_quirk_11_chunk_streams_are_bounded() -> None:
    limits = Limits(chunk_streams=3)
    assert (
        len(read(b"".join(written((message(0, 1, csid=c), FULL)) for c in (3, 4, 5)), limits)) == 3
    )
    rejected(
        b"".join(written((message(0, 1, csid=c), FULL)) for c in (3, 4, 5, 6)), "streams", limits
    )


def test_headers_without_a_past_are_refused() -> None:
    rejected(b"\xc4" + bytes(10), "without a message length")
    rejected(b"\x84\x00\x00\x01" + bytes(10), "without a message length")


def test_a_message_inside_an_unfinished_one_is_refused() -> None:
    rejected(written((message(0, 300), FULL))[:140] + written((message(1, 5), FULL)), "inside")


def test_the_writer_refuses_headers_that_cannot_say_it() -> None:
    writer = ChunkWriter()
    writer.write(message(0, 10))
    for raw, kind in (
        (message(1, 11), SAME_LENGTH),
        (message(1, 10), NONE),
        (message(1, 10, stream_id=2), SAME_STREAM),
        (message(1, 10, csid=1), FULL),
    ):
        with pytest.raises(ValueError):
            writer.write(raw, kind)


@given(st.binary(max_size=400))
def test_random_bytes_raise_only_peer_error(data: bytes) -> None:
    with suppress(PeerError):
        ChunkReader(LIMITS).receive(data)


@example([(3, 0x0100_0000, 17)], 1, False, [1])
@given(
    st.lists(
        st.tuples(st.integers(3, 5), st.integers(0, 2**32 - 1), st.integers(0, 2000)), max_size=6
    ),
    st.integers(1, 5000),
    st.booleans(),
    st.lists(st.integers(1, 700), min_size=1, max_size=5),
)
def test_no_split_shows(
    said: list[tuple[int, int, int]], chunk_size: int, repeat: bool, cuts: list[int]
) -> None:
    # The last one settles whether bytes before it were the beginning of a repeated timestamp.
    messages = [message(timestamp, size, csid) for csid, timestamp, size in (*said, (6, 0, 4))]
    data = written(
        (SetChunkSize(chunk_size).raw(), FULL),
        *((raw, FULL) for raw in messages),
        repeat_extended=repeat,
    )
    reader, position, seen, turn = ChunkReader(LIMITS), 0, [], 0
    while position < len(data):
        step = cuts[turn % len(cuts)]
        seen += reader.receive(data[position : position + step])
        position, turn = position + step, turn + 1
    assert seen == messages
