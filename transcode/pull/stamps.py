"""Times for packets whose container does not give them all. Pure.

Matroska has no decoding times, and an RTSP server may tell when its first packet was only
with the second: libav knows a track's times from some packet on, never before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
HELD = 64
"""Packets that wait for the first one with a time; without any by then, there are none to come."""
FRAME = 3_000
"""Ticks between packets that do not say how long they last: a 30th of a second."""


@dataclass(frozen=True, slots=True)
class Stamped(Generic[Item]):
    item: Item
    dts: int
    pts: int


class Stamps(Generic[Item]):
    """One track's packets, in the order of decoding. Times in ticks."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Item, int | None, int]] = []
        self._next: int | None = None
        """When the packet after the newest is to be decoded, if it does not say so."""

    def take(
        self, item: Item, dts: int | None, pts: int | None, duration: int
    ) -> list[Stamped[Item]]:
        """Give the packets whose times are now known: this one, and those that waited for it."""
        step = duration if duration > 0 else FRAME
        if dts is None:
            dts = self._next
        if dts is None:
            self._waiting.append((item, pts, step))
            if len(self._waiting) < HELD:
                return []
            return self._released(self._beginning())
        ready = self._released(dts)
        self._next = dts + step
        return [*ready, Stamped(item, dts, dts if pts is None else pts)]

    def _beginning(self) -> int:
        """Guess where decoding begins, for what has no times: at the first time of showing."""
        shown = next((pts for _, pts, _ in self._waiting if pts is not None), 0)
        return shown + sum(step for _, _, step in self._waiting)

    def _released(self, end: int) -> list[Stamped[Item]]:
        """Count the packets that waited back from `end`, when the one behind them is due."""
        ready: list[Stamped[Item]] = []
        self._next = end
        for item, pts, step in reversed(self._waiting):
            end -= step
            ready.append(Stamped(item, end, end if pts is None else pts))
        self._waiting.clear()
        return ready[::-1]
