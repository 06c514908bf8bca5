"""SRT's receiving half: whatever becomes of datagrams, the bytes are whole and in order."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcode.errors import PullError
from transcode.pull.srt import NAK_EVERY, WINDOW, Kind, SrtReceiver

OURS, THEIRS, COOKIE = 7, 9, 0xC00C1E
LAST = 0x7FFF_FFFF
LATENCY = 1.0


def control(kind: int, body: bytes, to: int = OURS) -> bytes:
    return struct.pack(">IIII", 0x8000_0000 | kind << 16, 0, 0, to) + body


def handshake(kind: int, first: int, *, version: int = 5, field_: int = 0x4A17) -> bytes:
    body = struct.pack(">IHHIIIIII16x", version, 0, field_, first, 1500, 8192, kind, THEIRS, COOKIE)
    return control(Kind.HANDSHAKE, body)


def data(sequence: int, payload: bytes, *, key: int = 0) -> bytes:
    message = 0xC000_0000 | key << 27
    return struct.pack(">IIII", sequence & LAST, message, 0, OURS) + payload


def kinds(datagrams: list[bytes]) -> list[int]:
    return [struct.unpack_from(">I", datagram)[0] >> 16 & 0x7FFF for datagram in datagrams]


def connected(first: int = 100, stream_id: str = "") -> SrtReceiver:
    receiver = SrtReceiver(OURS, 1, stream_id, LATENCY, 0.0)
    receiver.check(0.0)
    receiver.receive(handshake(1, 0), 0.1)
    receiver.check(0.1)
    receiver.receive(handshake(0xFFFF_FFFF, first), 0.2)
    assert receiver.connected
    receiver.data_to_send()
    return receiver


def missing(report: bytes) -> Iterator[int]:
    """Read a loss report."""
    words = iter(struct.unpack(f">{(len(report) - 16) // 4}I", report[16:]))
    for word in words:
        if word & 0x8000_0000:
            start, end = word & LAST, next(words)
            yield from (start + n & LAST for n in range((end - start & LAST) + 1))
        else:
            yield word


def test_it_shakes_hands_in_two_steps_and_again_while_unanswered() -> None:
    receiver = SrtReceiver(OURS, 1, "live/tea", LATENCY, 0.0)
    receiver.check(0.0)
    receiver.check(0.1)
    (asked,) = receiver.data_to_send()
    assert struct.unpack_from(">IHHIIIII", asked, 16) == (4, 0, 2, 1, 1500, WINDOW, 1, OURS)
    receiver.check(0.3)
    assert len(receiver.data_to_send()) == 1
    receiver.receive(handshake(1, 0), 0.4)
    receiver.check(0.4)
    (concluded,) = receiver.data_to_send()
    found = struct.unpack_from(">IHHIIIIII", concluded, 16)
    assert found == (5, 0, 5, 1, 1500, WINDOW, 0xFFFF_FFFF, OURS, COOKIE)
    assert concluded[64:68] == b"\x00\x01\x00\x03"
    assert concluded[80:] == b"\x00\x05\x00\x02" + b"evil" + b"aet/"
    assert not receiver.connected
    receiver.receive(handshake(0xFFFF_FFFF, 5), 0.5)
    assert receiver.connected


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (handshake(1002, 0), "does not want us"),
        (handshake(1011, 0), "passphrase"),
        (handshake(1, 0, version=4), "older"),
        (handshake(1, 0, field_=2), "older"),
    ],
)
def test_who_turns_us_away_is_quoted(answer: bytes, said: str) -> None:
    receiver = SrtReceiver(OURS, 1, "", LATENCY, 0.0)
    receiver.check(0.0)
    with pytest.raises(PullError, match=said):
        receiver.receive(answer, 0.1)


def test_what_is_encrypted_is_told() -> None:
    with pytest.raises(PullError, match="encrypted"):
        connected().receive(data(100, b"x", key=1), 1.0)


@dataclass
class Network:
    """Loses, doubles and delays a stream's datagrams as it is told; sends again what is missed."""

    receiver: SrtReceiver
    first: int
    payloads: list[bytes]
    got: bytes = b""
    now: float = 1.0
    late: list[bytes] = field(default_factory=list)

    def carry(self, fates: list[str]) -> None:
        """Send all of it; the last datagram arrives, and so shows what is missing before it."""
        for index, payload in enumerate(self.payloads):
            datagram = data(self.first + index, payload)
            fate = fates[index % len(fates)] if fates else "ok"
            if index == len(self.payloads) - 1:
                fate = "ok"
            if fate == "late":
                self.late.append(datagram)
            elif fate != "lost":
                self._hand(datagram)
                if fate == "twice":
                    self._hand(datagram)
            if fate != "late":
                while self.late:
                    self._hand(self.late.pop())
        while self.late:
            self._hand(self.late.pop())

    def recover(self) -> None:
        """Answer loss reports until there are none."""
        for _ in range(20):
            self.now += NAK_EVERY
            self.got += self.receiver.check(self.now)
            for sent in self.receiver.data_to_send():
                if kinds([sent]) == [Kind.NAK]:
                    for sequence in missing(sent):
                        index = sequence - self.first & LAST
                        self._hand(data(sequence, self.payloads[index]))

    def _hand(self, datagram: bytes) -> None:
        self.now += 0.0001
        self.got += self.receiver.receive(datagram, self.now)


