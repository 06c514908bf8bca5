"""SRT, the receiving half of a caller in live mode: what PyAV's libav is built without.

Pure: datagrams in, bytes and datagrams out; time is an argument, in seconds. Section numbers
are of draft-sharabayko-srt-01. Not here: encryption (6), sending, rendezvous, file mode.
"""

from __future__ import annotations

from enum import IntEnum
from struct import Struct, error, unpack_from
from typing import Final

from transcode.errors import PullError

_HEADER = Struct(">IIII")
_HANDSHAKE = Struct(">IHHIIIIII16s")
_EXTENSION = Struct(">HH")
_HS_REQUEST = Struct(">III")
_ACK = Struct(">IIIIIII")
_CONTROL: Final = 0x8000_0000
_SEQUENCE: Final = 0x7FFF_FFFF
_VERSION: Final = 0x01_04_04
_FLAGS: Final = 0x3B
"""TSBPDSND, TSBPDRCV, TLPKTDROP, PERIODICNAK, REXMITFLG (3.2.1.1.1)."""
_MAGIC: Final = 0x4A17
_INDUCTION: Final = 1
_CONCLUSION: Final = 0xFFFF_FFFF
_REJECTED: Final = 1_000
_MTU: Final = 1_500
WINDOW: Final = 8_192
"""Packets: 10 MB at most that wait for one that was lost."""
MAX_STREAM_ID: Final = 512
RETRY: Final = 0.25
ACK_EVERY: Final = 0.01
NAK_EVERY: Final = 0.05
ALIVE_EVERY: Final = 1.0
GAPS: Final = 100
"""Losses told in one report."""


class Kind(IntEnum):
    """Control types (3.2)."""

    HANDSHAKE = 0
    KEEPALIVE = 1
    ACK = 2
    NAK = 3
    SHUTDOWN = 5
    ACKACK = 6
    DROP = 7


