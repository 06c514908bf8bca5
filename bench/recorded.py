"""A ladder's parts as the real worker made them, kept in a file to be published again and again.

Transcoding takes both cores of a small machine; who wants to measure the origin beside it records
first. Standard library, and what `bench.workload` imports.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bench import clip
from bench.clip import Content
from bench.workload import work
from transcode import wire
from transcode.ladder import DEFAULT
from transcode.part import Epoch, Part

SECONDS = 8
VARIABLE = "BENCH_RECORDED"
"""Names the file to whoever publishes it."""


def record(folder: Path) -> Path:
    """Have a worker encode the default ladder; give the file. Raises BenchError."""
    made = work(clip.make(Content.NATURAL, SECONDS, folder), DEFAULT, None, folder)
    file = folder / "recorded"
    told: list[Epoch | Part] = [made.epoch, *made.parts]
    file.write_bytes(b"".join(wire.encode(each) for each in told))
    return file


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was recorded: of each rendition, whole segments only, equally many of each."""

    epoch: Epoch
    parts: tuple[Part, ...]
    """In order of their ends."""
    segments: int
    ticks: int
    """Of all of it."""

    @classmethod
    def read(cls) -> Recorded:
        """Read the file that the environment names."""
        messages = wire.Decoder().feed(Path(os.environ[VARIABLE]).read_bytes())
        (epoch,) = [each for each in messages if isinstance(each, Epoch)]
        found: dict[str, list[Part]] = defaultdict(list)
        for each in messages:
            if isinstance(each, Part):
                found[each.rendition].append(each)
        # The last segment is as long as the clip left it.
        whole = min(parts[-1].segment for parts in found.values())
        kept = [part for parts in found.values() for part in parts if part.segment < whole]
        kept.sort(key=lambda part: part.start + part.duration)
        return cls(epoch, tuple(kept), whole, max(part.start + part.duration for part in kept))

    def endless(self) -> Iterator[Part]:
        """Give the parts round after round, in time that goes on.

        Only the numbers do: the times within the boxes are those of the first round.
        """
        turn = 0
        while True:
            for part in self.parts:
                yield replace(
                    part,
                    segment=part.segment + turn * self.segments,
                    start=part.start + turn * self.ticks,
                )
            turn += 1
