"""What is measured of a publisher: by the worker in the pictures, here in the bytes.

Pure; time is an argument.
"""

from __future__ import annotations

from collections import deque

from ingest.unit import AudioConfig, AudioUnit, StreamInfo, Unit, VideoConfig, VideoUnit
from transcode.message import Health
from transcode.timeline import BACKWARD

WINDOW_MS = 4_000
"""The bit rate is a mean over so long."""


class Figures:
    """Counts units and keeps the worker's latest report."""

    def __init__(self) -> None:
        self.info = StreamInfo()
        self.video: VideoConfig | None = None
        self.audio: AudioConfig | None = None
        self.newest_pts: int | None = None
        """Publisher's time of the newest picture, in ticks; of sound where there is no picture."""
        self.health: Health | None = None
        self.bytes = 0
        self._recent: deque[tuple[int, int]] = deque(maxlen=2_000)
        self._recent_bytes = 0

    def saw(self, unit: Unit, now_ms: int) -> None:
        """Count one unit that arrived at `now_ms`."""
        match unit:
            case VideoUnit():
                newest = self.newest_pts
                # A step back is reordering; a leap back is a clock that was set anew.
                if newest is None or not newest - BACKWARD <= unit.pts <= newest:
                    self.newest_pts = unit.pts
            case AudioUnit():
                if self.video is None:
                    self.newest_pts = unit.pts
            case StreamInfo():
                self.info = unit
                return
            case VideoConfig():
                self.video = unit
                return
            case AudioConfig():
                self.audio = unit
                return
        size = len(unit.data)
        self.bytes += size
        if len(self._recent) == self._recent.maxlen:
            self._recent_bytes -= self._recent.popleft()[1]
        self._recent.append((now_ms, size))
        self._recent_bytes += size

    def bitrate(self, now_ms: int) -> int:
        """Give the mean bit/s of the last WINDOW_MS."""
        while self._recent and self._recent[0][0] < now_ms - WINDOW_MS:
            self._recent_bytes -= self._recent.popleft()[1]
        if len(self._recent) < 2:
            return 0
        span_ms = max(now_ms - self._recent[0][0], 1_000)
        return self._recent_bytes * 8_000 // span_ms
