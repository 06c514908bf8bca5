"""A live side that a test directs: who is on the air, when a scene is drawn, what was asked."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from overlay.scene import Rect, Scene
from server.hls.playlist import DateRange
from server.shop.port import LiveSession, ShownAt

FRAME_MS = 33
RECT = Rect(0.05, 0.7, 0.4, 0.2)


@dataclass
class ScriptedStage:
    """Draws every scene one frame after its instant, at once or when told by `draw`."""

    live: LiveSession | None = None
    now: int | None = None
    prompt: bool = True
    problems: tuple[str, ...] = ()
    """Said of every scene, whose cards are then left out."""
    scenes: list[tuple[int, Scene]] = field(default_factory=list)
    ranges: tuple[DateRange, ...] = ()
    _held: list[tuple[int, Scene, asyncio.Future[ShownAt | None]]] = field(default_factory=list)

    def session(self, channel: str) -> LiveSession | None:
        return self.live

    def media_now(self, channel: str) -> int | None:
        return self.now if self.live else None

    async def show(self, channel: str, scene: Scene, at_ms: int) -> ShownAt | None:
        self.scenes.append((at_ms, scene))
        if self.prompt and at_ms <= (self.now or 0):
            return self._shown(scene, at_ms + FRAME_MS)
        answer: asyncio.Future[ShownAt | None] = asyncio.get_running_loop().create_future()
        # As the port says: what was staged from this instant on is replaced.
        for staged, _, earlier in self._held:
            if staged >= at_ms and not earlier.done():
                earlier.set_result(None)
        self._held.append((at_ms, scene, answer))
        return await answer

    def annotate(self, channel: str, ranges: tuple[DateRange, ...]) -> None:
        self.ranges = ranges

    def draw(self, at_ms: int) -> None:
        """Let all that is held be drawn at `at_ms`."""
        for _, scene, answer in self._held:
            if not answer.done():
                answer.set_result(self._shown(scene, at_ms))
        self._held.clear()

    def _shown(self, scene: Scene, at_ms: int) -> ShownAt:
        if self.problems:
            return ShownAt(at_ms, (), self.problems)
        return ShownAt(at_ms, tuple((card.id, RECT) for card in scene.cards))
