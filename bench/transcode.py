"""CPU of the ladder with a card: a worker process against ffmpeg doing the same.

Both turn one clip (1080p30) into 720p, 480p and 360p with the same x264 settings, in turn,
several rounds. Run from the repository's root: python -m bench.transcode
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

import av

from bench import clip, quality
from bench.card import Sticker, scene, stickers
from bench.clip import Content
from bench.reference import Kind, command
from bench.report import BenchError, Bound, Effort, Goal, Row, alone, median, note
from bench.spent import Spent, run
from bench.workload import WORKER, work
from transcode.ladder import DEFAULT, Ladder, resolve
from transcode.process import environment
from transcode.renditions import MIN_SHRINK

GOAL = Goal(Bound.AT_MOST, 1.0)
SAME_PSNR = Goal(Bound.AT_LEAST, -0.5)
"""Worse than that is another, cheaper job."""
DEADLINE = 900.0


def measure(effort: Effort) -> list[Row]:
    """Compare CPU and wall time. Raises BenchError when the sides did not do the same."""
    note(_versions())
    rows: list[Row] = []
    for content in Content:
        with tempfile.TemporaryDirectory(prefix="vitrine-bench-") as name:
            rows += _Contest(content, effort, Path(name)).rows()
    return rows


class _Contest:
    """One clip, transcoded by everybody in turn."""

    def __init__(self, content: Content, effort: Effort, folder: Path) -> None:
        self._content = content
        self._effort = effort
        self._folder = folder
        note(f"making {effort.clip_seconds} s of {content.value}")
        self._clip = clip.make(content, effort.clip_seconds, folder)
        self._ladder = resolve(DEFAULT, clip.WIDTH, clip.HEIGHT, Fraction(clip.FRAME_RATE))
        self._stickers: dict[str, Sticker] = {
            rendition.name: stickers(rendition, folder)[0] for rendition in self._ladder.renditions
        }
        self._pipe: list[float] = []

    def rows(self) -> list[Row]:
        cpu: dict[Kind, list[float]] = defaultdict(list)
        wall: list[float] = []
        for number in range(self._effort.rounds):
            ours = self._ours()
            told = [f"worker {ours.cpu:.2f} s CPU"]
            for kind in Kind:
                theirs = self._theirs(kind)
                cpu[kind].append(ours.cpu / theirs.cpu)
                told.append(f"{kind.value} {theirs.cpu:.2f} s ({ours.cpu / theirs.cpu:.3f})")
                if kind is Kind.DEFAULT:
                    wall.append(ours.wall / theirs.wall)
            note(f"round {number + 1}: " + "; ".join(told))
        likeness = self._compare()
        note(f"of the worker's CPU, this end of the pipe took {median(self._pipe):.2f} s")
        what = f"{self._effort.clip_seconds} s of {self._content.value}"
        rows = [
            Row(
                f"transcode CPU, {self._content.name.lower()}",
                median(ratios), "x", f"{kind.value}; {what}",
                GOAL if kind is Kind.SAME else None,
            )
            for kind, ratios in cpu.items()
        ]  # fmt: skip
        name = f"transcode wall time, {self._content.name.lower()}"
        rows.append(Row(name, median(wall), "x", f"{Kind.DEFAULT.value}; {what}"))
        name = f"transcode PSNR, {self._content.name.lower()}"
        against = f"ours less {Kind.SAME.value}; worst rung, to the source scaled bicubic"
        return [*rows, Row(name, likeness, "dB", against, SAME_PSNR)]

    def _ours(self) -> Spent:
        folder = self._room("worker")
        done = work(self._clip, DEFAULT, scene(), folder)
        if len(done.shown) != 1 or done.shown[0].problems:
            raise BenchError(f"the card was not drawn: {done.shown}")
        done.write(folder)
        self._pipe.append(done.pipe_cpu)
        return Spent(done.cpu, done.spent.wall)

    def _theirs(self, kind: Kind) -> Spent:
        line = command(
            kind, self._clip, DEFAULT, self._ladder, self._stickers, parents(self._ladder)
        )
        return run(line, folder=self._room(kind.name), deadline=DEADLINE)

    def _compare(self) -> float:
        """See that everybody made the same of the clip; give by how many dB ours is better.

        The last round's files stand for all.
        """
        ours = quality.judge(self._clip, self._folder / "worker", self._ladder)
        for name, found in ours.items():
            note(f"{name} worker: {found.frames} frames, {found}")
        wrong: list[str] = []
        likeness = 0.0
        for kind in Kind:
            theirs = quality.judge(self._clip, self._folder / kind.name, self._ladder)
            for name, found in theirs.items():
                note(f"{name} {kind.value}: {found.frames} frames, {found}")
            wrong += quality.compare(ours, theirs, kind.value)
            if kind is Kind.SAME:
                likeness = quality.behind(ours, theirs)
        if wrong:
            raise BenchError("; ".join(wrong))
        return likeness

    def _room(self, name: str) -> Path:
        folder = self._folder / name
        folder.mkdir(exist_ok=True)
        return folder


def parents(ladder: Ladder) -> dict[str, str | None]:
    """Tell by rendition which one a worker scales it from; None: from the source."""
    found: dict[str, str | None] = {}
    for index, rendition in enumerate(ladder.renditions):
        larger = [
            above.name
            for above in ladder.renditions[:index]
            if above.height >= rendition.height * MIN_SHRINK
        ]
        found[rendition.name] = larger[-1] if larger else None
    return found


def _versions() -> str:
    told = subprocess.run(["ffmpeg", "-version"], capture_output=True, text=True, check=True)
    theirs = told.stdout.split()[2]
    ours = f"PyAV {av.__version__}, FFmpeg {av.ffmpeg_version_info}"
    with tempfile.TemporaryDirectory(prefix="vitrine-bench-") as name:
        starts = [sys.executable, "-m", WORKER]
        start = run(starts, folder=Path(name), deadline=DEADLINE, env=_environment())
    return (
        f"reference: ffmpeg {theirs}; worker: {ours}; its start, once a broadcast and in every "
        f"figure here, costs {start.cpu:.2f} s CPU"
    )


def _environment() -> dict[str, str]:
    """Let the worker's modules be found from another folder."""
    return {**environment(), "PYTHONPATH": str(Path.cwd())}


if __name__ == "__main__":
    alone(measure)
