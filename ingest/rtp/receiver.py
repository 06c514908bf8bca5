"""One session's packets become Units: order, pictures, time. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from ingest.rtp import opus
from ingest.rtp.clock import MediaClock
from ingest.rtp.depacketize import Assembler, Depacketizer, Picture
from ingest.rtp.h264 import H264Depacketizer
from ingest.rtp.packet import Packet
from ingest.rtp.reorder import Reorder
from ingest.rtp.vp8 import Vp8Depacketizer
from ingest.unit import TICKS_PER_SECOND, AudioUnit, Unit, VideoCodec, VideoUnit

AUDIO: Final = "audio"
VIDEO: Final = "video"
VIDEO_PATIENCE: Final = 0.3
"""Seconds that a lost packet may take to come again: a few round trips of a mobile network."""
AUDIO_PATIENCE: Final = 0.06
"""Sound is not sent again; this is for packets that overtook each other."""
ASK_KEY_AGAIN: Final = 0.5
"""Seconds between two requests while there is no picture."""
FIRST_KEY: Final = 0.25
"""Seconds that the keyframe with which senders begin may take."""
KEY_EVERY: Final = 3.0
"""Seconds without a keyframe after which one is asked for: browsers send none by themselves,
and a worker that starts again can show nothing before it."""

Accept = Callable[[Unit], None]


class Receiver(Protocol):
    """What takes one track's packets."""

    def restart(self) -> None:
        """Another source's packets follow."""
        ...

    def push(self, packet: Packet) -> None: ...

    def report(self, ntp: int, timestamp: int) -> None:
        """Take a sender report: 64-bit NTP time, 32-bit RTP time."""
        ...

    def missing(self, now: float) -> list[int]:
        """Give the 16-bit numbers of the packets to ask for now."""
        ...

    def wants_key(self, now: float) -> bool:
        """Tell whether a keyframe is to be asked for now. A yes counts as asked."""
        ...


class VideoReceiver:
    """Takes pictures. `codecs` by payload type; packets of other types are left out."""

    def __init__(self, clock: MediaClock, codecs: Mapping[int, VideoCodec], accept: Accept) -> None:
        self._clock = clock
        self._codecs = dict(codecs)
        self._accept = accept
        self._asked_at = 0.0
        self._key_at = 0.0
        self.restart()

    def restart(self) -> None:
        self._order = Reorder(VIDEO_PATIENCE)
        self._payload_type: int | None = None
        self._assembler: Assembler | None = None
        self._begun = False

    def push(self, packet: Packet) -> None:
        if packet.payload_type not in self._codecs:
            return
        if not self._begun:
            self._begun = True
            self._asked_at = packet.arrival - ASK_KEY_AGAIN + FIRST_KEY
            self._clock.begin(VIDEO, TICKS_PER_SECOND, packet.timestamp, packet.arrival)
        for ready in self._order.push(packet):
            for picture in self._assembled(ready).push(ready):
                self._show(picture, packet.arrival)

    def report(self, ntp: int, timestamp: int) -> None:
        self._clock.report(VIDEO, ntp, timestamp)

    def missing(self, now: float) -> list[int]:
        return self._order.due(now)

    def wants_key(self, now: float) -> bool:
        if self._assembler is None:
            return False
        old = now - self._key_at >= KEY_EVERY
        if not (self._assembler.damaged or old) or now - self._asked_at < ASK_KEY_AGAIN:
            return False
        self._asked_at = now
        return True

    def _assembled(self, packet: Packet) -> Assembler:
        """Give what joins packets of this type; senders may change the codec in mid-stream."""
        if self._assembler is None or packet.payload_type != self._payload_type:
            self._payload_type = packet.payload_type
            codec = self._codecs[packet.payload_type]
            made: Depacketizer = (
                H264Depacketizer() if codec is VideoCodec.H264 else Vp8Depacketizer()
            )
            self._assembler = Assembler(made)
        return self._assembler

    def _show(self, picture: Picture, now: float) -> None:
        coded = picture.coded
        if coded.keyframe:
            self._key_at = now
        if coded.config is not None:
            self._accept(coded.config)
        at = self._clock.ticks(VIDEO, picture.timestamp)
        self._accept(VideoUnit(at, at, coded.keyframe, coded.data))


class AudioReceiver:
    """Takes Opus of the given payload type; packets of other types are left out."""

    def __init__(self, clock: MediaClock, payload_type: int, accept: Accept) -> None:
        self._clock = clock
        self._payload_type = payload_type
        self._accept = accept
        self._told = False
        self.restart()

    def restart(self) -> None:
        self._order = Reorder(AUDIO_PATIENCE)
        self._begun = False

    def push(self, packet: Packet) -> None:
        if packet.payload_type != self._payload_type:
            return
        if not self._begun:
            self._begun = True
            self._clock.begin(AUDIO, opus.RATE, packet.timestamp, packet.arrival)
        for ready in self._order.push(packet):
            if not ready.payload:
                continue
            if not self._told:
                self._told = True
                self._accept(opus.CONFIG)
            self._accept(AudioUnit(self._clock.ticks(AUDIO, ready.timestamp), ready.payload))

    def report(self, ntp: int, timestamp: int) -> None:
        self._clock.report(AUDIO, ntp, timestamp)

    def missing(self, now: float) -> list[int]:
        del now
        return []

    def wants_key(self, now: float) -> bool:
        del now
        return False