FATES = st.lists(st.sampled_from(["ok", "lost", "twice", "late"]), max_size=12)


@given(FATES, st.integers(1, 60), st.sampled_from([0, 100, LAST - 20, LAST]))
def test_the_bytes_are_whole_and_in_order(fates: list[str], count: int, first: int) -> None:
    payloads = [bytes([n]) * (n + 1) for n in range(count + 1)]
    network = Network(connected(first), first, payloads)
    network.carry(fates)
    network.recover()
    assert network.got == b"".join(payloads)


def test_a_loss_that_is_not_made_good_is_given_up() -> None:
    receiver = connected()
    assert receiver.receive(data(100, b"a"), 1.0) == b"a"
    assert receiver.receive(data(103, b"d"), 1.1) == b""
    assert receiver.check(1.1 + LATENCY - 0.01) == b""
    assert list(missing(receiver.data_to_send()[-2])) == [101, 102]
    assert receiver.check(1.2 + LATENCY) == b"d"
    assert receiver.receive(data(101, b"b"), 3.0) == b"", "too late"
    assert receiver.receive(data(104, b"e"), 3.0) == b"e"


def test_what_the_sender_drops_is_not_waited_for() -> None:
    receiver = connected()
    receiver.receive(data(102, b"c"), 1.0)
    drop = control(Kind.DROP, struct.pack(">II", 100, 101))
    assert receiver.receive(drop, 1.1) == b"c"


def test_what_came_is_acknowledged_and_a_quiet_line_kept_alive() -> None:
    receiver = connected()
    receiver.check(1.0)
    assert kinds(receiver.data_to_send()) == [Kind.KEEPALIVE]
    receiver.receive(data(100, b"a"), 1.1)
    receiver.check(1.1)
    receiver.check(1.105)
    (ack,) = receiver.data_to_send()
    assert kinds([ack]) == [Kind.ACK]
    assert struct.unpack_from(">IIIII", ack, 0)[3:] == (THEIRS, 101)
    receiver.check(2.0)
    assert kinds(receiver.data_to_send()) == [Kind.KEEPALIVE]
    receiver.receive(control(Kind.SHUTDOWN, b"\0\0\0\0"), 2.1)
    assert receiver.over
    receiver.close(2.2)
    assert kinds(receiver.data_to_send()) == [Kind.SHUTDOWN]


def test_what_is_held_back_is_bounded() -> None:
    receiver = connected()
    for ahead in range(1, WINDOW + 100):
        receiver.receive(data(100 + ahead, b"x"), 1.0)
    assert len(receiver._held) < WINDOW


@given(st.lists(st.binary(max_size=80), max_size=20))
def test_no_datagram_breaks_it(noise: list[bytes]) -> None:
    for receiver in (SrtReceiver(OURS, 1, "", LATENCY, 0.0), connected()):
        for junk in noise:
            for datagram in (junk, struct.pack(">II4xI", 0x8000_0000, 0, OURS) + junk):
                try:
                    receiver.receive(datagram, 1.0)
                    receiver.check(1.0)
                except PullError:
                    break
