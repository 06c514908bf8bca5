"""Scenes on their way to the screen, and who waits to hear of them. asyncio."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from overlay.scene import Scene
from server.clock import Clock
from server.shop.port import ShownAt

PATIENCE_SECONDS = 10.0
"""How long after its instant a scene may take to be drawn before nobody waits any more."""


class Showings:
    """The scenes of one broadcast that have not been reported."""

    def __init__(self, clock: Clock, held_up: Callable[[], bool]) -> None:
        """`held_up` tells that nothing can be drawn for now, and waiting goes on."""
        self._clock = clock
        self._held_up = held_up
        self._waiting: dict[str, tuple[int, asyncio.Future[ShownAt | None]]] = {}

    async def wait(self, scene: Scene, at_ms: int, stage: Callable[[], None]) -> ShownAt | None:
        """Have `scene` staged for `at_ms` (PDT) and wait until it is drawn; None: never.

        Those that waited for the same instant or a later one are superseded.
        """
        for superseded, (at, future) in list(self._waiting.items()):
            if at >= at_ms:
                del self._waiting[superseded]
                _settle(future, None)
        future = asyncio.get_running_loop().create_future()
        self._waiting[scene.id] = (at_ms, future)
        stage()
        try:
            while True:
                ahead = max(0, at_ms - self._clock.wall_ms()) / 1000
                with contextlib.suppress(TimeoutError):
                    return await asyncio.wait_for(asyncio.shield(future), ahead + PATIENCE_SECONDS)
                if not self._held_up():
                    return None
        finally:
            self._waiting.pop(scene.id, None)

    def shown(self, scene_id: str, shown: ShownAt) -> None:
        """Tell who waits for a scene that it is on screen."""
        waiting = self._waiting.get(scene_id)
        if waiting is not None:
            _settle(waiting[1], shown)

    def give_up(self) -> None:
        """Tell everybody that nothing will be drawn any more."""
        for _, future in self._waiting.values():
            _settle(future, None)


def _settle(future: asyncio.Future[ShownAt | None], shown: ShownAt | None) -> None:
    if not future.done():
        future.set_result(shown)
