"""Epochs follow one another: their numbers, where each may begin, the scenes that go on.

Runs in the worker only; scenes are drawn up in a thread of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from typing import NamedTuple

from av.video.frame import VideoFrame

from overlay.scene import Scene
from transcode.epoch_line import EpochLine, Kind
from transcode.ladder import Ladder, Profile
from transcode.message import Open, Up
from transcode.part import Epoch
from transcode.renditions import Renditions
from transcode.report import Report
from transcode.schedule import Schedule


class Still(NamedTuple):
    """The last picture of an epoch, and how it was shown."""

    frame: VideoFrame
    kind: Kind
    ladder: Ladder


class Epochs:
    """Opens one epoch after another; at most one is open."""

    def __init__(self, settings: Open, report: Report, emit: Callable[[Up], None]) -> None:
        self.profile: Profile = settings.profile
        self.line: EpochLine | None = None
        """The open epoch."""
        self.still: Still | None = None
        """What was seen last of a publisher; None before its first picture."""
        self.floor_ms = settings.pdt_floor_ms
        """UTC milliseconds; the next epoch may not begin before."""
        self._report = report
        self._emit = emit
        self._count = 0
        self._schedule = Schedule()
        self._drawing = ThreadPoolExecutor(1, "stage")

    def open(
        self, kind: Kind, ladder: Ladder, origin: int, at_ms: int, *, slate: bool = False
    ) -> EpochLine:
        """End the epoch before; begin one at `at_ms`, or where the one before ends if later.

        `origin` is the publisher's time of its tick 0. Raises MediaError.
        """
        self.close()
        renditions = Renditions(self._count, self.profile, ladder, kind.color, self._emit)
        epoch = Epoch(
            number=self._count,
            origin=origin,
            pdt_ms=max(at_ms, self.floor_ms),
            part_target=ladder.part_target,
            segment_target=ladder.segment_target,
            tracks=renditions.tracks,
            slate=slate,
        )
        self._count += 1
        self._report.nominal = ladder.frame_rate if ladder.renditions else Fraction(0)
        self._emit(epoch)
        line = self.line = EpochLine(epoch, kind, renditions, self._report, self._emit)
        for scene, at in self._schedule.since(epoch.pdt_ms):
            line.stage(scene, at)
        return line

    def close(self) -> None:
        """Encode what the open epoch holds and emit its last parts. Raises MediaError."""
        line, self.line = self.line, None
        if line is None:
            return
        line.close()
        self.floor_ms = line.pdt_end_ms
        if line.last is not None:
            self.still = Still(line.last, line.kind, line.ladder)

    def show(self, scene: Scene, at_ms: int) -> None:
        """Put `scene` on screen from `at_ms` on the PDT axis, in this epoch and later ones."""
        self._schedule.add(scene, at_ms)
        if self.line is not None:
            self._drawing.submit(self.line.stage, scene, at_ms)

    def end(self) -> None:
        """Close the open epoch; none follows. Raises MediaError."""
        self.close()
        self._drawing.shutdown(wait=True)
