"""Which pictures of a recording become thumbnails, and how the storyboard names them. Pure.

WebVTT whose cues name pieces of sheets (`storyboard-0.jpg#xywh=160,0,160,90`, Media Fragments 1.0
4.2.2), as players of every make read it. Times are milliseconds of the replay.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from server.record.axis import Axis
from server.record.chapters import Showing, timestamp
from server.record.recording import RecordedSegment, Recording

COLUMNS = 10
ROWS = 10
MOST = 600
"""Thumbnails of one recording: six sheets. Longer shows have them further apart."""
LEAST_APART_MS = 4_000
CARD_MS = 1_000
"""After a card begins, before it is surely whole in the picture."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A segment whose first picture becomes a thumbnail, shown during [start, end)."""

    segment: RecordedSegment
    start_ms: int
    end_ms: int


def smallest(recording: Recording) -> str | None:
    """Return the rendition that thumbnails are made from: the smallest with pictures."""
    names = [name for name in recording.renditions if _has_pictures(recording, name)]
    return names[-1] if names else None


def largest(recording: Recording) -> str | None:
    """Return the rendition that the poster is made from: the largest with pictures."""
    names = [name for name in recording.renditions if _has_pictures(recording, name)]
    return names[0] if names else None


def shots(recording: Recording, rendition: str, axis: Axis) -> tuple[Shot, ...]:
    """Choose the thumbnails: evenly, at most MOST, none of a gap."""
    apart = max(LEAST_APART_MS, -(-axis.end_ms // MOST))
    taken: list[tuple[RecordedSegment, int]] = []
    for segment, begin in zip(recording.renditions[rendition], axis.begins_ms, strict=True):
        due = not taken or begin // apart > taken[-1][1] // apart
        if due and not segment.gap and segment.init is not None:
            taken.append((segment, begin))
    ends = [begin for _, begin in taken[1:]] + [axis.end_ms]
    return tuple(
        Shot(segment, begin, end) for (segment, begin), end in zip(taken, ends, strict=True)
    )


def poster(
    recording: Recording, rendition: str, shown: tuple[Showing, ...]
) -> RecordedSegment | None:
    """Choose the segment whose first picture stands for the show: the first with a card in it.

    Without one, a picture from a third into the show: beginnings are often black.
    """
    there = [s for s in recording.renditions[rendition] if not s.gap and s.init is not None]
    if not there:
        return None
    begins = [segment.pdt_ms for segment in there]
    for one in shown:
        position = bisect_left(begins, one.start_ms + CARD_MS)
        if position < len(there) and (one.end_ms is None or begins[position] < one.end_ms):
            return there[position]
    return there[len(there) // 3]


def storyboard_vtt(taken: tuple[Shot, ...], width: int, height: int) -> str:
    """Name each shot's piece of its sheet; `width` x `height` pixels each."""
    cues = []
    for number, shot in enumerate(taken):
        sheet, place = divmod(number, COLUMNS * ROWS)
        x, y = place % COLUMNS * width, place // COLUMNS * height
        cues.append(
            f"{timestamp(shot.start_ms)} --> {timestamp(shot.end_ms)}\n"
            f"{sheet_name(sheet)}#xywh={x},{y},{width},{height}\n"
        )
    return "\n".join(["WEBVTT\n", *cues])


def sheet_name(number: int) -> str:
    return f"storyboard-{number}.jpg"


def _has_pictures(recording: Recording, name: str) -> bool:
    track = recording.track(name)
    return track is not None and track.width > 0