class SrtReceiver:
    """One connection. Call `check` at least every ACK_EVERY, send what `data_to_send` gives."""

    def __init__(
        self, socket_id: int, sequence: int, stream_id: str, latency: float, now: float
    ) -> None:
        """`socket_id` and `sequence` are random; `latency` is how long a loss is waited for.

        `stream_id` has at most MAX_STREAM_ID bytes.
        """
        self._id = socket_id
        self._stream_id = stream_id.encode()
        self._latency = latency
        self._began = now
        self._peer = 0
        self._first = sequence & _SEQUENCE
        self._next = self._first
        """The packet that is to be handed on next."""
        self._held: dict[int, bytes] = {}
        """Packets that came before one that is missing, by their distance from `_first`."""
        self._gap_since = now
        self._acked = self._first
        self._ack_number = 0
        self._cookie = 0
        self._out: list[bytes] = []
        self._due = {"handshake": now, "ack": now, "nak": now, "alive": now}
        self.connected = False
        self.over = False
        """The peer said goodbye."""

    def data_to_send(self) -> list[bytes]:
        out, self._out = self._out, []
        return out

    def receive(self, datagram: bytes, now: float) -> bytes:
        """Take a datagram; give the bytes that are now in order. Raises PullError."""
        if len(datagram) < _HEADER.size:
            return b""
        first, second, _, destination = _HEADER.unpack_from(datagram)
        if destination != self._id:
            return b""
        body = datagram[_HEADER.size :]
        if first & _CONTROL:
            return self._control(first >> 16 & 0x7FFF, body, now)
        if not self.connected:
            return b""
        if second >> 27 & 3:
            raise PullError("it is encrypted with a passphrase, which is not supported")
        return self._packet(first & _SEQUENCE, body, now)

    def check(self, now: float) -> bytes:
        """Do what is due; give the bytes that a given-up loss held back."""
        if not self.connected:
            if self._is_due("handshake", now, RETRY):
                self._shake(now)
            return b""
        ready = b""
        if self._held and now - self._gap_since > self._latency:
            self._skip_to(min(self._held, key=self._distance))
            ready = self._in_order(now)
        if self._acked != self._next and self._is_due("ack", now, ACK_EVERY):
            self._acknowledge(now)
        if self._held and self._is_due("nak", now, NAK_EVERY):
            self._report_losses(now)
        if self._is_due("alive", now, ALIVE_EVERY):
            self._send(Kind.KEEPALIVE, 0, b"\0\0\0\0", now)
        return ready

    def close(self, now: float) -> None:
        """Say goodbye."""
        if self.connected:
            self._send(Kind.SHUTDOWN, 0, b"\0\0\0\0", now)

    # Handshake (4.3.1)

    def _shake(self, now: float) -> None:
        version, extensions, kind = (5, 1, _CONCLUSION) if self._cookie else (4, 2, _INDUCTION)
        more = b""
        if self._cookie:
            delay = round(self._latency * 1000)
            more = _EXTENSION.pack(1, 3) + _HS_REQUEST.pack(_VERSION, _FLAGS, delay << 16 | delay)
            if self._stream_id:
                extensions |= 4
                more += _stream_extension(self._stream_id)
        head = _HANDSHAKE.pack(
            version,
            0,
            extensions,
            self._first,
            _MTU,
            WINDOW,
            kind,
            self._id,
            self._cookie,
            bytes(16),
        )
        self._send(Kind.HANDSHAKE, 0, head + more, now)

    def _shaken(self, body: bytes, now: float) -> None:
        try:
            version, _, field, sequence, _, _, kind, peer, cookie, _ = _HANDSHAKE.unpack_from(body)
        except error:
            return
        if _REJECTED <= kind < _CONCLUSION:
            words = "wants a passphrase" if kind - _REJECTED in (10, 11) else "does not want us"
            raise PullError(f"it {words} (SRT rejection {kind})")
        if version < 5 or (kind == _INDUCTION and field != _MAGIC):
            raise PullError("it speaks an SRT older than 1.3")
        if kind == _INDUCTION and not self._cookie:
            self._cookie = cookie
            self._due["handshake"] = now
        elif kind == _CONCLUSION and not self.connected:
            self.connected = True
            self._peer = peer
            self._first = self._next = self._acked = sequence & _SEQUENCE

    # Media (4.5 to 4.8)

    def _control(self, kind: int, body: bytes, now: float) -> bytes:
        match kind:
            case Kind.HANDSHAKE:
                self._shaken(body, now)
            case Kind.SHUTDOWN if self.connected:
                self.over = True
            case Kind.DROP if self.connected and len(body) >= 8:
                first, last = (number & _SEQUENCE for number in unpack_from(">II", body))
                if self._distance(first) <= 0 <= self._distance(last) < WINDOW:
                    self._skip_to(last + 1 & _SEQUENCE)
                    return self._in_order(now)
        return b""

    def _packet(self, sequence: int, payload: bytes, now: float) -> bytes:
        ahead = self._distance(sequence)
        if not 0 <= ahead < WINDOW:
            return b""  # handed on, or given up, before
        if not self._held:
            self._gap_since = now
            self._due["nak"] = now
        self._held[sequence] = payload
        return self._in_order(now) if ahead == 0 else b""

    def _in_order(self, now: float) -> bytes:
        ready = []
        while (payload := self._held.pop(self._next, None)) is not None:
            ready.append(payload)
            self._next = self._next + 1 & _SEQUENCE
        self._gap_since = now
        return b"".join(ready)

    def _skip_to(self, sequence: int) -> None:
        distance = self._distance(sequence)
        self._held = {n: data for n, data in self._held.items() if self._distance(n) >= distance}
        self._next = sequence

    def _acknowledge(self, now: float) -> None:
        self._ack_number += 1
        self._acked = self._next
        room = WINDOW - len(self._held)
        body = _ACK.pack(self._next, 100_000, 50_000, room, 1_000, 1_000, 1_000_000)
        self._send(Kind.ACK, self._ack_number, body, now)

    def _report_losses(self, now: float) -> None:
        """Tell what is missing between the packets held (3.2.5)."""
        words: list[int] = []
        expected = 0
        for ahead in sorted(map(self._distance, self._held)):
            if ahead > expected and len(words) < 2 * GAPS:
                start, end = (self._next + n & _SEQUENCE for n in (expected, ahead - 1))
                words += [start] if start == end else [start | _CONTROL, end]
            expected = ahead + 1
        body = b"".join(word.to_bytes(4, "big") for word in words)
        self._send(Kind.NAK, 0, body, now)

    def _distance(self, sequence: int) -> int:
        """Count from the next packet to this one, over the wrap of 31 bits."""
        ahead = sequence - self._next & _SEQUENCE
        return ahead if ahead <= _SEQUENCE >> 1 else ahead - _SEQUENCE - 1

    def _is_due(self, what: str, now: float, every: float) -> bool:
        if now < self._due[what]:
            return False
        self._due[what] = now + every
        return True

    def _send(self, kind: Kind, information: int, body: bytes, now: float) -> None:
        stamp = round((now - self._began) * 1_000_000) & 0xFFFF_FFFF
        self._out.append(_HEADER.pack(_CONTROL | kind << 16, information, stamp, self._peer) + body)


def _stream_extension(stream_id: bytes) -> bytes:
    """Write the stream id: words of four bytes, each turned round (3.2.1.3)."""
    padded = stream_id + bytes(-len(stream_id) % 4)
    turned = b"".join(padded[n : n + 4][::-1] for n in range(0, len(padded), 4))
    return _EXTENSION.pack(5, len(padded) // 4) + turned
