"""Broadcasts that were stopped on purpose, and the encoders that will not have it. Pure.

An encoder takes the dropped connection for a lost line and comes back by itself: OBS after 2 s,
then each time after half as long again. Its key begins no broadcast until it has been quiet.
Who presses a button is told how long that is, and cannot make it longer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

QUIET = 15.0
"""Seconds; encoders that come back by themselves do so sooner, the first time."""
MOST = 1800.0
"""Seconds; no encoder pauses for longer than 15 minutes between two tries."""


@dataclass(frozen=True, slots=True)
class KeptOff:
    """An encoder that came back after its broadcast was stopped, and is refused."""

    seconds: int
    """Left to be quiet for."""
    since_ms: int
    """When the broadcast was stopped, UTC ms."""


@dataclass(slots=True)
class _Stop:
    key: str
    at_ms: int
    last: float
    until: float
    refused: bool = False


class Stopped:
    """By channel, the key whose broadcast was stopped last."""

    def __init__(self) -> None:
        self._stops: dict[str, _Stop] = {}

    def note(self, channel: str, key: str, now: float, now_ms: int) -> None:
        """Note that the channel's broadcast was stopped; `now_ms` is UTC, for people.

        `key`: the digest of the key it ran by; "", which is not known, stands for any.
        """
        self._stops = {name: one for name, one in self._stops.items() if now < one.until}
        self._stops[channel] = _Stop(key, now_ms, now, now + QUIET)

    def left(self, channel: str, key: str, now: float) -> int:
        """Return whole seconds that the key has to be quiet for, 0: it may begin."""
        stop = self._stops.get(channel)
        if stop is None or stop.key not in ("", key) or now >= stop.until:
            return 0
        return math.ceil(stop.until - now)

    def wait(self, channel: str, key: str, now: float) -> int:
        """Take note of a try by itself; return what is `left` from now on."""
        if not self.left(channel, key, now):
            return 0
        stop = self._stops[channel]
        # Twice the pause it made, since the next one will be longer.
        pause = min(max(QUIET, 2 * (now - stop.last)), MOST)
        stop.last, stop.until, stop.refused = now, now + pause, True
        return math.ceil(pause)

    def kept_off(self, channel: str, now: float) -> KeptOff | None:
        """Tell of an encoder of the channel that `wait` has told to be quiet."""
        stop = self._stops.get(channel)
        if stop is None or not stop.refused or now >= stop.until:
            return None
        return KeptOff(math.ceil(stop.until - now), stop.at_ms)
