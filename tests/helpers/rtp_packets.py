"""RTP packets made by code: coded pictures cut as senders cut them."""

from __future__ import annotations

from collections.abc import Iterable

from ingest.rtp.packet import Packet

SPS = bytes.fromhex("6742c01fd900500 5ba1000000300100000 0303c8f18324 80".replace(" ", ""))
PPS = bytes.fromhex("68cb8cb2")
H264 = 102
VP8 = 96
IDR, SLICE = 0x65, 0x41


def nal(kind: int, size: int) -> bytes:
    """Make a NAL unit of `size` bytes whose content tells where it is torn."""
    return bytes((kind, *((n * 7 + 1) % 251 for n in range(size - 1))))


def fragments(unit: bytes, size: int) -> list[bytes]:
    """Cut a NAL unit into FU-A payloads (RFC 6184 5.8)."""
    head, kind = unit[0] & 0xE0 | 28, unit[0] & 0x1F
    pieces = [unit[n : n + size] for n in range(1, len(unit), size)]
    last = len(pieces) - 1
    return [
        bytes((head, kind | (0x80 if n == 0 else 0) | (0x40 if n == last else 0))) + piece
        for n, piece in enumerate(pieces)
    ]


def aggregate(*units: bytes) -> bytes:
    """Join NAL units to one STAP-A payload (RFC 6184 5.7.1)."""
    return b"\x78" + b"".join(len(unit).to_bytes(2, "big") + unit for unit in units)


def vp8(size: int, pieces: int, *, key: bool, extended: bool = True) -> list[bytes]:
    """Make one VP8 frame's payloads (RFC 7741 4.2); `extended`: with a 15-bit picture id."""
    frame = bytes((0 if key else 1, *((n * 5 + 3) % 251 for n in range(size - 1))))
    step = -(-size // pieces)
    made = []
    for n in range(0, size, step):
        first = 0x10 if n == 0 else 0
        head = bytes((first | 0x80, 0x80, 0x81, 0x02)) if extended else bytes((first,))
        made.append(head + frame[n : n + step])
    return made


class Sender:
    """Numbers and stamps packets as one source does."""

    def __init__(
        self, payload_type: int, sequence: int = 100, timestamp: int = 0, clock: int = 90_000
    ) -> None:
        self.payload_type = payload_type
        self.sequence = sequence
        self.timestamp = timestamp
        self.clock = clock
        self.now = 10.0

    def picture(self, payloads: Iterable[bytes], seconds: float = 1 / 30) -> list[Packet]:
        """Send one picture's payloads and move on by `seconds`."""
        made = list(payloads)
        packets = [self._packet(p, marker=n == len(made) - 1) for n, p in enumerate(made)]
        self.timestamp += round(seconds * self.clock)
        self.now += seconds
        return packets

    def _packet(self, payload: bytes, *, marker: bool) -> Packet:
        packet = Packet(
            self.sequence & 0xFFFF,
            self.timestamp & 0xFFFFFFFF,
            marker,
            self.payload_type,
            payload,
            self.now,
        )
        self.sequence += 1
        return packet
