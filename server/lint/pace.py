"""When parts and segments came: cadence, and dates against the clock. Pure; time is an argument."""

from __future__ import annotations

import math
from collections import deque
from fractions import Fraction
from itertools import pairwise

from server.lint.notes import Notes
from server.lint.reader import ReadPlaylist

SLACK = 0.25
"""Seconds that the way from the server may differ by."""
MOST_LATE = 0.05
"""The share of parts that may be late by less than what players hold back."""
LEAST_WATCHED = 60.0
"""Seconds before drift can be told from jitter."""
FRAME = 1 / 24
QUARTERS = 4


class Pace:
    """One rendition's cadence. Only answers to blocking reloads tell when a part came."""

    def __init__(self, name: str, notes: Notes) -> None:
        self._name = name
        self._notes = notes
        self._part_at: float | None = None
        self._segment_at: float | None = None
        self._seen_at = 0.0
        self._overdue = 0.0
        """For how long no segment had come when the playlist was seen last, if that is too long."""
        self._newest: tuple[int, int] | None = None
        self._broken_off = False
        self._parts = 0
        self._late = 0
        self._began: float | None = None
        self._lags: deque[tuple[float, float]] = deque(maxlen=100_000)

    def take(self, playlist: ReadPlaylist, at: float, wall: float, *, blocked: bool) -> None:
        """Note a playlist that came `at` (monotonic seconds), when the clock showed `wall`."""
        before, self._newest = self._newest, playlist.newest
        seen_at, self._seen_at = self._seen_at, at
        broken_off, self._broken_off = self._broken_off, _is_broken_off(playlist, before)
        self._overdue = self._lacks(playlist, at, before)
        if playlist.ended or (before is not None and playlist.newest <= before):
            return
        if self._began is None:
            self._began = at
        if before is not None and blocked and not (broken_off or self._broken_off):
            self._part(playlist, at)
            self._lag(playlist, at, wall)
        self._part_at = at
        if before is None or playlist.newest[0] > before[0]:
            if before is not None and self._segment_at is not None:
                # Who only looks now and then knows no more than that it was not there before.
                waited = (at if blocked else seen_at) - self._segment_at
                # Who waits for a part is not woken by a short segment's end.
                late = playlist.target_duration if self._broken_off else 0
                most = 1.5 * playlist.target_duration + late + 2 * SLACK
                what = f"no segment for {waited:.1f} s"
                self._notes.check(3, "segments", waited <= most, what, self._where(playlist))
            self._segment_at = at

    def close(self) -> None:
        """Judge the whole watch."""
        if self._overdue and self._newest is not None:
            msn, parts = self._newest
            what = f"no new segment for {self._overdue:.1f} s, up to the end of the watch"
            self._notes.check(3, "segments", False, what, f"{self._name}, before {msn}.{parts}")
        if self._parts:
            share = self._late / self._parts
            what = f"{self._late} of {self._parts} parts came late"
            self._notes.check(3, "renditions", share <= MOST_LATE, what, self._name)
        self._drift()

    def _lacks(self, playlist: ReadPlaylist, at: float, before: tuple[int, int] | None) -> float:
        """Tell for how long no segment has come, if that is over 1.5 target durations; else 0."""
        came = before is None or playlist.newest[0] > before[0]
        if came or playlist.ended or self._segment_at is None:
            return 0.0
        # As below: a segment that was broken off, and the gap behind it, may come as one.
        late = playlist.target_duration if playlist.has_part_target else 0
        waited = at - self._segment_at
        return waited if waited > 1.5 * playlist.target_duration + late + 2 * SLACK else 0.0

    def _part(self, playlist: ReadPlaylist, at: float) -> None:
        if self._part_at is None or not playlist.has_part_target:
            return
        target = float(playlist.part_target)
        waited = at - self._part_at
        self._parts += 1
        self._late += waited > target + max(target, SLACK)
        what = f"no part for {waited:.2f} s"
        held_back = 3 * target + SLACK
        self._notes.check(3, "parts", waited <= held_back, what, self._where(playlist))

    def _lag(self, playlist: ReadPlaylist, at: float, wall: float) -> None:
        last = playlist.all_segments[-1] if playlist.all_segments else None
        if last is None or last.pdt_ms is None:
            return
        long = last.duration or sum((part.duration for part in last.parts), Fraction(0))
        self._lags.append((at, wall - last.pdt_ms / 1000 - float(long)))

    def _drift(self) -> None:
        """Compare how far dates are behind the clock in each quarter of the watch.

        The least of a quarter tells, most of the jitter aside. An encoder that falls behind, or
        catches up, changes it once; a clock that is wrong does so in every quarter alike.
        """
        if not self._lags or self._lags[-1][0] - self._lags[0][0] < LEAST_WATCHED:
            return
        begin, end = self._lags[0][0], self._lags[-1][0]
        quarter = (end - begin) / QUARTERS
        least = [math.inf] * QUARTERS
        for at, lag in self._lags:
            place = min(int((at - begin) / quarter), QUARTERS - 1)
            least[place] = min(least[place], lag)
        steps = [later - earlier for earlier, later in pairwise(least)]
        minutes = quarter * len(steps) / 60
        total = sum(steps)
        steady = all(step * total > 0 and abs(step) >= abs(total) / 6 for step in steps)
        good = not steady or abs(total) <= FRAME * max(1.0, minutes) + SLACK / 5
        what = f"dates drift against the clock by {total / minutes * 1000:.0f} ms a minute"
        self._notes.check(12, "watches against the clock", good, what, self._name)

    def _where(self, playlist: ReadPlaylist) -> str:
        msn, parts = playlist.newest
        return f"{self._name}, before {msn}.{parts}"


def _is_broken_off(playlist: ReadPlaylist, before: tuple[int, int] | None) -> bool:
    """Tell whether what is new are gaps, or media after a hole."""
    first = before[0] if before is not None else playlist.newest[0]
    new = [segment for segment in playlist.all_segments if segment.msn >= first]
    return any(segment.gap or segment.discontinuity for segment in new)
