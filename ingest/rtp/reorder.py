"""RTP packets back in order, and which of them to ask for again. Pure.

A hole is waited for as long as a retransmission may take, no longer: what comes after it
is then given as it is. Whoever takes the packets sees the hole in their numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ingest.rtp.packet import Packet, Unwrapper

MOST_HELD: Final = 1024
"""Packets held behind a hole: over a second of 8 Mbit/s. Bounds memory against a sender that
leaves holes on purpose."""
MOST_MISSING: Final = 256
"""Packets asked for at once; a longer hole is no loss but an interruption."""
LEAP: Final = 3_000
"""A sequence number so far off belongs to another run (RFC 3550 A.1, MAX_DROPOUT)."""
ASK_AGAIN: Final = 0.05
"""Seconds between two requests for the same packet: a round trip of most senders."""
MOST_ASKED: Final = 5


@dataclass(slots=True)
class _Missing:
    since: float
    asked_at: float = -1.0
    asked: int = 0


class Reorder:
    """Puts one source's packets in order. `patience`: seconds that a hole is waited for."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._sequence = Unwrapper(16)
        self._next: int | None = None
        self._newest = 0
        """The highest number held, or the last one given out."""
        self._held: dict[int, Packet] = {}
        self._missing: dict[int, _Missing] = {}

    def push(self, packet: Packet) -> list[Packet]:
        """Take a packet; give those whose turn it is, their sequence numbers unwrapped."""
        number = self._sequence.near(packet.sequence)
        if self._next is None or abs(number - self._next) > LEAP:
            self._restart(number)
        if self._next is None or number < self._next or number in self._held:
            return []
        self._sequence.unwrap(packet.sequence)
        packet = Packet(
            number,
            packet.timestamp,
            packet.marker,
            packet.payload_type,
            packet.payload,
            packet.arrival,
        )
        if number == self._next and not self._held:
            self._missing.pop(number, None)
            self._next += 1
            self._newest = number
            return [packet]
        self._hold(packet)
        return self._release(packet.arrival)

    def due(self, now: float) -> list[int]:
        """Give the 16-bit numbers of the packets to ask for now. They count as asked for."""
        if not self._missing:
            return []
        asked = []
        for number, missing in self._missing.items():
            if missing.asked < MOST_ASKED and now - missing.asked_at >= ASK_AGAIN:
                missing.asked_at, missing.asked = now, missing.asked + 1
                asked.append(number & 0xFFFF)
        return asked

    def _restart(self, number: int) -> None:
        self._next = number
        self._newest = number - 1
        self._held.clear()
        self._missing.clear()

    def _hold(self, packet: Packet) -> None:
        self._held[packet.sequence] = packet
        self._missing.pop(packet.sequence, None)
        first = max(self._newest + 1, packet.sequence - MOST_MISSING)
        self._newest = max(self._newest, packet.sequence)
        for number in range(first, packet.sequence):
            self._missing[number] = _Missing(packet.arrival)

    def _release(self, now: float) -> list[Packet]:
        ready: list[Packet] = []
        self._take(ready)
        while self._held and self._given_up(now):
            self._next = min(self._held)
            self._missing = {n: m for n, m in self._missing.items() if n > self._next}
            self._take(ready)
        return ready

    def _given_up(self, now: float) -> bool:
        """Tell whether the first hole has been waited for long enough."""
        if len(self._held) > MOST_HELD:
            return True
        missing = self._missing.get(self._next or 0)
        return missing is None or now - missing.since >= self._patience

    def _take(self, ready: list[Packet]) -> None:
        while self._next is not None and self._next in self._held:
            ready.append(self._held.pop(self._next))
            self._next += 1
