"""The wall clock is set while a publisher is away: no time has gone by, and none is given back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest

from ingest.port import Publisher
from ingest.unit import Unit
from server.channel import Sequences
from server.hls.playlist import Segment
from server.hls.window import Window
from server.live.broadcast import Broadcast
from server.live.stream import Hooks, LiveStream, PublisherFeed
from tests.server.hls.show import PDT, Show
from tests.server.live.studio import PROFILE, Encoder
from transcode.part import Epoch, Part
from transcode.supervisor import Supervisor

HOUR = 3_600_000
TICK = 0.2
LISTED = 15


class SetClock:
    """A clock that is set now and then."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.set_ms = PDT - 1_000_000 + 1_500
        """What is shown is a second and a half old when it is listed."""

    def monotonic(self) -> float:
        return self.seconds

    def wall_ms(self) -> int:
        return self.set_ms + round(self.seconds * 1000)


class Inlet:
    """Takes a show's media as if the stream's worker had sent it, when it would."""

    def __init__(self, stream: LiveStream, clock: SetClock) -> None:
        self._stream = stream
        self._clock = clock
        self._newest = 0

    def open_epoch(self, epoch: Epoch) -> None:
        self._newest = 0
        self._stream._receive(epoch)

    def add(self, part: Part) -> None:
        end = part.start + part.duration
        self._clock.seconds += max(0, end - self._newest) / 90_000
        self._newest = max(self._newest, end)
        self._stream._receive(part)


class Scenery:
    """A broadcast that is on, without a worker."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, slate: bool = False) -> None:
        self.clock = SetClock()
        self.stamps: list[int] = []
        self.ticks: list[int] = []
        hooks = Hooks(*(lambda *_: None for _ in range(5)))
        carry = Sequences()
        told = Broadcast("tea", "Tea", "01SESSION", PROFILE, carry, LISTED, grace=60.0, slate=slate)
        self.stream = LiveStream(told, self.clock, hooks)

        def feed(_: Supervisor, units: Sequence[Unit], arrived_ms: int) -> None:
            self.stamps.append(arrived_ms)

        def tick(_: Supervisor, now_ms: int) -> None:
            self.ticks.append(now_ms)

        monkeypatch.setattr(Supervisor, "feed", feed)
        monkeypatch.setattr(Supervisor, "tick", tick)
        self.show = Show(cast("Window", Inlet(self.stream, self.clock)), pdt_ms=PDT)
        self.feed = self.attach()
        self.show.epoch()
        self.show.segments(LISTED)

    def attach(self) -> PublisherFeed:
        return self.stream.attach(cast("Publisher", Encoder()), "rtmp")

    def lose(self, seconds: float) -> None:
        """Be without a publisher for so long."""
        for _ in range(round(seconds / TICK)):
            self.clock.seconds += TICK
            self.stream.tick()

    @property
    def segments(self) -> list[Segment]:
        return list(self.stream.runs.window.renditions["720p"].segments)

    @property
    def gaps(self) -> int:
        return sum(segment.gap for segment in self.segments)


@pytest.mark.parametrize("step", [0, HOUR, -HOUR, -5_000])
@pytest.mark.parametrize("away", [0.2, 9.2])
def test_a_clock_that_is_set_is_no_hole_and_hides_none(
    monkeypatch: pytest.MonkeyPatch, step: int, away: float
) -> None:
    scenery = Scenery(monkeypatch)
    window = scenery.stream.runs.window
    scenery.stream.leave(scenery.feed, "lost", finished=False)
    scenery.clock.set_ms += step
    scenery.lose(away)
    # By the clock that nobody sets: one when half a target is overdue, then one a target.
    assert scenery.gaps == (4 if away > 9 else 0)
    end = window.latest_pdt_ms
    assert end == PDT + LISTED * 2_000 + scenery.gaps * 2_000

    feed = scenery.attach()
    scenery.stream.take(feed, [])
    (arrived_ms,) = scenery.stamps
    assert arrived_ms == max(scenery.clock.wall_ms(), scenery.stream.runs.axis_ms)
    scenery.show.pdt_ms, scenery.show.start = arrived_ms, 0
    scenery.show.epoch()
    scenery.show.segments(2)
    assert scenery.stream.runs.window is window, "the list goes on"
    assert not scenery.stream.interrupted
    *_, first, _ = scenery.segments
    assert (first.pdt_ms, first.discontinuity) == (arrived_ms, True)
    assert sum(not segment.gap for segment in scenery.segments) >= LISTED - 8
    dates = [segment.pdt_ms for segment in scenery.segments]
    assert dates == sorted(dates)


@pytest.mark.parametrize("step", [0, -HOUR, -5_000])
def test_a_slate_goes_on_where_the_pictures_ended(
    monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    scenery = Scenery(monkeypatch, slate=True)
    end_ms = PDT + LISTED * 2_000
    scenery.stream.leave(scenery.feed, "lost", finished=False)
    scenery.clock.set_ms += step
    scenery.lose(9.2)
    first, *_, last = scenery.ticks
    assert end_ms <= first < end_ms + 3_000
    assert last - first == 9_000
    assert scenery.ticks == sorted(scenery.ticks)
