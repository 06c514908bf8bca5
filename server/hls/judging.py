"""What a window takes from its worker, and what it refuses. Pure: values only."""

from __future__ import annotations

from collections.abc import Iterable

from server.hls.errors import TargetGrown, WindowError
from server.hls.rendition import Rendition
from server.hls.targets import Targets
from transcode.part import Epoch, Part

OVERLAP_MS = 1000
"""A new epoch may overlap the last segment by less (6.2.1)."""


def judge_epoch(epoch: Epoch, targets: Targets | None) -> None:
    """Judge an epoch by itself and by the targets that were announced. Raises WindowError."""
    names = [track.name for track in epoch.tracks]
    if not names or len(set(names)) < len(names):
        raise WindowError("an epoch needs tracks, each name once")
    if epoch.part_target <= 0 or epoch.segment_target <= 0:
        raise WindowError("targets must be above zero")
    if targets is not None and not targets.hold(epoch):
        raise TargetGrown(f"epoch {epoch.number} needs longer targets than were announced")


def judge_start(epoch: Epoch, latest_pdt_ms: int, renditions: Iterable[Rendition]) -> None:
    """Judge whether an epoch begins behind what is listed. Raises WindowError."""
    starts = [
        segment.pdt_ms
        for rendition in renditions
        for segment in (rendition.growing, *list(rendition.segments)[-1:])
        if segment is not None
    ]
    if epoch.pdt_ms <= max([latest_pdt_ms - OVERLAP_MS, *starts]):
        raise WindowError(f"epoch {epoch.number} would begin before the last segment")


def judge_part(part: Part) -> None:
    """Judge a part's own numbers. Raises WindowError."""
    if part.duration <= 0 or part.start < 0 or part.segment < 0 or part.index < 0:
        raise WindowError(f"{part.rendition}: part with a time or number below zero")
