"""How many bytes gather in a publisher's socket before it is read (SO_RCVLOWAT). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CROWD: Final = 4
"""From so many publishers on it is worth while; fewer are read at once."""

LOOK_SECONDS: Final = 0.25
GATHER_SECONDS: Final = 0.07
"""Of a stream, at its mean rate, before it is read: two pictures, and the sound with them."""

_SHARE: Final = GATHER_SECONDS / LOOK_SECONDS
_MEMORY: Final = 4
"""Looks that the mean rate is taken over, more or less."""
_MOST: Final = 64 * 1024


@dataclass(slots=True)
class LowWater:
    """Of one publisher. Begins with 1, as sockets do."""

    mark: int = 1
    _received: int = 0
    _rate: float = 0.0
    """Bytes from one look to the next."""

    def look(self, received: int, crowd: int) -> int | None:
        """Give the new mark where it is to change. Call every LOOK_SECONDS.

        `received`: bytes so far; `crowd`: publishers at once. Where nothing came since the
        last look the mark is 1, so that the short end of a stream does not lie about.
        """
        new, self._received = received - self._received, received
        self._rate += (new - self._rate) / _MEMORY
        wanted = 1
        if new and crowd >= CROWD:
            wanted = min(max(1, int(self._rate * _SHARE)), _MOST)
        if wanted == self.mark or (wanted > 1 and abs(wanted - self.mark) * 4 < self.mark):
            return None
        self.mark = wanted
        return wanted
