"""A pipeline of the worker's, fed at the pace of its units' own clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from ingest.unit import Unit
from tests.helpers.footage import time_of
from transcode.message import Open, Up
from transcode.pipeline import Pipeline
from transcode.profile import Profile, Rung

PROFILE = Profile("test", (Rung(180, 600_000), Rung(90, 200_000)))
START_MS = 1_700_000_000_000


class Run:
    """Collects what the pipeline emits."""

    def __init__(
        self,
        floor_ms: int = 0,
        profile: Profile = PROFILE,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """By the usual `clock` the units are old, so that no machine is too slow for them."""
        self.messages: list[Up] = []
        self._lock = threading.Lock()
        self.pipeline = Pipeline(Open(profile, floor_ms), self._emit, clock)

    def _emit(self, message: Up) -> None:
        with self._lock:
            self.messages.append(message)

    def feed(self, media: Iterable[Unit], start_ms: int = START_MS) -> None:
        """Feed units as they would arrive from a publisher whose clock began at `start_ms`."""
        for unit in media:
            self.pipeline.feed(unit, start_ms + time_of(unit) // 90)

    def arrive(self, media: Iterable[Unit], at_ms: int, every_ms: float) -> None:
        """Feed units one after another, whatever their stamps say."""
        for number, unit in enumerate(media):
            self.pipeline.feed(unit, at_ms + round(number * every_ms))

    def close(self) -> list[Up]:
        self.pipeline.close()
        return self.messages


def transcode(media: Iterable[Unit], profile: Profile = PROFILE) -> list[Up]:
    """Feed all of `media` and close."""
    run = Run(profile=profile)
    run.feed(media)
    return run.close()
