"""How a publisher's units arrive, second by second: bytes, pictures, and how late.

Pure; time is an argument. Called for every unit, so it only adds and compares.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from ingest.unit import TICKS_PER_MS

SECONDS = 60
"""Remembered."""
MEAN_SECONDS = 4
"""The bit rate is a mean over so many whole seconds."""
BURST_SECONDS = 10
NOW_SECONDS = 2
LEAP_MS = 8_000
"""Lateness that changes by so much at once is a clock that was set, not a slow line."""


@dataclass(slots=True)
class Second:
    """What arrived within one second."""

    at: int
    """UTC seconds."""
    bytes: int = 0
    pictures: int = 0
    earliest: int | None = None
    latest: int | None = None
    """Least and greatest lag: arrival on our clock minus stamp on the publisher's, in ms."""


class Arrival:
    """The last minute of one publisher."""

    def __init__(self) -> None:
        self._seconds: deque[Second] = deque(maxlen=SECONDS + 1)
        self._now = Second(-1)
        self._lag: int | None = None

    def saw(self, size: int, now_ms: int) -> None:
        """Count `size` bytes that arrived at `now_ms`."""
        at = now_ms // 1_000
        if at != self._now.at:
            self._now = Second(at)
            self._seconds.append(self._now)
        self._now.bytes += size

    def picture(self, size: int, dts: int, now_ms: int) -> None:
        """Count a picture; `dts` in ticks of the publisher's clock."""
        self.saw(size, now_ms)
        second, lag = self._now, now_ms - dts // TICKS_PER_MS
        if self._lag is not None and not -LEAP_MS < lag - self._lag < LEAP_MS:
            self._forget_lags()
        self._lag = lag
        second.pictures += 1
        if second.earliest is None or lag < second.earliest:
            second.earliest = lag
        if second.latest is None or lag > second.latest:
            second.latest = lag

    def bitrate(self, now_ms: int) -> int:
        """Give the mean bit/s of the last whole seconds; of the first one while it lasts."""
        now = now_ms // 1_000
        if not self._seconds:
            return 0
        since = max(now - MEAN_SECONDS, self._seconds[0].at)
        if since == now:
            return self._now.bytes * 8
        whole = sum(second.bytes for second in self._seconds if since <= second.at < now)
        return whole * 8 // (now - since)

    def late_ms(self, now_ms: int) -> int:
        """Give how much later the newest pictures came than the quickest of the last minute."""
        return self._spread(now_ms, NOW_SECONDS, SECONDS)

    def burst_ms(self, now_ms: int) -> int:
        """Give how far apart the quickest and the slowest of the last ten seconds came."""
        return self._spread(now_ms, BURST_SECONDS, BURST_SECONDS)

    def history(self, now_ms: int) -> tuple[list[int], list[int]]:
        """Give bit/s and pictures of each whole second of the last minute, oldest first.

        Seconds before the first unit are left out; those without any are zeros.
        """
        now = now_ms // 1_000
        if not self._seconds:
            return [], []
        known = {second.at: second for second in self._seconds}
        first = max(now - SECONDS, self._seconds[0].at)
        seconds = [known.get(at, Second(at)) for at in range(first, now)]
        return [second.bytes * 8 for second in seconds], [second.pictures for second in seconds]

    def _spread(self, now_ms: int, slow: int, quick: int) -> int:
        now = now_ms // 1_000
        latest = [s.latest for s in self._seconds if s.at > now - slow and s.latest is not None]
        earliest = [
            s.earliest for s in self._seconds if s.at > now - quick and s.earliest is not None
        ]
        return max(latest) - min(earliest) if latest and earliest else 0

    def _forget_lags(self) -> None:
        for second in self._seconds:
            second.earliest = second.latest = None
