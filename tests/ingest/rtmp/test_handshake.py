from __future__ import annotations

import pytest

from ingest.errors import PeerError
from ingest.rtmp.handshake import NONCE_SIZE, SIZE, ServerHandshake

NONCE = bytes(i * 7 % 256 for i in range(NONCE_SIZE))
C1 = b"\x00\x00\x12\x34" + bytes(4) + bytes(i % 251 for i in range(SIZE - 8))
C2 = bytes(SIZE)


def test_answers_c1_with_s0_s1_s2_that_echo_it() -> None:
    handshake = ServerHandshake(NONCE)
    sent, rest = handshake.receive(b"\x03" + C1)
    assert sent[:1] == b"\x03"
    assert sent[1 : 1 + SIZE] == bytes(8) + NONCE
    s2 = sent[1 + SIZE :]
    assert (len(s2), s2[:4], s2[8:]) == (SIZE, C1[:4], C1[8:])
    assert rest == b""
    assert not handshake.done


def test_quirk_7_bytes_after_c2_in_the_same_read_count() -> None:
    handshake = ServerHandshake(NONCE)
    sent, rest = handshake.receive(b"\x03" + C1 + C2 + b"chunks")
    assert len(sent) == 1 + 2 * SIZE
    assert rest == b"chunks"
    assert handshake.done


def test_byte_by_byte() -> None:
    whole, single = ServerHandshake(NONCE), ServerHandshake(NONCE)
    expected, _ = whole.receive(b"\x03" + C1 + C2)
    sent = b"".join(single.receive(bytes((byte,)))[0] for byte in b"\x03" + C1 + C2)
    assert sent == expected
    assert single.done


@pytest.mark.parametrize(
    ("first", "reason"), [(b"\x06", "RTMPE"), (b"G", "not RTMP"), (b"\x16", "not RTMP")]
)
def test_other_protocols_are_refused_at_their_first_byte(first: bytes, reason: str) -> None:
    with pytest.raises(PeerError, match=reason):
        ServerHandshake(NONCE).receive(first)


def test_nonce_size_is_the_callers_duty() -> None:
    with pytest.raises(ValueError, match="nonce"):
        ServerHandshake(b"")
