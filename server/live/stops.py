"""Keeps encoders off whose broadcast was stopped, and has pages told of it. asyncio.

For how long, and whom, `server.live.stopped` says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ingest.port import Refusal, Refused
from server.clock import Clock
from server.live.stopped import KeptOff, Stopped
from server.live.tasks import Tasks


class Stops:
    """Those of one server."""

    def __init__(self, clock: Clock, tasks: Tasks, announce: Callable[[str], None]) -> None:
        """`announce` has pages look at a channel's warnings."""
        self._clock = clock
        self._tasks = tasks
        self._announce = announce
        self._stopped = Stopped()
        self._closed = False

    def close(self) -> None:
        """Begin nothing any more. Idempotent."""
        self._closed = True

    def note(self, channel: str, key: str) -> None:
        """Note that a broadcast is stopped; `key` as `Stopped.note` has it."""
        self._stopped.note(channel, key, self._clock.monotonic(), self._clock.wall_ms())

    def judge(self, channel: str, key: str, *, by_hand: bool = False) -> Refused | None:
        """Refuse a key whose broadcast was stopped a moment ago; take note that it came.

        `by_hand`: see `ingest.port.PublishRequest`; such a try makes the wait no longer.
        """
        if by_hand:
            wait = self._stopped.left(channel, key, self._clock.monotonic())
            words = f"The broadcast was ended here a moment ago; go live again in {wait} s."
            return Refused(Refusal.STOPPED, words) if wait else None
        known = self.kept_off(channel) is not None
        wait = self._stopped.wait(channel, key, self._clock.monotonic())
        if not wait:
            return None
        self._announce(channel)
        if not known and not self._closed:
            _ = self._tasks.begin(self._take_back(channel, wait))
        return _refused(wait)

    def since(self, channel: str, key: str) -> Refused | None:
        """Refuse a key whose broadcast was stopped since it was judged."""
        wait = self._stopped.left(channel, key, self._clock.monotonic())
        return _refused(wait) if wait else None

    def kept_off(self, channel: str) -> KeptOff | None:
        """Tell of an encoder of the channel that was refused, and has to be quiet."""
        return self._stopped.kept_off(channel, self._clock.monotonic())

    async def _take_back(self, channel: str, seconds: int) -> None:
        """Have pages look again once nobody is kept off any more."""
        while seconds:
            await asyncio.sleep(seconds)
            kept_off = self.kept_off(channel)
            seconds = kept_off.seconds if kept_off else 0
        self._announce(channel)


def _refused(wait: int) -> Refused:
    words = (
        "The broadcast was ended here. Stop streaming in your encoder; to go on the air again,"
        f" start after {wait} s."
    )
    return Refused(Refusal.STOPPED, words)
