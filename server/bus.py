"""Events of each channel to whoever listens, with a short memory to resume from.

Bounded everywhere: a listener that is too slow is told `reset` and let go, as is one who asks
for events that are forgotten. It then takes a snapshot and subscribes anew.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from server.clock import Clock
from server.errors import RateLimited

RESET = "reset"
# Numbers go on above those of an earlier process: nobody publishes a thousand a millisecond.
_NUMBERS_PER_MS = 1_000


@dataclass(frozen=True, slots=True)
class Event:
    seq: int
    """Grows within a channel, across restarts too; has holes."""
    kind: str
    """`timeline`, `product`, `stock`, `state`, ...; `reset`: take a snapshot, subscribe anew."""
    data: Mapping[str, object]
    ts: int
    """UTC milliseconds."""


@dataclass(frozen=True, slots=True)
class BusLimits:
    history: int = 512
    """Events remembered per channel."""
    queue: int = 128
    """Events that one listener may lag behind."""
    listeners: int = 20_000
    """Per channel."""


class Subscription:
    """One listener's place in a channel. Use it as an async context manager."""

    def __init__(
        self, channel: _Channel, backlog: list[Event], limit: int, without: frozenset[str]
    ) -> None:
        self._channel = channel
        self._without = without
        self._queue: deque[Event] = deque(backlog)
        self._limit = limit + len(backlog)
        self._wake = asyncio.Event()
        self._over = False
        if backlog:
            self._wake.set()

    async def next(self, timeout: float | None = None) -> Event | None:  # noqa: ASYNC109
        """Return the next event; None after `timeout` seconds without one.

        Raises StopAsyncIteration behind a `reset` or when closed.
        """
        while not self._queue:
            if self._over:
                raise StopAsyncIteration
            self._wake.clear()
            try:
                async with asyncio.timeout(timeout):
                    await self._wake.wait()
            except TimeoutError:
                return None
        event = self._queue.popleft()
        if event.kind == RESET:
            self.close()
        return event

    def put(self, event: Event) -> None:
        """Queue an event; over the limit all are replaced by one `reset`. Never blocks."""
        if self._over or event.kind in self._without:
            return
        if len(self._queue) >= self._limit:
            self._queue.clear()
            event = Event(event.seq, RESET, {}, event.ts)
            self._channel.listeners.discard(self)
        self._queue.append(event)
        self._wake.set()

    def close(self) -> None:
        """Leave. Idempotent."""
        self._over = True
        self._channel.listeners.discard(self)
        self._wake.set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        event = await self.next()
        if event is None:
            raise StopAsyncIteration
        return event


@dataclass(slots=True, eq=False)
class _Channel:
    history: deque[Event]
    forgotten: int
    """Seq of the newest event that is no longer in the history (or the start's)."""
    listeners: set[Subscription] = field(default_factory=set)


class Bus:
    def __init__(self, clock: Clock, limits: BusLimits | None = None) -> None:
        self._clock = clock
        self._limits = limits or BusLimits()
        self._start = clock.wall_ms() * _NUMBERS_PER_MS
        self._seq = self._start
        self._channels: dict[str, _Channel] = {}

    def publish(self, channel: str, kind: str, data: Mapping[str, object]) -> Event:
        """Tell all listeners of `channel`. Never blocks; `data` must not change afterwards."""
        self._seq += 1
        event = Event(self._seq, kind, data, self._clock.wall_ms())
        place = self._place(channel)
        if len(place.history) == self._limits.history:
            place.forgotten = place.history[0].seq
        place.history.append(event)
        for listener in tuple(place.listeners):
            listener.put(event)
        return event

    def last(self, channel: str) -> int:
        """Return the seq to resume behind, for a snapshot taken after this call."""
        place = self._channels.get(channel)
        if place is None:
            return self._start
        return place.history[-1].seq if place.history else place.forgotten

    def subscribe(
        self, channel: str, after: int | None = None, without: frozenset[str] = frozenset()
    ) -> Subscription:
        """Listen to `channel` from now on, or from behind event `after`.

        The first event is `reset` when those behind `after` are not all remembered. Kinds
        in `without` are never given. Raises RateLimited when the channel has too many listeners.
        """
        place = self._place(channel)
        if len(place.listeners) >= self._limits.listeners:
            raise RateLimited("Too many listeners to this channel's events.", 10)
        backlog: list[Event] = []
        if after is not None and not place.forgotten <= after <= self._seq:
            backlog = [Event(self.last(channel), RESET, {}, self._clock.wall_ms())]
        elif after is not None:
            behind = (event for event in place.history if event.seq > after)
            backlog = [event for event in behind if event.kind not in without]
        subscription = Subscription(place, backlog, self._limits.queue, without)
        if not (backlog and backlog[0].kind == RESET):
            place.listeners.add(subscription)
        return subscription

    def listeners(self, channel: str) -> int:
        place = self._channels.get(channel)
        return len(place.listeners) if place else 0

    def forget(self, channel: str) -> None:
        """Drop a removed channel's memory and close its listeners."""
        place = self._channels.pop(channel, None)
        for listener in tuple(place.listeners) if place else ():
            listener.close()

    def close(self) -> None:
        """Close all listeners."""
        for channel in tuple(self._channels):
            self.forget(channel)

    def _place(self, channel: str) -> _Channel:
        if channel not in self._channels:
            history: deque[Event] = deque(maxlen=self._limits.history)
            self._channels[channel] = _Channel(history, self._start)
        return self._channels[channel]
