"""The live side as the shop sees it. `server.live` implements it; `OffAir` stands in alone.

Standard library and values only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from overlay.scene import Rect, Scene
from server.hls.playlist import DateRange


@dataclass(frozen=True, slots=True)
class LiveSession:
    id: str
    started_ms: int


@dataclass(frozen=True, slots=True)
class ShownAt:
    """What the worker says of a scene: since when it is in the pixels, and where."""

    at_ms: int
    """PDT of the first frame drawn with it."""
    rects: tuple[tuple[str, Rect], ...] = ()
    """Card id and rectangle."""
    problems: tuple[str, ...] = ()
    """Cards left out, in words for the operator."""


class Stage(Protocol):
    def session(self, channel: str) -> LiveSession | None:
        """Return the running broadcast (its grace window included), None when offline."""
        ...

    def media_now(self, channel: str) -> int | None:
        """Return the PDT, in UTC ms, of the newest frame at ingest; None before the first."""
        ...

    async def show(self, channel: str, scene: Scene, at_ms: int) -> ShownAt | None:
        """Put `scene` on screen from PDT `at_ms` on and wait until it is drawn.

        It replaces what is on screen or staged from `at_ms` on; scenes staged for an earlier
        instant stay. An instant already past means the next frame. Returns None when offline,
        superseded, or not drawn within a limit of the stage's own after `at_ms` (at least
        10 s: the shop stops waiting long before, but a late answer still fixes the start).
        Safe to cancel.
        """
        ...

    def annotate(self, channel: str, ranges: tuple[DateRange, ...]) -> None:
        """Put these ranges, all of the session's, into the playlists in place of those before."""
        ...


class OffAir:
    """A stage on which nobody ever is: for commands that work on the store alone."""

    def session(self, channel: str) -> LiveSession | None:
        return None

    def media_now(self, channel: str) -> int | None:
        return None

    async def show(self, channel: str, scene: Scene, at_ms: int) -> ShownAt | None:
        return None

    def annotate(self, channel: str, ranges: tuple[DateRange, ...]) -> None:
        return None
