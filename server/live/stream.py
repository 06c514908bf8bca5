"""One broadcast of one channel: publisher's units in, live window out.

asyncio. Owns the channel's worker and its windows; knows neither shop nor HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from ingest.port import Publisher
from ingest.unit import TICKS_PER_MS, Unit
from overlay.scene import Scene
from server.clock import Clock
from server.live.broadcast import Broadcast
from server.live.coach import Coach
from server.live.echo import Echo
from server.live.figures import Figures
from server.live.rules import RULES
from server.live.runs import Runs
from server.live.showing import Showings
from server.shop.port import ShownAt
from transcode import wire
from transcode.part import Epoch, Part
from transcode.supervisor import Patience, Supervisor

MOST_AHEAD_MS = 10_000
"""No worker is further behind what arrives: units older than that were dropped."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """What a stream tells its registry. Called on the event loop; none blocks."""

    began: Callable[[LiveStream], None]
    """There is a first epoch: the broadcast can be seen."""
    advanced: Callable[[LiveStream], None]
    """Sequences have grown: a segment is whole, or an epoch begins."""
    interrupted: Callable[[LiveStream, str], None]
    """The publisher is lost, with the reason; it has its grace to come back in."""
    resumed: Callable[[LiveStream], None]
    """Pictures of a publisher that came back can be seen."""
    left: Callable[[LiveStream, str], None]
    """The publisher is gone for good, with the reason."""


class PublisherFeed:
    """The Sink of one publisher. A stream listens to its newest one only."""

    def __init__(self, stream: LiveStream, publisher: Publisher) -> None:
        self.publisher = publisher
        self._stream = stream

    @property
    def name(self) -> str:
        return self._stream.channel

    def accept(self, units: Sequence[Unit]) -> None:
        self._stream.take(self, units)

    def close(self, reason: str, *, finished: bool = False) -> None:
        self._stream.leave(self, reason, finished)


class LiveStream:
    """A channel on the air."""

    def __init__(
        self, broadcast: Broadcast, clock: Clock, hooks: Hooks, patience: Patience | None = None
    ) -> None:
        self.channel = broadcast.channel
        self.session = broadcast.session
        self.figures = Figures()
        self.coach = Coach(RULES)
        self.epoch: Epoch | None = None
        self.started_ms = broadcast.started_ms
        """PDT of the first picture; None before it."""
        self.profile = broadcast.profile
        self.lost_ms = broadcast.carry.pdt_ms
        """When the publisher was lost that is waited for, UTC ms."""
        self._broadcast = broadcast
        self._title = broadcast.title
        self._slate_to_come = False
        """The worker knows of an interruption, and does not yet encode its slate."""
        self._lost_at = None if broadcast.started_ms is None else clock.monotonic()
        """Since when there has been no picture of a publisher; None while there is."""
        self.protocol = ""
        self.key = ""
        """Digest of the stream key that the newest publisher came with; empty: it needs none."""
        self.ending = False
        self.takeovers = 0
        self.turned_out = ""
        """Why the server dropped the publisher that is waited for; empty: it was lost."""
        self.attached_ms = 0
        """When the publisher came, UTC ms."""
        self._spliced = False
        self._ahead_ms = 0
        """By how much the playlists' time is before the wall clock: this was set back meanwhile."""
        self.problems: tuple[str, ...] = ()
        """What could not be drawn of the scene on screen."""
        self.supervisor = Supervisor(self.channel, self._settings, self._receive, patience)
        self._clock = clock
        self._hooks = hooks
        self._log = structlog.get_logger("live").bind(channel=self.channel, session=self.session)
        self.runs = Runs(broadcast, clock)
        """What viewers are given."""
        self._feed: PublisherFeed | None = None
        self.echo = Echo()
        """What the publisher sends, as it is."""
        self._showings = Showings(clock, lambda: self.interrupted)

    async def start(self) -> None:
        """Start the worker. Raises OSError."""
        await self.supervisor.start()

    @property
    def publisher(self) -> Publisher | None:
        """The connection that feeds the stream now."""
        return self._feed.publisher if self._feed else None

    @property
    def interrupted(self) -> bool:
        """Begun, and waiting for pictures of a publisher that was lost."""
        return self._lost_at is not None

    @property
    def grace_left(self) -> float:
        """Seconds that a lost publisher still has to come back."""
        waited = 0.0 if self._lost_at is None else self._clock.monotonic() - self._lost_at
        return max(0.0, self._broadcast.grace - waited)

    @property
    def overdue(self) -> bool:
        """The lost publisher has not come back within its grace."""
        return self.interrupted and self._feed is None and not self.grace_left

    def attach(self, publisher: Publisher, protocol: str) -> PublisherFeed:
        """Let `publisher` feed the stream at once; one that is still there is dropped."""
        before, self._feed = self._feed, PublisherFeed(self, publisher)
        self.echo.close("another encoder took over")
        self.echo = Echo()
        self.protocol = protocol
        self.attached_ms = self._clock.wall_ms()
        self.turned_out = ""
        if before is not None:
            self.takeovers += 1
            self._log.info("taken over", old=before.publisher.peer, new=publisher.peer)
            before.publisher.drop("Another encoder took over with the same key.")
            self.figures = Figures()
            self.supervisor.splice()
            self._spliced = True
        elif self.interrupted:
            self._slate_to_come = False
            self._ahead_ms = max(0, self.runs.axis_ms - self.attached_ms)
            self._log.info("encoder is back", peer=publisher.peer)
            self.figures = Figures()
            self.supervisor.resume()
        return self._feed

    def take(self, feed: PublisherFeed, units: Sequence[Unit]) -> None:
        """Pass units on to the worker, unless `feed` has been taken over."""
        if feed is not self._feed or self.ending:
            return
        now_ms = self._clock.wall_ms()
        for unit in units:
            self.figures.saw(unit, now_ms)
            self.echo.saw(unit)
        self.supervisor.feed(units, now_ms + self._ahead_ms)

    def leave(self, feed: PublisherFeed, reason: str, finished: bool) -> None:
        """Note that a publisher is gone: `finished` for good, else it has its grace."""
        if feed is not self._feed:
            return
        self._feed = None
        self.echo.close(reason)
        if finished or self.ending or self.started_ms is None or not self._broadcast.grace:
            self._hooks.left(self, reason)
        else:
            self._interrupt(reason)

    def tick(self) -> None:
        """While interrupted, keep the playlists going. To be called several times a second."""
        if self._broadcast.slate and self._feed is None:
            self._slate_to_come = False
            now_ms = self._clock.wall_ms()
            self._ahead_ms = max(self._ahead_ms, self.runs.axis_ms - now_ms)
            self.supervisor.tick(now_ms + self._ahead_ms)
        if self.runs.lapse():
            self._hooks.advanced(self)

    def _interrupt(self, reason: str) -> None:
        again = self.interrupted
        self._lost_at, self.lost_ms = self._clock.monotonic(), self._clock.wall_ms()
        self._spliced = True
        self._stand_in()
        if not again:
            self._hooks.interrupted(self, reason)

    def rename(self, title: str) -> None:
        """Have slates say another title; one that stands (since the first `tick`) stays."""
        if title == self._title:
            return
        self._title = title
        if self._slate_to_come:
            self._stand_in()

    def _stand_in(self) -> None:
        """Tell the worker that there is no publisher, and what its slate is to say."""
        health = self.figures.health or wire.Health()
        slate = self._broadcast.slate
        self._slate_to_come = slate
        self.supervisor.interrupt(wire.Interrupt(slate, self._title, health.width, health.height))

    @property
    def media_now(self) -> int | None:
        """PDT of the newest picture at ingest; None before the first."""
        newest = self.figures.newest_pts
        if self.epoch is None:
            return None if self.started_ms is None else self.runs.floor_ms
        if newest is None or self._spliced:
            return self.runs.window.latest_pdt_ms  # a new publisher's clock has no epoch yet
        now_ms = self.epoch.pdt_ms + (newest - self.epoch.origin) // TICKS_PER_MS
        # Between a leap of the publisher's clock and its new epoch the two do not fit.
        return min(now_ms, (self.runs.window.latest_pdt_ms or now_ms) + MOST_AHEAD_MS)

    async def show(self, scene: Scene, at_ms: int) -> ShownAt | None:
        """Stage `scene` for `at_ms` and wait until it is drawn; see `shop.port.Stage.show`."""
        if self.ending:
            return None
        return await self._showings.wait(scene, at_ms, lambda: self.supervisor.show(scene, at_ms))

    async def finish(self) -> None:
        """Have the worker encode what it holds; after this no part comes any more."""
        self.ending = True
        self.echo.close("the broadcast was ended")
        if self.publisher is not None:
            self.publisher.drop("the broadcast was ended")
        self._showings.give_up()
        await self.supervisor.close()

    def _settings(self) -> wire.Open:
        return wire.Open(profile=self.profile, pdt_floor_ms=self.runs.sequences.pdt_ms)

    def _receive(self, message: wire.Up) -> None:
        match message:
            case Part():
                if self.runs.add(message):
                    self._hooks.advanced(self)
            case Epoch():
                self._begin(message)
            case wire.Shown():
                self._shown(message)
            case wire.Health():
                self.figures.health = message

    def _begin(self, epoch: Epoch) -> None:
        self.runs.begin(epoch)
        self.epoch = epoch
        # A slate's origin is on no publisher's clock.
        self._spliced = epoch.slate
        going_on = "the slate is on" if epoch.slate else "goes on"
        self._log.info(
            "on the air" if self.started_ms is None else going_on,
            renditions=[track.name for track in epoch.tracks],
        )
        if self.started_ms is None:
            self.started_ms = epoch.pdt_ms
            self._hooks.began(self)
        elif self.interrupted and not epoch.slate:
            self._lost_at = None
            self._hooks.resumed(self)
        self._hooks.advanced(self)
        self.runs.edge.published()

    def _shown(self, shown: wire.Shown) -> None:
        self.supervisor.drawn(shown.scene_id)
        self.problems = shown.problems
        for problem in shown.problems:
            self._log.warning("card not drawn", problem=problem)
        told = ShownAt(shown.at_ms, shown.rects, shown.problems)
        self._showings.shown(shown.scene_id, told)
