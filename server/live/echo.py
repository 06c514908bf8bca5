"""What one publisher sends, as it comes, for those who look on without a transcoder. Pure.

Holds the pictures since the last keyframe, so that who comes in between has something to begin
with. Bounded: a keyframe that does not come lets them go.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Protocol

from ingest.unit import AudioConfig, Unit, VideoConfig, VideoUnit

MOST_PICTURES: Final = 600
"""Ten seconds of 60 a second."""
MOST_BYTES: Final = 8 * 1024 * 1024


class Listener(Protocol):
    """Called on the event loop; none of it blocks."""

    def hear(self, unit: Unit) -> None: ...

    def gone(self, reason: str) -> None:
        """The publisher left: nothing comes any more. Called at most once."""
        ...


class Reordered(StrEnum):
    """Whether pictures are sent in another order than they are shown in (B pictures)."""

    UNKNOWN = "unknown"
    NO = "no"
    YES = "yes"


class Echo:
    """One publisher's units. Made when it comes, closed when it goes."""

    def __init__(self) -> None:
        self.video: VideoConfig | None = None
        self.audio: AudioConfig | None = None
        self.reordered = Reordered.UNKNOWN
        self.closed = False
        self._group: list[VideoUnit] = []
        self._bytes = 0
        self._shown = 0
        self._sent = 0
        self._listeners: list[Listener] = []

    @property
    def group(self) -> tuple[VideoUnit, ...]:
        """The newest keyframe and the pictures since, oldest first; empty: wait for one."""
        return tuple(self._group)

    def saw(self, unit: Unit) -> None:
        """Take note of a unit and pass it on."""
        if isinstance(unit, VideoUnit):
            self._picture(unit)
        elif isinstance(unit, VideoConfig):
            self.video = unit
            self._forget()
        elif isinstance(unit, AudioConfig):
            self.audio = unit
        # Mostly nobody looks on, and this is asked for every unit of every publisher.
        if self._listeners:
            for listener in tuple(self._listeners):
                listener.hear(unit)

    def listen(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def leave(self, listener: Listener) -> None:
        """Tell `listener` no more. Idempotent."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def close(self, reason: str) -> None:
        """Tell all that it is over. Idempotent."""
        self.closed = True
        self._forget()
        listeners, self._listeners = self._listeners, []
        for listener in listeners:
            listener.gone(reason)

    def _picture(self, unit: VideoUnit) -> None:
        self._compare(unit)
        if unit.keyframe:
            self._forget()
        elif not self._group:
            return
        self._group.append(unit)
        self._bytes += len(unit.data)
        if len(self._group) > MOST_PICTURES or self._bytes > MOST_BYTES:
            self._forget()

    def _compare(self, unit: VideoUnit) -> None:
        """Find a picture that is shown before one sent before it.

        Both stamps going back is a leap of the publisher's clock, not an order.
        """
        if self.reordered is Reordered.UNKNOWN:
            self.reordered = Reordered.NO
        elif unit.pts < self._shown and unit.dts > self._sent:
            self.reordered = Reordered.YES
        leapt = unit.dts <= self._sent
        self._shown = unit.pts if leapt else max(self._shown, unit.pts)
        self._sent = unit.dts

    def _forget(self) -> None:
        self._group.clear()
        self._bytes = 0
