"""What is measured of a publisher: by the worker in the pictures, here in the bytes.

Pure; time is an argument.
"""

from __future__ import annotations

from ingest.unit import AudioConfig, AudioUnit, StreamInfo, Unit, VideoConfig, VideoUnit
from server.live.arrival import Arrival
from server.live.pace import Beat, Pace
from transcode.message import Health
from transcode.timeline import BACKWARD


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
        self.arrival = Arrival()
        self.pace = Pace()
        self.beat = Beat()
        """The pace at the coach's last look."""
        self.picture_ms: int | None = None
        self.sound_ms: int | None = None
        """When the newest picture and the newest sound arrived, UTC ms."""

    def saw(self, unit: Unit, now_ms: int) -> None:
        """Count one unit that arrived at `now_ms`."""
        match unit:
            case VideoUnit():
                newest = self.newest_pts
                # A step back is reordering; a leap back is a clock that was set anew.
                if newest is None or not newest - BACKWARD <= unit.pts <= newest:
                    self.newest_pts = unit.pts
                self.picture_ms = now_ms
                self.bytes += len(unit.data)
                self.arrival.picture(len(unit.data), unit.dts, now_ms)
                self.pace.picture(unit.dts, unit.keyframe)
            case AudioUnit():
                if self.video is None:
                    self.newest_pts = unit.pts
                self.sound_ms = now_ms
                self.bytes += len(unit.data)
                self.arrival.saw(len(unit.data), now_ms)
                self.pace.sound(unit.pts)
            case StreamInfo():
                self.info = unit
            case VideoConfig():
                if unit != self.video:
                    self.pace.reconfigured()
                self.video = unit
            case AudioConfig():
                self.audio = unit

    def bitrate(self, now_ms: int) -> int:
        """Give the mean bit/s of the last seconds."""
        return self.arrival.bitrate(now_ms)
