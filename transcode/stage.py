"""Scenes wait here, drawn up beforehand, for the picture they begin with.

Runs in the worker only.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from overlay.compositor import Compositor, PreparedScene
from overlay.scene import Scene


@dataclass(frozen=True, slots=True)
class Cue:
    """A scene ready for every rendition, and the tick it was asked for."""

    at: int
    scene: Scene
    prepared: tuple[PreparedScene, ...]
    """One for each compositor, in their order."""


class Stage:
    """Prepares scenes off the frame path and hands them out when they are due."""

    def __init__(self, compositors: Sequence[Compositor]) -> None:
        self._compositors = tuple(compositors)
        self._pending: list[Cue] = []
        self._lock = threading.Lock()

    def add(self, scene: Scene, at: int) -> None:
        """Draw `scene` at every size (slow) and queue it for the first picture at or after `at`.

        Not for the frame thread. It replaces the scenes queued for `at` and later.
        """
        prepared = tuple(compositor.prepare(scene) for compositor in self._compositors)
        with self._lock:
            kept = [cue for cue in self._pending if cue.at < at]
            self._pending = [*kept, Cue(at, scene, prepared)]

    def due(self, tick: int) -> list[Cue]:
        """Take the scenes whose time has come with the picture at `tick`, oldest first."""
        if not self._pending or self._pending[0].at > tick:
            return []
        with self._lock:
            count = sum(1 for cue in self._pending if cue.at <= tick)
            due, self._pending = self._pending[:count], self._pending[count:]
        return due
