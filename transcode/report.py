"""What the worker sees of the publisher's stream: figures for the anchor and the operator.

Pure; time is an argument. Runs in the worker only.
"""

from __future__ import annotations

from fractions import Fraction

from ingest.unit import (
    TICKS_PER_SECOND,
    AudioCodec,
    AudioConfig,
    AudioUnit,
    VideoCodec,
    VideoConfig,
    VideoUnit,
)
from transcode.errors import BitstreamError
from transcode.message import Health
from transcode.profile_name import profile_name

INTERVAL_MS = 1_000

_VIDEO_NAMES = {VideoCodec.H264: "H.264"}
_AUDIO_NAMES = {AudioCodec.OPUS: "Opus", AudioCodec.AC3: "AC-3", AudioCodec.EAC3: "E-AC-3"}


class Report:
    """Counts, and makes a Health of the counts about once a second."""

    def __init__(self) -> None:
        self.nominal = Fraction(0)
        self.frames = 0
        self.repeated = 0
        self.dropped = 0
        self.damaged = 0
        self.jumps = 0
        self._since_ms: int | None = None
        self._key_dts: int | None = None
        self._b_frames = False
        self.restart()

    def restart(self) -> None:
        """Forget what was said of a publisher: another one follows."""
        self.size = (0, 0)
        self._video = self._audio = ""
        self._rest_keys()
        self._since_ms = None
        self._rest()

    def video(self, config: VideoConfig) -> None:
        """Note a video configuration."""
        name = _VIDEO_NAMES.get(config.codec, config.codec.upper())
        try:
            self._video = f"{name} {profile_name(config)}".rstrip()
        except BitstreamError:
            self._video = name  # the decoder judges whether it can be worked with
        self._rest_keys()

    def audio(self, config: AudioConfig) -> None:
        """Note an audio configuration."""
        name = _AUDIO_NAMES.get(config.codec, config.codec.upper())
        self._audio = f"{name} {config.sample_rate} Hz {config.channels}"

    def saw(self, unit: VideoUnit | AudioUnit) -> None:
        """Count an encoded unit."""
        if isinstance(unit, AudioUnit):
            self._audio_bytes += len(unit.data)
            return
        self._video_bytes += len(unit.data)
        self._pictures += 1
        self._b_frames |= unit.pts != unit.dts
        if unit.keyframe:
            if self._key_dts is not None and unit.dts > self._key_dts:
                self._key_interval = (unit.dts - self._key_dts) / TICKS_PER_SECOND
            self._key_dts = unit.dts

    def broke(self) -> None:
        """Count an access unit that could not be decoded."""
        self.damaged += 1

    def encoded(self) -> None:
        """Count a picture handed to the encoders."""
        self.frames += 1
        self._encoded += 1

    def worked(self, seconds: float) -> None:
        """Count time in which work was done (or waited for the encoders)."""
        self._busy += seconds

    def due(self, now_ms: int, queue: int) -> Health | None:
        """Give the figures since the last report when that is a second ago."""
        if self._since_ms is None or now_ms < self._since_ms:
            self._since_ms = now_ms
        span = (now_ms - self._since_ms) / 1000
        if now_ms - self._since_ms < INTERVAL_MS:
            return None
        media = float(self._encoded / self.nominal) if self.nominal else 0.0
        health = Health(
            width=self.size[0],
            height=self.size[1],
            fps=self._pictures / span,
            nominal_fps=float(self.nominal),
            video=self._video,
            video_bitrate=round(self._video_bytes * 8 / span),
            audio=self._audio,
            audio_bitrate=round(self._audio_bytes * 8 / span),
            keyframe_interval=self._key_interval,
            b_frames=self._b_frames,
            frames=self.frames,
            repeated=self.repeated,
            dropped=self.dropped,
            damaged=self.damaged,
            jumps=self.jumps,
            queue=queue,
            speed=media / self._busy if self._busy else 0.0,
        )
        self._since_ms = now_ms
        self._rest()
        return health

    def _rest(self) -> None:
        """Begin the next interval."""
        self._pictures = self._video_bytes = self._audio_bytes = self._encoded = 0
        self._busy = 0.0

    def _rest_keys(self) -> None:
        self._key_dts, self._key_interval, self._b_frames = None, 0.0, False
