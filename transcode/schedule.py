"""Which scenes are to come: kept to be staged again after a restart or in a new epoch.

Pure. Instants are UTC milliseconds on the PDT axis.
"""

from __future__ import annotations

from overlay.scene import Scene

MOST_SCENES = 64
"""Scenes remembered; the oldest are forgotten first, having been drawn long ago."""


class Schedule:
    """Scenes in the order of their instants."""

    def __init__(self) -> None:
        self._scenes: list[tuple[Scene, int]] = []

    def add(self, scene: Scene, at_ms: int) -> None:
        """Enter a scene; it replaces those for the same instant and later."""
        kept = [entry for entry in self._scenes if entry[1] < at_ms]
        self._scenes = [*kept, (scene, at_ms)][-MOST_SCENES:]

    def drawn(self, scene_id: str) -> None:
        """Forget the scenes before the one that is on screen now."""
        for index, (scene, _) in enumerate(self._scenes):
            if scene.id == scene_id:
                self._scenes = self._scenes[index:]
                return

    def since(self, ms: int) -> tuple[tuple[Scene, int], ...]:
        """Give the scene on screen at `ms` and those after it."""
        past = [index for index, (_, at) in enumerate(self._scenes) if at <= ms]
        return tuple(self._scenes[past[-1] if past else 0 :])

    @property
    def all(self) -> tuple[tuple[Scene, int], ...]:
        return tuple(self._scenes)
