"""The one place that knows the order of steps: units in; epochs, parts and reports out.

Runs in the worker only, on one thread; scenes are drawn up on another.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from fractions import Fraction

from av.video.frame import VideoFrame

from ingest.unit import (
    TICKS_PER_SECOND,
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
from transcode.epoch_line import SOUND_ONLY, EpochLine, kind_of
from transcode.epochs import Epochs
from transcode.ladder import SAMPLE_RATE, FrameRateProbe, resolve, sound_only
from transcode.leap import Leap
from transcode.message import Interrupt, Open, Up
from transcode.report import Report
from transcode.slate import Slate
from transcode.stamps import Stamps
from transcode.track_line import ticks_of_samples
from transcode.upright import Upright, turned_shape
from transcode.waiting import Waiting

ARRIVALS = 64
"""Arrival times remembered, more than any decoder reorders."""
SOUND_ALONE = 3.0
"""Seconds of sound without a word of pictures: there are none, go on the air without."""
SOUND_BEFORE_PICTURES = 8.0
"""The same where pictures were announced; they may begin 5 s later, or key pictures be rare."""
USUAL_STEP = TICKS_PER_SECOND // 30
SOUND_STEP = ticks_of_samples(1024, SAMPLE_RATE)


class Pipeline:
    """Turns one publisher's units, and the next one's, into every rendition's parts."""

    def __init__(self, settings: Open, emit: Callable[[Up], None]) -> None:
        """`emit` is called from several threads."""
        self._profile = settings.profile
        self._emit = emit
        self._report = Report()
        self._epochs = Epochs(settings, self._report, emit)
        self._slate: Slate | None = None
        self._begin_publisher()

    def _begin_publisher(self) -> None:
        self._probe = FrameRateProbe(None)
        self._rate_told = False
        """Since the last video configuration."""
        self._video: VideoDecoder | None = None
        self._audio: AudioDecoder | None = None
        self._upright = Upright()
        self._resampler: Resampler | None = None
        self._keyed = False
        self._arrivals: deque[tuple[int, int]] = deque(maxlen=ARRIVALS)
        self._picture_stamps: Stamps[VideoFrame] = Stamps(USUAL_STEP)
        self._sound_stamps: Stamps[Samples] = Stamps(SOUND_STEP)
        self._leap = Leap()
        self._newest = 0
        """Time of the newest picture that found its place."""
        self._waiting = Waiting()

    def feed(self, unit: Unit, arrived_ms: int) -> None:
        """Take one unit that reached the server at `arrived_ms` (UTC). Raises MediaError."""
        began = time.monotonic()
        match unit:
            case VideoUnit():
                self._feed_video(unit, arrived_ms)
            case AudioUnit():
                self._feed_audio(unit, arrived_ms)
            case VideoConfig():
                self._open_video(unit)
            case AudioConfig():
                if self._audio is None or self._audio.config != unit:
                    self._audio = AudioDecoder(unit, self._report.broke)
                    self._report.audio(unit)
            case StreamInfo():
                self._probe = FrameRateProbe(unit.frame_rate)
                self._rate_told = True
        if self._slate is not None:
            self._stand(arrived_ms)
        elif (line := self._epochs.line) is not None:
            line.settle_debts()
        self._report.worked(time.monotonic() - began)
        health = self._report.due(arrived_ms, self._line.depth if self._line else 0)
        if health is not None:
            self._emit(health)

    def splice(self) -> None:
        """Another publisher's units follow, with another clock: end the epoch. Raises MediaError.

        A slate stands on until its pictures come.
        """
        self._drain()
        if self._slate is None:
            self._epochs.close()
        self._begin_publisher()

    def interrupt(self, told: Interrupt) -> None:
        """The publisher is gone: end the epoch. Raises MediaError."""
        self._drain()
        line = self._epochs.line
        sound_alone = line is not None and not line.has_video
        self._epochs.close()
        self._begin_publisher()
        self._slate = Slate(told, self._epochs, sound_alone) if told.slate else None

    def tick(self, now_ms: int) -> None:
        """It is `now_ms` (UTC): a slate that stands is encoded so far. Raises MediaError."""
        if self._slate is not None:
            self._stand(now_ms)

    def show(self, scene: Scene, at_ms: int) -> None:
        """Put `scene` on screen from the first picture at or after `at_ms` on the PDT axis.

        A time that has gone by means the next picture. Shown tells which it was.
        """
        self._epochs.show(scene, at_ms)

    def close(self) -> None:
        """Encode what is held and emit the last parts. Raises MediaError."""
        self._drain()
        self._epochs.end()

    @property
    def _line(self) -> EpochLine | None:
        """The epoch of the publisher's pictures; None while there is none, or only a makeshift."""
        line = self._epochs.line
        return line if line is not None and line.has_video and self._slate is None else None

    def _stand(self, now_ms: int) -> None:
        # Not beyond the arrival of the picture that is to follow.
        if self._slate is not None and not self._waiting.pictures:
            self._slate.until(now_ms)

    def _drain(self) -> None:
        self._flush_video()
        for pts, samples in self._sound_stamps.flush():
            self._sound(pts, samples)
        if self._line is None and self._waiting.pictures:
            self._probe.settle()
            self._open_line()

    def _flush_video(self) -> None:
        if self._video is not None:
            for frame in self._video.flush():
                self._decoded(frame)
        for frame in self._upright.flush():
            self._stamped(frame)
        for pts, frame in self._picture_stamps.flush():
            self._picture(frame, pts)

    def _open_video(self, config: VideoConfig) -> None:
        if self._video is not None:
            if self._video.config == config:
                return
            self._flush_video()
            if not self._rate_told:
                self._probe = FrameRateProbe(None)
        self._rate_told = False
        self._video = VideoDecoder(config, self._report.broke)
        self._upright = Upright(config.rotation)
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
            self._decoded(frame)

    def _decoded(self, frame: VideoFrame) -> None:
        for upright in self._upright.take(frame):
            self._stamped(upright)

    def _stamped(self, frame: VideoFrame) -> None:
        if frame.pts is None:
            return
        for pts, timed in self._picture_stamps.take(frame.pts, frame):
            self._picture(timed, pts)

    def _feed_audio(self, unit: AudioUnit, arrived_ms: int) -> None:
        self._report.saw(unit)
        if self._audio is None:
            return
        for frame in self._audio.decode(unit):
            pts = unit.pts if frame.pts is None else frame.pts
            if self._resampler is None:
                self._resampler = Resampler(SAMPLE_RATE)
            samples = self._resampler.resample(frame)
            for at, timed in self._sound_stamps.take(pts, samples):
                self._sound(at, timed)
        self._do_without_pictures(arrived_ms)

    def _sound(self, pts: int, samples: Samples) -> None:
        line = self._epochs.line if self._slate is None else None
        if self._leap.sound(pts, ticks_of_samples(samples.shape[1], SAMPLE_RATE)):
            line = None
        placed = line.sound(pts, samples) if line is not None else False
        if placed and line is not None and line.has_video:
            self._waiting.drop_sound()
            return
        # For the epoch that the next picture begins: it is to have this sound again.
        if placed is None:
            self._report.jumps += 1
            self._epochs.close()
            self._waiting.drop_sound()
        self._waiting.sound(pts, samples)

    def _do_without_pictures(self, arrived_ms: int) -> None:
        """Where only sound comes: begin an epoch without pictures, or with the only one."""
        if self._line is not None:
            return
        alone = self._waiting.alone_seconds
        if self._waiting.pictures:
            if alone >= SOUND_ALONE:
                self._probe.settle()
                self._open_line()
            return
        enough = SOUND_ALONE if self._video is None else SOUND_BEFORE_PICTURES
        if alone >= enough and (self._epochs.line is None or self._slate is not None):
            self._open_sound_line(arrived_ms)

    def _picture(self, frame: VideoFrame, pts: int) -> None:
        frame.pts = pts
        self._report.size = (frame.width, frame.height)
        line = self._line
        if line is not None and line.fits(frame, self._pixel_shape):
            if line.picture(frame):
                self._newest = pts
                return
            self._report.jumps += 1
            self._leap.picture(self._newest, pts)
        if line is not None:
            self._epochs.close()
        self._waiting.picture(frame)
        if self._probe.rate is not None:
            self._open_line()

    @property
    def _pixel_shape(self) -> Fraction:
        shape = self._video.pixel_shape if self._video else Fraction(1)
        return turned_shape(shape, self._upright.on_its_side)

    def _open_line(self) -> None:
        rate = self._probe.rate
        if rate is None:
            return
        first = self._waiting.pictures[0]
        origin = first.pts or 0
        kind = kind_of(first, self._pixel_shape)
        ladder = resolve(self._profile, kind.width, kind.height, rate, kind.pixel_shape)
        self._slate = None
        line = self._epochs.open(kind, ladder, origin, self._arrival(origin))
        for frame in self._waiting.take_pictures():
            line.picture(frame)
            self._newest = frame.pts or 0
        for pts, samples in self._waiting.take_sound(origin):
            line.sound(pts, samples)
        self._waiting.begin()

    def _open_sound_line(self, arrived_ms: int) -> None:
        """Begin with the sound that is held."""
        began_ms = arrived_ms - round(self._waiting.sound_seconds * 1000)
        held = self._waiting.take_sound()
        self._slate = None
        line = self._epochs.open(SOUND_ONLY, sound_only(self._profile), held[0][0], began_ms)
        for pts, samples in held:
            line.sound(pts, samples)
            self._waiting.sound(pts, samples)
        self._waiting.begin()

    def _arrival(self, pts: int) -> int:
        """Give when the picture at `pts` reached the server; the newest's arrival if unknown."""
        known = next((ms for at, ms in reversed(self._arrivals) if at == pts), None)
        return self._arrivals[-1][1] if known is None else known
