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
LOOK_MS = 250
"""How often the media that was worked on is compared with the time that went by."""
BUSY = 8
"""Jobs that wait at an encoder which does not keep up; with fewer it is the decoder, or the
pipe, and pictures that are spared would not help."""
NONSENSE_MS = 60_000
"""No live unit is so old: these were recorded, or a clock was set."""
FEW, VERY_FEW = 2, 8


class Lateness:
    """Compares when units arrived with when they are worked on, on the same wall clock."""

    def __init__(self) -> None:
        self._late = False
        self._count = 0
        self._looked: tuple[int, int] | None = None
        """Media's time and ours when they were last compared."""
        self.lag_ms = 0
        self.lost = False
        """Nothing is to be encoded until this ends."""

    def saw(self, arrived_ms: int, media_ms: int, now_ms: int, queue: int) -> None:
        """Note a unit worked on at `now_ms`, with `queue` jobs before it.

        `media_ms`: its time on the publisher's clock.
        """
        lag = now_ms - arrived_ms
        self.lag_ms = lag if 0 < lag < NONSENSE_MS else 0
        if self.lag_ms < CAUGHT_UP_MS:
            self._late = self.lost = False
            self._looked = None
        elif queue >= BUSY:
            behind = self._falls_behind(media_ms, now_ms)
            self._late = self._late or (self.lag_ms > LATE_MS and behind)
            self.lost = self.lost or self.lag_ms > LOST_MS

    def _falls_behind(self, media_ms: int, now_ms: int) -> bool:
        """Tell whether less media was worked on in the last while than time went by.

        A worker that has much before it, because it has just begun or the network gave way all
        at once, makes that up by itself.
        """
        before = self._looked
        if before is not None and 0 <= now_ms - before[1] < LOOK_MS:
            return False
        self._looked = (media_ms, now_ms)
        return before is not None and media_ms - before[0] < now_ms - before[1]

    def spares(self) -> bool:
        """Tell whether the next picture is to be spared: shown as the one before."""
        if not self._late:
            self._count = 0
            return False
        self._count += 1
        return self._count % (VERY_FEW if self.lag_ms > VERY_LATE_MS else FEW) != 0
