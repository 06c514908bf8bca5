"""What was on show when: an append-only list of events and the intervals they make. Pure.

All instants are UTC milliseconds on the PDT axis unless named `wall`. Intervals are half-open.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from overlay.scene import MAX_CARDS, Money, Rect
from server.hls.playlist import DateRange


class EventKind(StrEnum):
    """Commands, and the worker's reports of when a command reached the pixels."""

    PIN = "pin"
    UNPIN = "unpin"
    SHOWN = "shown"
    HIDDEN = "hidden"


class Anchor(StrEnum):
    """What instant a command means."""

    NOW = "now"
    """The newest frame at ingest."""
    SEEN = "seen"
    """What the operator's own player shows: its playing date comes along."""
    AT = "at"
    """A given instant."""


@dataclass(frozen=True, slots=True)
class Event:
    id: str
    """ULID. A PIN's is the pin's id."""
    kind: EventKind
    pin: str
    product_id: str
    revision: int
    t_media: int
    """PIN, UNPIN: the instant asked for. SHOWN, HIDDEN: the first frame with, without the card."""
    t_wall: int
    actor: str
    slot: int = 0
    late: bool = False
    """The instant asked for was already past."""
    burned: bool = True
    """A report of the worker will follow; else the command's instant is exact at once."""
    rect: Rect | None = None
    price: Money | None = None
    """PIN: what its card asked for; None in events of before this was kept."""
    sale_price: Money | None = None
    seq: int = 0
    """Given by the store: 1, 2, 3 ... within the channel."""


@dataclass(frozen=True, slots=True)
class Interval:
    """One product revision on show during [start, end)."""

    id: str
    product_id: str
    revision: int
    slot: int
    t_media: int
    """The instant asked for."""
    start: int
    end: int | None = None
    late: bool = False
    burned: bool = True
    start_exact: bool = False
    """`start` is the frame that the worker drew first, not an expectation."""
    end_exact: bool = False
    rect: Rect | None = None
    price: Money | None = None
    """What the card asked for; None: not known any more."""
    sale_price: Money | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """A session's intervals after `seq` events. Grows by `after`; never changes in place."""

    session: str
    seq: int = 0
    intervals: tuple[Interval, ...] = ()
    """In the order of their pins."""

    def after(self, events: Iterable[Event]) -> Timeline:
        """Return the timeline with `events` (in order of seq) applied."""
        by_id = {interval.id: interval for interval in self.intervals}
        seq = self.seq
        for event in events:
            seq = max(seq, event.seq)
            _apply(by_id, event)
        return Timeline(self.session, seq, tuple(by_id.values()))

    def get(self, pin: str) -> Interval | None:
        return next((item for item in self.intervals if item.id == pin), None)

    @property
    def open(self) -> tuple[Interval, ...]:
        """Pins that have no end yet; those that begin in the future included."""
        return tuple(item for item in self.intervals if item.end is None)

    def free_slot(self) -> int | None:
        """Return the lowest slot that no open pin holds; None when all MAX_CARDS are taken."""
        taken = {item.slot for item in self.open}
        return next((slot for slot in range(MAX_CARDS) if slot not in taken), None)

    def on_stage(self, instant: int) -> tuple[Interval, ...]:
        """Return the open pins whose cards are to be on screen from `instant` on."""
        # One already drawn stays, though its first frame may lie a little behind `instant`.
        return tuple(item for item in self.open if item.start_exact or item.start <= instant)

    def cues(self, since: int) -> tuple[int, ...]:
        """Return `since` and the later instants at which a pin is still to appear, in order."""
        ahead = {item.start for item in self.open if not item.start_exact and item.start > since}
        return (since, *sorted(ahead))

    def between(self, since: int | None, until: int | None) -> tuple[Interval, ...]:
        """Return the intervals that overlap [since, until); None leaves that side open.

        What was taken back before it began is left out.
        """
        return tuple(
            item
            for item in self.intervals
            if (item.end is None or item.end > item.start)
            and (since is None or item.end is None or item.end > since)
            and (until is None or item.start < until)
        )

    def date_ranges(self, class_name: str, planned_ms: int) -> tuple[DateRange, ...]:
        """Return the in-band ranges: only facts that will never change under their id.

        So a start not yet exact is left out, an end not yet exact is left open, and a pin of a
        page-drawn card anchored in the past lives in the JSON timeline only.
        """
        return tuple(
            DateRange(
                id=f"pin-{item.id}",
                class_name=class_name,
                start_ms=item.start,
                planned_ms=planned_ms,
                end_ms=item.end if item.end_exact else None,
                attributes=(
                    ("X-VITRINE-PRODUCT", item.product_id),
                    ("X-VITRINE-REV", item.revision),
                ),
            )
            for item in self.intervals
            if item.start_exact and not (item.late and not item.burned)
        )


def _apply(by_id: dict[str, Interval], event: Event) -> None:
    if event.kind is EventKind.PIN:
        by_id[event.pin] = Interval(
            id=event.pin,
            product_id=event.product_id,
            revision=event.revision,
            slot=event.slot,
            t_media=event.t_media,
            start=event.t_media,
            late=event.late,
            burned=event.burned,
            start_exact=not event.burned,
            price=event.price,
            sale_price=event.sale_price,
        )
        return
    found = by_id.get(event.pin)
    if found is not None:
        by_id[event.pin] = _changed(found, event)


def _changed(interval: Interval, event: Event) -> Interval:
    if event.kind is EventKind.SHOWN:
        if interval.start_exact:
            return interval
        end = None if interval.end is None else max(interval.end, event.t_media)
        return replace(interval, start=event.t_media, start_exact=True, end=end, rect=event.rect)
    if event.kind is EventKind.UNPIN:
        if interval.end is not None:
            return interval
        end = max(interval.start, event.t_media)
        return replace(interval, end=end, end_exact=not interval.burned)
    if interval.end_exact:
        return interval
    return replace(interval, end=max(interval.start, event.t_media), end_exact=True)
