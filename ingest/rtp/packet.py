"""One RTP packet (RFC 3550 5.1) as far as media needs it, and counters that wrap. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Packet:
    sequence: int
    """16 bits; unwrapped once `ingest.rtp.reorder` has seen it."""
    timestamp: int
    """32 bits, in the codec's clock."""
    marker: bool
    payload_type: int
    payload: bytes
    arrival: float
    """Seconds, monotonic."""


class Unwrapper:
    """Continues a counter of `bits` bits past its wrap, by the nearest way from the last value."""

    __slots__ = ("_half", "_last", "_size")

    def __init__(self, bits: int) -> None:
        self._size = 1 << bits
        self._half = self._size >> 1
        self._last: int | None = None

    def unwrap(self, value: int) -> int:
        """Give the unwrapped value and go on from it. The first is taken as it is."""
        near = self.near(value)
        self._last = near
        return near

    def near(self, value: int) -> int:
        """Give the unwrapped value without going on from it."""
        if self._last is None:
            return value
        step = (value - self._last + self._half) % self._size - self._half
        return self._last + step
