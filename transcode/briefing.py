"""What a new worker must hear first, to go on where the one before it died. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ingest.unit import AudioConfig, StreamInfo, VideoConfig
from overlay.scene import Scene
from transcode.message import Down, Feed, Interrupt, Show
from transcode.schedule import Schedule

Opening = StreamInfo | VideoConfig | AudioConfig


class Briefing:
    """Remembers how things stand: the publisher's openings, its interruption, the scenes."""

    def __init__(self) -> None:
        self._openings: dict[type[Opening], Opening] = {}
        self._interruption: Interrupt | None = None
        self._schedule = Schedule()

    def opening(self, unit: Opening) -> None:
        """Keep what a publisher says of its media; the newest of each kind counts."""
        self._openings[type(unit)] = unit

    def splice(self) -> None:
        """Forget what the publisher said: another one follows."""
        self._openings.clear()

    def interrupt(self, told: Interrupt) -> None:
        """Keep that there is no publisher."""
        self._openings.clear()
        self._interruption = told

    def resume(self) -> None:
        """Note that there is a publisher again."""
        self._interruption = None

    def show(self, scene: Scene, at_ms: int) -> None:
        self._schedule.add(scene, at_ms)

    def drawn(self, scene_id: str) -> None:
        """Forget the scenes before the one that is on screen now."""
        self._schedule.drawn(scene_id)

    def messages(self, arrived_ms: int) -> Iterator[Down]:
        """Give what follows on Open; `arrived_ms` is when the newest unit arrived."""
        if self._interruption is not None:
            yield self._interruption
        for unit in self._openings.values():
            yield Feed(unit, arrived_ms)
        for scene, at_ms in self._schedule.all:
            yield Show(scene, at_ms)
