"""One broadcast's pins: written down, put on stage, corrected by what the worker reports."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog
from ulid import ULID

from overlay.scene import Card, Rect, Scene
from server.channel import Channel, OverlayMode
from server.clock import Clock
from server.errors import Conflict, VitrineError
from server.shop import letters
from server.shop.catalogue import Product
from server.shop.port import ShownAt, Stage
from server.shop.settings import ShowSettings
from server.shop.timeline import Event, EventKind, Interval, Timeline
from server.store.port import Store
from server.webhooks.message import Write, to_nobody

_log = structlog.get_logger(__name__)
WORKER = "worker"
"""The actor of reports."""


def new_id(clock: Clock) -> str:
    """Make a ULID: sorts by the wall clock, unguessable in its last 80 bits."""
    return str(ULID.from_timestamp(clock.wall_ms()))


@dataclass(frozen=True, slots=True)
class Backstage:
    """What every show works with."""

    store: Store
    stage: Stage
    clock: Clock
    settings: ShowSettings
    announce: Callable[[Show, tuple[Interval, ...], tuple[str, ...]], None]
    """Told the intervals that changed, and problems in words."""
    write: Write = to_nobody
    """Makes webhook messages, to be stored together with what they tell of."""


def follow_up(
    kind: EventKind,
    item: Interval,
    at_ms: int,
    clock: Clock,
    actor: str = WORKER,
    rect: Rect | None = None,
) -> Event:
    """Make an event about a pin that is already in the timeline."""
    return Event(
        id=new_id(clock),
        kind=kind,
        pin=item.id,
        product_id=item.product_id,
        revision=item.revision,
        t_media=at_ms,
        t_wall=clock.wall_ms(),
        actor=actor,
        slot=item.slot,
        burned=item.burned,
        rect=rect,
    )


def closing(timeline: Timeline, at_ms: int, clock: Clock) -> list[Event]:
    """Make the events that end a session: nothing is on show from `at_ms` on."""
    kinds = (EventKind.UNPIN, EventKind.HIDDEN)
    events = [
        follow_up(kind, item, at_ms, clock, actor="session-end")
        for item in timeline.open
        for kind in kinds
    ]
    return events + [
        follow_up(EventKind.HIDDEN, item, item.end, clock, actor="session-end")
        for item in timeline.intervals
        if item.end is not None and not item.end_exact
    ]


class Show:
    """A session's timeline and what it puts on a channel's stage.

    `perform` and `end` are called one at a time (the shop's lock per channel); the worker's
    reports may come at any moment between.
    """

    def __init__(
        self,
        channel: Channel,
        timeline: Timeline,
        events: Sequence[Event],
        backstage: Backstage,
    ) -> None:
        self.channel = channel
        self.timeline = timeline
        self.events: list[Event] = list(events)
        self.products: dict[str, Product] = {}
        """What is pinned, as it is now."""
        self._with = backstage
        self._cards: dict[str, Card] = {}
        self._pen = asyncio.Lock()
        self._plays: set[asyncio.Task[None]] = set()

    @property
    def burns(self) -> bool:
        """Whether cards go into the pixels; fixed for the session, never mixed in a ladder."""
        return self.channel.overlay.mode is OverlayMode.BURN

    async def perform(self, commands: Sequence[Event], cards: Mapping[str, Card], now: int) -> None:
        """Write `commands` down, put their scenes on stage and wait a while for the report.

        `cards` by pin, for the pins that begin. `now` is the newest media. Raises Conflict
        `timeline-full`, Unavailable.
        """
        if len(self.events) >= self._with.settings.max_events:
            raise Conflict("timeline-full", "This session has too many events; start a new one.")
        since = max(now, min(command.t_media for command in commands))
        plays = await self._enact(commands, cards, since)
        if plays and since <= now:
            await asyncio.wait(plays[:1], timeout=self._with.settings.shown_deadline)

    async def restage(self, commands: Sequence[Event], cards: Mapping[str, Card], now: int) -> None:
        """Put what is pinned on a stage that knows nothing of it, after `commands`.

        Waits for no report: nobody may be there yet who draws. As for `perform` otherwise.
        """
        self._annotate()
        _ = await self._enact(commands, cards, now)

    async def end(self, at_ms: int) -> None:
        """Close the session and every open pin at `at_ms`."""
        await self.stop()
        async with self._pen:
            last = closing(self.timeline, at_ms, self._with.clock)
            channel, session = self.channel.id, self.timeline.session
            outbox = letters.ended(self._with.write, channel, session, at_ms, last)
            ended = await self._with.store.close_session(channel, session, at_ms, last, outbox)
            self._take(ended)
        self._cards.clear()

    async def stop(self) -> None:
        """Wait for no more reports."""
        for play in tuple(self._plays):
            play.cancel()
        await asyncio.gather(*self._plays, return_exceptions=True)

    async def _enact(
        self, commands: Sequence[Event], cards: Mapping[str, Card], since: int
    ) -> list[asyncio.Task[None]]:
        """Write `commands` down and put every scene from `since` on on stage."""
        await self._write(commands)
        if not self.burns:
            return []
        self._cards.update(cards)
        return [self._play(instant) for instant in self.timeline.cues(since)]

    def _play(self, instant: int) -> asyncio.Task[None]:
        overlay = self.channel.overlay
        pins = self.timeline.on_stage(instant)
        scene = Scene(
            id=new_id(self._with.clock),
            cards=tuple(self._cards[pin.id] for pin in pins if pin.id in self._cards),
            locale=overlay.locale,
            corner=overlay.corner,
            motion=overlay.motion,
        )
        kept = {pin.id for pin in self.timeline.open}
        self._cards = {pin: card for pin, card in self._cards.items() if pin in kept}
        play = asyncio.create_task(self._report(scene, instant))
        self._plays.add(play)
        play.add_done_callback(self._plays.discard)
        return play

    async def _report(self, scene: Scene, instant: int) -> None:
        shown = await self._with.stage.show(self.channel.id, scene, instant)
        if shown is None:
            return
        try:
            await self._settle(scene, shown)
        except VitrineError as error:
            _log.error("report not kept", channel=self.channel.id, reason=str(error))

    async def _settle(self, scene: Scene, shown: ShownAt) -> None:
        rects = dict(shown.rects)
        cards = {card.id for card in scene.cards}
        async with self._pen:
            reports = [
                self._event(EventKind.SHOWN, item, shown.at_ms, rects)
                for item in self.timeline.intervals
                if item.burned and not item.start_exact and item.id in cards & rects.keys()
            ]
            reports += [
                self._event(EventKind.HIDDEN, item, shown.at_ms, {})
                for item in self.timeline.intervals
                if item.end is not None and not item.end_exact and item.id not in cards
            ]
            if reports:
                channel, session = self.channel.id, self.timeline.session
                self._take(await self._with.store.append(channel, session, reports))
        if shown.problems:
            _log.warning("card left out", channel=self.channel.id, problems=shown.problems)
            self._with.announce(self, (), shown.problems)

    async def _write(self, events: Sequence[Event]) -> None:
        async with self._pen:
            channel, session = self.channel.id, self.timeline.session
            outbox = letters.pins(self._with.write, channel, session, events, self.products)
            self._take(await self._with.store.append(channel, session, events, outbox))

    def _take(self, events: Sequence[Event]) -> None:
        """Let stored events take effect and tell everybody."""
        if not events:
            return
        before = {item.id: item for item in self.timeline.intervals}
        self.timeline = self.timeline.after(events)
        self.events.extend(events)
        changed = tuple(item for item in self.timeline.intervals if before.get(item.id) != item)
        self._annotate()
        self._with.announce(self, changed, ())

    def _annotate(self) -> None:
        settings = self._with.settings
        ranges = self.timeline.date_ranges(settings.date_range_class, settings.planned_pin_ms)
        self._with.stage.annotate(self.channel.id, ranges)

    def _event(
        self, kind: EventKind, item: Interval, at_ms: int, rects: Mapping[str, Rect]
    ) -> Event:
        return follow_up(kind, item, at_ms, self._with.clock, rect=rects.get(item.id))
