"""One track's timestamps, mended before they are placed: slips, garbage, a clock that stands.

Pure. A stamp far from the one before is believed only when the next one agrees with it:
a real leap costs one picture's time, a slip costs nothing. A track that becomes slow leaps with
each picture: two such steps in a row are its new pace. What is not believed follows the one
before at the track's own pace, so even a track whose stamps are all nonsense plays.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from ingest.unit import TICKS_PER_SECOND
from transcode.timeline import FORWARD

Item = TypeVar("Item")

LEAP = 2 * TICKS_PER_SECOND
"""A longer step forward waits to be confirmed."""
USUAL_STEPS = 8
"""Unless the track's own steps are long: a screen share sends a picture every few seconds."""
BACK = TICKS_PER_SECOND
"""So far back a stamp may be and be taken as it is: reordering, jitter."""
STANDING = 8
"""Equal stamps in a row that mean a clock that stands and not a picture sent twice."""
SMOOTHING = 8


class Stamps(Generic[Item]):
    """Holds at most one item back."""

    def __init__(self, step: int) -> None:
        """`step`: ticks from one item to the next, until it is learned."""
        self._step = float(step)
        self._last: int | None = None
        self._raw: int | None = None
        self._equal = 0
        self._held: tuple[int, Item] | None = None

    def take(self, at: int, item: Item) -> list[tuple[int, Item]]:
        """Take the next item, stamped `at`; give what can be placed now, with its time."""
        self._equal = self._equal + 1 if at == self._raw else 0
        self._raw = at
        if self._equal >= STANDING:
            return [*self.flush(), self._follow(item)]
        if self._last is None or self._near(self._last, at):
            return [*self.flush(), self._accept(at, item)]
        held, self._held = self._held, None
        if held is not None and (self._near(held[0], at) or self._slows(held[0], at)):
            return [self._accept(*held), self._accept(at, item)]
        self._held = (at, item)
        return [] if held is None else [self._follow(held[1])]

    def flush(self) -> list[tuple[int, Item]]:
        """Give what is held back: nothing confirmed its stamp."""
        held, self._held = self._held, None
        return [] if held is None else [self._follow(held[1])]

    def _near(self, before: int, at: int) -> bool:
        return -BACK <= at - before <= max(LEAP, USUAL_STEPS * self._step)

    def _slows(self, held: int, at: int) -> bool:
        """Tell whether the track became slow, and if so learn its step at once.

        A longer step than FORWARD is another time line's, not a picture that came late.
        """
        steps = (held - (self._last or 0), at - held)
        if not all(0 < step <= FORWARD for step in steps):
            return False
        self._step = float(steps[1])
        return True

    def _accept(self, at: int, item: Item) -> tuple[int, Item]:
        if self._last is not None and self._near(self._last, at) and at > self._last:
            self._step += (at - self._last - self._step) / SMOOTHING
        self._last = at
        return at, item

    def _follow(self, item: Item) -> tuple[int, Item]:
        """Place an item one step after the one before."""
        self._last = (self._last or 0) + round(self._step)
        return self._last, item
