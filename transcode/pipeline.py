"""The one place that knows the order of steps: units in; epochs, parts and reports out.

Runs in the worker only, on one thread; scenes are drawn up on another.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

from av.video.frame import VideoFrame

from ingest.unit import (
    AudioConfig,
    AudioUnit,
    StreamInfo,
    Unit,
    VideoConfig,
    VideoUnit,
)
from overlay.scene import Scene
from transcode.audio import Resampler, Samples
from transcode.decode import AudioDecoder, VideoDecoder
from transcode.epoch_line import EpochLine, kind_of
from transcode.ladder import SAMPLE_RATE, FrameRateProbe, resolve
from transcode.message import Interrupt, Open, Up
from transcode.part import Epoch
from transcode.renditions import Renditions
from transcode.report import Report
from transcode.schedule import Schedule
from transcode.watch import Watch

WAITING_PICTURES = 30
"""Pictures held while the frame rate is being measured."""
WAITING_SOUNDS = 300
"""Sound pieces held until the first picture fixes the origin."""
ARRIVALS = 64
"""Arrival times remembered, more than any decoder reorders."""


class Pipeline:
    """Turns one publisher's units into every rendition's parts."""

    def __init__(self, settings: Open, emit: Callable[[Up], None]) -> None:
        """`emit` is called from several threads."""
        self._profile = settings.profile
        self._emit = emit
        self._probe = FrameRateProbe(None)
        self._video: VideoDecoder | None = None
        self._audio: AudioDecoder | None = None
        self._report = Report()
        self._watch = Watch()
        self._drawing = ThreadPoolExecutor(1, "stage")
        self._schedule = Schedule()
        self._line: EpochLine | None = None
        self._epochs = 0
        self._pdt_floor_ms = settings.pdt_floor_ms
        self._keyed = False
        self._arrivals: deque[tuple[int, int]] = deque(maxlen=ARRIVALS)
        self._pictures: deque[VideoFrame] = deque(maxlen=WAITING_PICTURES)
        self._sounds: deque[tuple[int, Samples]] = deque(maxlen=WAITING_SOUNDS)
        self._resampler: Resampler | None = None

    def feed(self, unit: Unit, arrived_ms: int) -> None:
        """Take one unit that reached the server at `arrived_ms` (UTC). Raises MediaError."""
        began = time.monotonic()
        match unit:
            case VideoUnit():
                self._feed_video(unit, arrived_ms)
            case AudioUnit():
                self._feed_audio(unit)
            case VideoConfig():
                self._open_video(unit)
            case AudioConfig():
                if self._audio is None or self._audio.config != unit:
                    self._audio = AudioDecoder(unit, self._report.broke)
                    self._report.audio(unit)
            case StreamInfo():
                self._probe = FrameRateProbe(unit.frame_rate)
        if self._line is not None:
            self._line.settle_debts()
        self._report.worked(time.monotonic() - began)
        health = self._report.due(arrived_ms, self._line.depth if self._line else 0)
        if health is not None:
            self._emit(self._watch.told(health))

    def splice(self) -> None:
        """Another publisher's units follow, with another clock: end the epoch."""
        self._drain()
        self._close_line()
        self._video = self._audio = self._resampler = None
        self._keyed = False
        self._probe = FrameRateProbe(None)
        self._pictures.clear()
        self._sounds.clear()

    def interrupt(self, told: Interrupt) -> None:
        """The publisher is gone: end the epoch. Raises MediaError."""
        del told
        self.splice()

    def tick(self, now_ms: int) -> None:
        """While interrupted, it is `now_ms`."""
        del now_ms

    def show(self, scene: Scene, at_ms: int) -> None:
        """Put `scene` on screen from the first picture at or after `at_ms` on the PDT axis.

        A time that has gone by means the next picture. Shown tells which it was.
        """
        self._schedule.add(scene, at_ms)
        if self._line is not None:
            self._drawing.submit(self._line.stage, scene, at_ms)

    def close(self) -> None:
        """Encode what is held and emit the last parts. Raises MediaError."""
        self._drain()
        self._close_line()
        self._drawing.shutdown(wait=True)

    def _drain(self) -> None:
        if self._video is not None:
            for frame in self._video.flush():
                self._picture(frame)
        if self._line is None and self._pictures:
            self._probe.settle()
            self._open_line()

    def _open_video(self, config: VideoConfig) -> None:
        if self._video is not None:
            if self._video.config == config:
                return
            for frame in self._video.flush():
                self._picture(frame)
        self._video = VideoDecoder(config, self._report.broke)
        self._keyed = False
        self._report.video(config)

    def _feed_video(self, unit: VideoUnit, arrived_ms: int) -> None:
        self._report.saw(unit)
        if self._video is None or not (self._keyed or unit.keyframe):
            return
        self._keyed = True
        self._arrivals.append((unit.pts, arrived_ms))
        self._probe.observe(unit.dts)
        for frame in self._video.decode(unit):
            self._picture(frame)

    def _feed_audio(self, unit: AudioUnit) -> None:
        self._report.saw(unit)
        if self._audio is None:
            return
        for frame in self._audio.decode(unit):
            pts = unit.pts if frame.pts is None else frame.pts
            if self._resampler is None:
                self._resampler = Resampler(SAMPLE_RATE)
            samples = self._resampler.resample(frame)
            self._watch.sound(samples)
            if self._line is None:
                self._sounds.append((pts, samples))
            else:
                self._line.sound(pts, samples)

    def _picture(self, frame: VideoFrame) -> None:
        if frame.pts is None:
            return
        self._report.size = (frame.width, frame.height)
        self._watch.picture(frame)
        line = self._line
        if line is not None and not line.fits(frame):
            self._close_line()
            line = None
        if line is None:
            self._pictures.append(frame)
            if self._probe.rate is not None:
                self._open_line()
        elif line.picture(frame):
            return
        else:
            self._report.jumps += 1
            self._close_line()
            self._pictures.append(frame)
            self._open_line()

    def _open_line(self) -> None:
        rate = self._probe.rate
        if rate is None:
            return
        first = self._pictures[0]
        origin = first.pts or 0
        arrived = next((ms for pts, ms in reversed(self._arrivals) if pts == origin), None)
        if arrived is None:
            arrived = self._arrivals[-1][1]
        kind = kind_of(first)
        shape = self._video.pixel_shape if self._video else Fraction(1)
        ladder = resolve(self._profile, first.width, first.height, rate, shape)
        renditions = Renditions(self._epochs, self._profile, ladder, kind[2], self._emit)
        epoch = Epoch(
            number=self._epochs,
            origin=origin,
            pdt_ms=max(arrived, self._pdt_floor_ms),
            part_target=ladder.part_target,
            segment_target=ladder.segment_target,
            tracks=renditions.tracks,
        )
        self._epochs += 1
        self._report.nominal = ladder.frame_rate
        self._emit(epoch)
        line = self._line = EpochLine(epoch, kind, renditions, self._report, self._emit)
        for scene, at_ms in self._schedule.since(epoch.pdt_ms):
            line.stage(scene, at_ms)
        while self._pictures:
            line.picture(self._pictures.popleft())
        while self._sounds:
            line.sound(*self._sounds.popleft())

    def _close_line(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()
            self._pdt_floor_ms = line.pdt_end_ms
