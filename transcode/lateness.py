"""How far encoding falls behind the publisher, and what is to go for it. Pure; time is an argument.

The least is worth a picture that looks much like the one before: encoders skip what is
repeated at a half to a third of the cost. Where even that is too much, time itself is left out.
"""

from __future__ import annotations

LATE_MS = 800
"""So late, pictures are thinned out. The server drops units at 2 s."""
VERY_LATE_MS = 1_500
LOST_MS = 5_000
"""So late, everything is dropped up to what arrives now."""
CAUGHT_UP_MS = 300
BUSY = 8
"""Jobs that wait at an encoder which does not keep up."""
IDLE_SECONDS = 2.0
"""Encoders idle for so long are not late: the clock that stamps arrivals was set."""
FEW, VERY_FEW = 2, 8


class Lateness:
    """Compares when units arrived with when they are worked on."""

    def __init__(self) -> None:
        self._least: float | None = None
        self._idle_since: float | None = None
        self._late = False
        self._count = 0
        self.lag_ms = 0.0
        """Behind the best there was."""
        self.lost = False
        """Nothing is to be encoded until this ends."""

    def saw(self, arrived_ms: int, now: float, queue: int) -> None:
        """Note a unit worked on at `now` (seconds, any steady clock), `queue` jobs before it."""
        delay = now * 1000 - arrived_ms
        if queue >= BUSY:
            self._idle_since = None
        elif self._idle_since is None:
            self._idle_since = now
        elif now - self._idle_since > IDLE_SECONDS:
            self._least = delay
        self._least = delay if self._least is None else min(delay, self._least)
        self.lag_ms = delay - self._least
        if self.lag_ms < CAUGHT_UP_MS:
            self._late = self.lost = False
        elif queue >= BUSY:
            self._late = self._late or self.lag_ms > LATE_MS
            self.lost = self.lost or self.lag_ms > LOST_MS

    def spares(self) -> bool:
        """Tell whether the next picture is to be spared: shown as the one before."""
        if not self._late:
            self._count = 0
            return False
        self._count += 1
        return self._count % (VERY_FEW if self.lag_ms > VERY_LATE_MS else FEW) != 0
