"""The one place that knows the order of steps: units in; epochs, parts and reports out.

Runs in the worker only, on one thread; scenes are drawn up on another.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from av.video.frame import VideoFrame

from ingest.unit import TICKS_PER_MS, AudioUnit, Unit, VideoUnit
from overlay.scene import Scene
from transcode.audio import Samples
from transcode.epoch_line import SOUND_ONLY, EpochLine, kind_of
from transcode.epochs import Epochs
from transcode.ladder import SAMPLE_RATE, resolve, sound_only
from transcode.lateness import Lateness
from transcode.leap import Leap
from transcode.message import Interrupt, Open, Up
from transcode.report import Report
from transcode.slate import Slate
from transcode.source import Source
from transcode.track_line import ticks_of_samples
from transcode.waiting import Waiting
from transcode.watch import Watch

SOUND_ALONE = 3.0
"""Seconds of sound without a word of pictures: there are none, go on the air without."""
SOUND_BEFORE_PICTURES = 8.0
"""The same where pictures were announced; they may begin 5 s later, or key pictures be rare."""


class Pipeline:
    """Turns one publisher's units, and the next one's, into every rendition's parts."""

    def __init__(
        self,
        settings: Open,
        emit: Callable[[Up], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`emit` is called from several threads; `clock` gives UTC seconds."""
        self._clock = clock
        self._lateness = Lateness()
        self._profile = settings.profile
        self._emit = emit
        self._report = Report()
        self._epochs = Epochs(settings, self._report, emit)
        self._slate: Slate | None = None
        self._begin_publisher()

    def _begin_publisher(self) -> None:
        self._report.restart()
        self._watch = Watch()
        self._source = Source(self._report, self._picture, self._sound)
        self._waiting = Waiting()
        self._leap = Leap()
        self._newest = 0
        """Publisher's time of the newest picture that found its place."""

    def feed(self, unit: Unit, arrived_ms: int) -> None:
        """Take one unit that reached the server at `arrived_ms` (UTC). Raises MediaError."""
        began = time.monotonic()
        if isinstance(unit, VideoUnit):
            self._keep_up(unit, arrived_ms)
        self._source.feed(unit, arrived_ms)
        if isinstance(unit, AudioUnit):
            self._do_without_pictures(arrived_ms)
        if self._slate is not None:
            self._stand(arrived_ms)
        elif (line := self._epochs.line) is not None:
            line.settle_debts()
        self._report.worked(time.monotonic() - began)
        health = self._report.due(arrived_ms, self._line.depth if self._line else 0)
        if health is not None:
            self._emit(self._watch.told(health))

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

    def _keep_up(self, unit: VideoUnit, arrived_ms: int) -> None:
        """Where the encoders cannot keep up: leave out the time up to what arrives now."""
        line = self._line
        was = self._lateness.lost
        now_ms = round(self._clock() * 1000)
        depth = line.depth if line is not None else 0
        self._lateness.saw(arrived_ms, unit.dts // TICKS_PER_MS, now_ms, depth)
        if self._lateness.lost and not was:
            self._epochs.close()
            self._source.rejoin()
            self._waiting = Waiting()
        self._source.idle = self._lateness.lost

    def _drain(self) -> None:
        self._source.flush()
        if self._line is None and self._waiting.pictures:
            self._source.probe.settle()
            self._open_line()

    def _picture(self, frame: VideoFrame, pts: int) -> None:
        self._report.size = (frame.width, frame.height)
        self._watch.picture(frame)
        line = self._line
        if line is not None:
            if self._fits(line, frame):
                if line.picture(frame, spared=self._lateness.spares()):
                    self._newest = pts
                    return
                self._report.jumps += 1
                self._leap.picture(self._newest, pts)
            self._epochs.close()
        self._waiting.picture(frame)
        if self._source.probe.rate is not None:
            self._open_line()

    def _fits(self, line: EpochLine, frame: VideoFrame) -> bool:
        """Tell whether `frame` is of the size and colour that the encoders were opened for.

        Neither changes but with a key picture (H.264 7.4.1.2.1).
        """
        return not frame.key_frame or kind_of(frame, self._source.pixel_shape) == line.kind

    def _sound(self, samples: Samples, pts: int) -> None:
        self._watch.sound(samples)
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
                self._source.probe.settle()
                self._open_line()
            return
        enough = SOUND_BEFORE_PICTURES if self._source.announced else SOUND_ALONE
        if alone >= enough and (self._epochs.line is None or self._slate is not None):
            self._open_sound_line(arrived_ms)

    def _open_line(self) -> None:
        rate = self._source.probe.rate
        if rate is None:
            return
        first = self._waiting.pictures[0]
        origin = first.pts or 0
        kind = kind_of(first, self._source.pixel_shape)
        ladder = resolve(self._profile, kind.width, kind.height, rate, kind.pixel_shape)
        self._slate = None
        line = self._epochs.open(kind, ladder, origin, self._source.arrival(origin))
        for frame in self._waiting.take_pictures():
            line.picture(frame)
            self._newest = frame.pts or 0
        for pts, samples in self._waiting.take_sound(origin):
            line.sound(pts, samples)
        self._waiting.begin()

    def _open_sound_line(self, arrived_ms: int) -> None:
        """Begin with the sound that is held, which stays for pictures that come after all."""
        began_ms = arrived_ms - round(self._waiting.sound_seconds * 1000)
        held = self._waiting.take_sound()
        self._slate = None
        line = self._epochs.open(SOUND_ONLY, sound_only(self._profile), held[0][0], began_ms)
        for pts, samples in held:
            line.sound(pts, samples)
            self._waiting.sound(pts, samples)
        self._waiting.begin()
