"""A worker's output made by code: epochs and parts that follow each other as its do."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction

from server.hls.window import Window
from transcode.part import Epoch, Part, Track

PART = 30_000
"""Ticks: a third of a second."""
PER_SEGMENT = 6
PDT = 1_767_225_600_000

VIDEO = Track(
    name="720p",
    codecs="avc1.64001f,mp4a.40.2",
    bandwidth=3_000_000,
    width=1280,
    height=720,
    frame_rate=Fraction(30),
    init=b"init-720",
)
SMALL = replace(VIDEO, name="360p", bandwidth=800_000, width=640, height=360, init=b"init-360")
AUDIO = Track(name="audio", codecs="mp4a.40.2", bandwidth=140_000, init=b"init-audio")
TRACKS = (VIDEO, SMALL, AUDIO)


@dataclass
class Show:
    """Drives a window as the live stream does."""

    window: Window
    now_ms: int = 0
    number: int = -1
    pdt_ms: int = PDT
    segment: int = 0
    index: int = 0
    start: int = 0
    tracks: tuple[Track, ...] = TRACKS
    missing: set[str] = field(default_factory=set)
    """Renditions that miss a part of this segment, and so the rest of it."""

    def epoch(self, tracks: tuple[Track, ...] = TRACKS, after_ms: int = 0) -> Epoch:
        """Open an epoch `after_ms` after the end of what was shown."""
        self.pdt_ms += self.start // 90 + after_ms
        self.number += 1
        self.segment = self.index = self.start = 0
        self.missing.clear()
        self.tracks = tracks
        epoch = Epoch(
            number=self.number,
            origin=0,
            pdt_ms=self.pdt_ms,
            part_target=PART + 1920,
            segment_target=PART * PER_SEGMENT,
            tracks=tracks,
        )
        self.window.open_epoch(epoch)
        return epoch

    def made(self, name: str, **changes: object) -> Part:
        """Make the next part of a rendition; its bytes name it."""
        part = Part(
            epoch=self.number,
            rendition=name,
            segment=self.segment,
            index=self.index,
            start=self.start,
            duration=PART,
            independent=self.index == 0,
            last=self.index == PER_SEGMENT - 1,
            data=f"{name}/{self.number}/{self.segment}/{self.index};".encode(),
        )
        return replace(part, **changes)  # type: ignore[arg-type]

    def part(self, *, without: tuple[str, ...] = (), last: bool | None = None) -> None:
        """Publish the next part in every rendition."""
        closes = self.index == PER_SEGMENT - 1 if last is None else last
        self.missing.update(without)
        for track in self.tracks:
            if track.name not in self.missing:
                self.window.add(self.made(track.name, last=closes))
        self.start += PART
        self.now_ms += PART // 90
        self.index += 1
        if closes:
            self.segment += 1
            self.index = 0
            self.missing.clear()

    def parts(self, count: int, *, without: tuple[str, ...] = ()) -> None:
        for _ in range(count):
            self.part(without=without)

    def segments(self, count: int, *, without: tuple[str, ...] = ()) -> None:
        self.parts(count * PER_SEGMENT, without=without)


def on_air(segments: int = 0, *, listed: int = 15, first_msn: int = 0) -> Show:
    """Open a window with one epoch and so many whole segments."""
    show = Show(Window("r1", first_msn=first_msn, segments=listed))
    show.epoch()
    show.segments(segments)
    return show
