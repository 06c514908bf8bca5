from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import PeerError
from ingest.rtmp.amf0 import (
    MAX_DEPTH,
    MAX_VALUES,
    UNDEFINED,
    Date,
    EcmaArray,
    Value,
    decode,
    encode,
)

CASES: list[tuple[Value, str]] = [
    (1.0, "003ff0000000000000"),
    (True, "0101"),
    (False, "0100"),
    ("", "020000"),
    ("live", "0200046c697665"),
    (None, "05"),
    (UNDEFINED, "06"),
    ({"a": 1.0}, "03000161003ff0000000000000000009"),
    (EcmaArray(a="b"), "080000000100016102000162000009"),
    ([None, True], "0a00000002050101"),
    (Date(1000.0), "0b408f4000000000000000"),
]


@pytest.mark.parametrize(("value", "wire"), CASES)
def test_value_round_trips(value: Value, wire: str) -> None:
    assert encode([value]).hex() == wire
    (back,) = decode(bytes.fromhex(wire))
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize(
    ("value", "wire"), [case for case in CASES if not isinstance(case[0], EcmaArray)]
)
def test_every_cut_is_refused(value: Value, wire: str) -> None:
    whole = bytes.fromhex(wire)
    for size in range(1, len(whole)):
        with pytest.raises(PeerError):
            decode(whole[:size])


@pytest.mark.parametrize(("value", "wire"), CASES)
def test_what_follows_a_value_is_the_next_value(value: Value, wire: str) -> None:
    assert decode(bytes.fromhex(wire) + encode(["next"])) == [value, "next"]


def test_long_string_round_trips() -> None:
    text = "x" * 70_000
    assert encode([text])[0] == 0x0C
    assert decode(encode([text])) == [text]


def test_xml_unsupported_reference_and_typed_object_are_read() -> None:
    wire = "0f000000033c612f" + "0d" + "070001" + "10000143" + "00016105" + "000009"
    assert decode(bytes.fromhex(wire)) == ["<a/", UNDEFINED, UNDEFINED, {"a": None}]


@pytest.mark.parametrize("count", [0, 1, 2, 0xFFFFFFFF])
def test_quirk_9_the_count_of_an_ecma_array_is_a_hint(count: int) -> None:
    wire = b"\x08" + count.to_bytes(4, "big") + b"\x00\x01a\x05\x00\x01b\x05" + b"\x00\x00\x09"
    assert decode(wire + b"\x05") == [{"a": None, "b": None}, None]


def test_quirk_9_a_counted_ecma_array_may_leave_its_end_out() -> None:
    assert decode(b"\x08\x00\x00\x00\x01\x00\x01a\x05") == [{"a": None}]


def test_text_that_is_not_utf8_does_not_end_the_session() -> None:
    assert decode(b"\x02\x00\x02\xff\xfe") == ["��"]


def test_depth_is_capped() -> None:
    def nested(depth: int) -> bytes:
        return b"\x0a\x00\x00\x00\x01" * depth + b"\x05"

    assert decode(nested(MAX_DEPTH))
    with pytest.raises(PeerError, match="nested"):
        decode(nested(MAX_DEPTH + 1))


def test_number_of_values_is_capped() -> None:
    assert len(decode(b"\x05" * MAX_VALUES)) == MAX_VALUES
    with pytest.raises(PeerError, match="too many"):
        decode(b"\x05" * (MAX_VALUES + 1))


def test_a_claimed_array_size_costs_nothing() -> None:
    with pytest.raises(PeerError):
        decode(b"\x0a\xff\xff\xff\xff")


@given(st.binary(max_size=200))
def test_random_bytes_raise_only_peer_error(data: bytes) -> None:
    with suppress(PeerError):
        decode(data)


values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=5), children)
    ),
    max_leaves=8,
)


@given(st.lists(values, max_size=3))
def test_any_values_round_trip(given_values: list[Value]) -> None:
    assert decode(encode(given_values)) == given_values
