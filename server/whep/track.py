"""The tracks that aiortc's senders read: encoded packets, as the publisher made them.

A sender takes av.Packet in the place of pictures and then encodes nothing. What it says when the
other side lost a picture is heard here, where no encoder can make a keyframe: the group is sent
once more. What of aiortc 1.16 is relied on is listed in tests/server/whep/test_track.py.
"""

from __future__ import annotations

import asyncio
from collections import deque
from fractions import Fraction
from typing import Any, Final

import av
from aiortc import RTCRtpSender
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from ingest.unit import TICKS_PER_SECOND, AudioUnit, VideoConfig, VideoUnit
from server.live.echo import Echo
from server.whep.sample import Line, hurried, sample
from transcode.errors import BitstreamError

MOST_WAITING: Final = 120
"""Packets of a track that the sender has not taken yet: seconds. It then begins anew."""
AGAIN_SECONDS: Final = 1.0
"""How often a group may be sent once more."""
RATE: Final = 5_000_000
"""Bytes a second at most: what is sent in a hurry must fit through sockets and routers."""
SLACK: Final = 0.01
"""Seconds that are not waited for: a picture goes out in one."""
_BASE: Final = Fraction(1, TICKS_PER_SECOND)


class SentTrack(MediaStreamTrack):
    """A queue that a sender reads. Bounded by who fills it."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.waiting: deque[tuple[int, bytes]] = deque()
        self._more = asyncio.Event()
        self._free_at = 0.0

    def put(self, at: int, data: bytes) -> None:
        """Have a packet sent, stamped `at` (90 kHz ticks)."""
        self.waiting.append((at, data))
        self._more.set()

    def stop(self) -> None:
        super().stop()
        self._more.set()

    async def recv(self) -> av.Packet[Any]:
        """Give the next packet. Waits for as long as the session lasts, which ends it."""
        while not self.waiting:
            if self.readyState != "live":
                raise MediaStreamError
            self._more.clear()
            await self._more.wait()
        at, data = self.waiting.popleft()
        loop = asyncio.get_running_loop()
        if self._free_at - loop.time() > SLACK:
            await asyncio.sleep(self._free_at - loop.time())
        self._free_at = max(self._free_at, loop.time()) + len(data) / RATE
        packet: av.Packet[Any] = av.Packet(data)
        packet.pts = packet.dts = at
        packet.time_base = _BASE
        return packet


class Picture:
    """Fills a video track: from the newest keyframe on, always up to now."""

    def __init__(self, echo: Echo, line: Line) -> None:
        self.track = SentTrack("video")
        self._echo = echo
        self._line = line
        self._config: VideoConfig | None = None
        self._last: int | None = None
        self._again_at = 0.0
        self._begun = False

    def attach(self, sender: RTCRtpSender) -> None:
        """Have `sender` send the track, and tell what its receiver lost."""
        sender.replaceTrack(self.track)
        sender._send_keyframe = self._lost  # type: ignore[method-assign]

    def begin(self) -> None:
        """Send what there is since the last keyframe, in a hurry; without one wait for it."""
        self._config, group = self._echo.video, self._echo.group
        self._begun = bool(group)
        if not group:
            return
        self.track.waiting.clear()
        newest = self._line.at(group[-1].pts)
        for unit, at in zip(group, hurried(len(group), newest, self._last), strict=True):
            self._put(unit, at)

    def hear(self, unit: VideoUnit) -> None:
        """Take the next picture."""
        if len(self.track.waiting) > MOST_WAITING + len(self._echo.group):
            self.begin()  # the newest is in the group by now
            return
        if not self._begun:
            if not unit.keyframe:
                return
            self._begun, self._config = True, self._echo.video
        at = self._line.at(unit.pts)
        self._put(unit, at if self._last is None else max(at, self._last + 1))

    def renew(self, config: VideoConfig) -> None:
        """Take another configuration; it holds from the next keyframe on."""
        self._config, self._begun = config, False

    def _put(self, unit: VideoUnit, at: int) -> None:
        if self._config is None:
            return
        try:
            data = sample(self._config, unit)
        except BitstreamError:
            self._begun = False  # nothing up to the next keyframe can be shown
            return
        self._last = at
        self.track.put(at, data)

    def _lost(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._begun and now >= self._again_at:
            self._again_at = now + AGAIN_SECONDS
            self.begin()


class Sound:
    """Fills an audio track, from now on."""

    def __init__(self, line: Line) -> None:
        self.track = SentTrack("audio")
        self._line = line

    def attach(self, sender: RTCRtpSender) -> None:
        sender.replaceTrack(self.track)

    def hear(self, unit: AudioUnit) -> None:
        """Take the next frame."""
        if len(self.track.waiting) > MOST_WAITING:
            self.track.waiting.clear()
        self.track.put(self._line.at(unit.pts), unit.data)
