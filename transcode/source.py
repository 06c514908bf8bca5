"""One publisher's units decoded: pictures upright, sound resampled, both with mended stamps.

Runs in the worker only. Another publisher gets a Source of its own.
"""

from __future__ import annotations

import sys
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
from transcode.audio import Resampler, Samples
from transcode.decode import AudioDecoder, VideoDecoder
from transcode.errors import MediaError
from transcode.ladder import AAC_TICKS, SAMPLE_RATE, FrameRateProbe
from transcode.report import Report
from transcode.stamps import Stamps
from transcode.upright import Upright, turned_shape

ARRIVALS = 64
"""Arrival times remembered, more than any decoder reorders."""
MOST_STRETCHED = Fraction(4)
LEAST_SIDE, MOST_SIDE = 16, 8192
"""Pixels. What is smaller or larger is no picture that anybody sends."""
USUAL_STEP = TICKS_PER_SECOND // 30


class Source:
    """Hands on what it decodes, each track in order, to `picture` and `sound`."""

    def __init__(
        self,
        report: Report,
        picture: Callable[[VideoFrame, int], None],
        sound: Callable[[Samples, int], None],
    ) -> None:
        """Both are given the time on the publisher's clock, in ticks; a picture's own is that."""
        self.probe = FrameRateProbe(None)
        self.idle = False
        """While set, pictures and sound are left out unseen."""
        self._rate_told = False
        """Since the last video configuration."""
        self._report = report
        self._hand_picture = picture
        self._hand_sound = sound
        self._video: VideoDecoder | None = None
        self._audio: AudioDecoder | None = None
        self._upright = Upright()
        self._resampler = Resampler(SAMPLE_RATE)
        self._keyed = False
        self._arrivals: deque[tuple[int, int]] = deque(maxlen=ARRIVALS)
        self._picture_stamps: Stamps[VideoFrame] = Stamps(USUAL_STEP)
        self._sound_stamps: Stamps[Samples] = Stamps(int(AAC_TICKS))

    def feed(self, unit: Unit, arrived_ms: int) -> None:
        """Take one unit that reached the server at `arrived_ms`.

        What cannot be decoded is counted and left out, a whole track where its configuration
        is refused. Raises MediaError when what it hands on cannot be encoded.
        """
        match unit:
            case VideoUnit() | AudioUnit() if self.idle:
                self._report.saw(unit)
                self._report.dropped += isinstance(unit, VideoUnit)
            case VideoUnit():
                self._feed_video(unit, arrived_ms)
            case AudioUnit():
                self._feed_audio(unit)
            case VideoConfig():
                self._open_video(unit)
            case AudioConfig():
                self._open_audio(unit)
            case StreamInfo():
                self.probe = FrameRateProbe(unit.frame_rate)
                self._rate_told = True

    def flush(self) -> None:
        """Hand on what is still held back. The source is spent after."""
        self._flush_video()
        for pts, samples in self._sound_stamps.flush():
            self._hand_sound(samples, pts)

    def rejoin(self) -> None:
        """Forget what is held back, and go on with the next key picture."""
        if self._video is not None:
            self._video = VideoDecoder(self._video.config, self._report.broke)
        self._keyed = False
        self._upright.flush()
        self._picture_stamps.flush()
        self._sound_stamps.flush()

    @property
    def announced(self) -> bool:
        """Whether it said that there are pictures."""
        return self._video is not None

    @property
    def pixel_shape(self) -> Fraction:
        """Width of an upright picture's pixel over its height; 1 where that is nonsense."""
        shape = self._video.pixel_shape if self._video else Fraction(1)
        if not 1 / MOST_STRETCHED <= shape <= MOST_STRETCHED:
            return Fraction(1)
        return turned_shape(shape, self._upright.on_its_side)

    def arrival(self, pts: int) -> int:
        """Give when the picture at `pts` reached the server; the newest's arrival if unknown."""
        known = next((ms for at, ms in reversed(self._arrivals) if at == pts), None)
        return self._arrivals[-1][1] if known is None else known

    def _open_video(self, config: VideoConfig) -> None:
        if self._video is not None:
            if self._video.config == config:
                return
            self._flush_video()
            if not self._rate_told:
                self.probe = FrameRateProbe(None)
        self._rate_told = False
        self._video, self._keyed = None, False
        try:
            self._video = VideoDecoder(config, self._report.broke)
        except MediaError as error:
            self._refused(error)
            return
        self._upright = Upright(config.rotation)
        self._report.video(config)

    def _open_audio(self, config: AudioConfig) -> None:
        if self._audio is not None and self._audio.config == config:
            return
        self._audio = None
        try:
            self._audio = AudioDecoder(config, self._report.broke)
        except MediaError as error:
            self._refused(error)
            return
        self._report.audio(config)

    def _refused(self, error: MediaError) -> None:
        """Go on without a track: the other one, or the next configuration, may be better."""
        self._report.broke()
        sys.stderr.write(f"{error}\n")

    def _flush_video(self) -> None:
        if self._video is not None:
            for frame in self._video.flush():
                self._decoded(frame)
        for frame in self._upright.flush():
            self._stamped(frame)
        for pts, frame in self._picture_stamps.flush():
            self._picture(frame, pts)

    def _feed_video(self, unit: VideoUnit, arrived_ms: int) -> None:
        self._report.saw(unit)
        if self._video is None or not (self._keyed or unit.keyframe):
            return
        self._keyed = True
        self._arrivals.append((unit.pts, arrived_ms))
        self.probe.observe(unit.dts)
        for frame in self._video.decode(unit):
            self._decoded(frame)

    def _decoded(self, frame: VideoFrame) -> None:
        for upright in self._upright.take(frame):
            self._stamped(upright)

    def _stamped(self, frame: VideoFrame) -> None:
        if frame.pts is None:
            return
        sides = sorted((frame.width, frame.height))
        if sides[0] < LEAST_SIDE or sides[1] > MOST_SIDE:
            self._report.broke()
            return
        for pts, timed in self._picture_stamps.take(frame.pts, frame):
            self._picture(timed, pts)

    def _picture(self, frame: VideoFrame, pts: int) -> None:
        frame.pts = pts
        self._hand_picture(frame, pts)

    def _feed_audio(self, unit: AudioUnit) -> None:
        self._report.saw(unit)
        if self._audio is None:
            return
        for frame in self._audio.decode(unit):
            pts = unit.pts if frame.pts is None else frame.pts
            try:
                samples = self._resampler.resample(frame)
            except MediaError:
                self._report.broke()
                continue
            for at, timed in self._sound_stamps.take(pts, samples):
                self._hand_sound(timed, at)
