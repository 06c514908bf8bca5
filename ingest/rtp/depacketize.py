"""From packets in order to whole coded pictures: what H.264 and VP8 have in common. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from ingest.errors import PeerError
from ingest.rtp.packet import Packet
from ingest.unit import VideoConfig

MOST_BYTES: Final = 8 * 1024 * 1024
"""One coded picture: bounds what a sender that never ends a picture can make us hold."""


@dataclass(frozen=True, slots=True)
class Coded:
    """One coded picture, without its time."""

    data: bytes
    keyframe: bool
    config: VideoConfig | None = None
    """The decoder's configuration from this picture on, where it is a new one."""


@dataclass(frozen=True, slots=True)
class Picture:
    coded: Coded
    timestamp: int
    """RTP time, 32 bits."""
    arrival: float
    """Of its first packet, in seconds."""


class Depacketizer(Protocol):
    """One codec's payload format."""

    def begins(self, payload: bytes) -> bool:
        """Tell whether a coded picture certainly begins with `payload`."""
        ...

    def add(self, payload: bytes) -> int:
        """Take the next payload of the picture; give its bytes so far. Raises PeerError."""
        ...

    def finish(self) -> Coded | None:
        """Give the picture and begin the next; None where the payloads held none."""
        ...

    def discard(self) -> None:
        """Forget what there is of the picture."""
        ...


class Assembler:
    """Joins one source's packets to pictures.

    A picture that misses a packet is left out, and so is every one after it up to the next
    keyframe: what a decoder would make of them is worse than a picture that stands still.
    """

    def __init__(self, depacketizer: Depacketizer) -> None:
        self._depacketizer = depacketizer
        self._expected: int | None = None
        self._timestamp: int | None = None
        self._arrival = 0.0
        self._skipping = False
        """Leaving out the rest of a picture whose beginning is missing or broken."""
        self.damaged = True
        """Nothing can be shown before a keyframe comes."""

    def push(self, packet: Packet) -> list[Picture]:
        """Take the next packet in order; give the pictures that became whole."""
        pictures: list[Picture] = []
        hole = self._expected is not None and packet.sequence != self._expected
        self._expected = packet.sequence + 1
        if hole:
            self._break()
            self._timestamp = None
        if packet.timestamp != self._timestamp:
            self._finish(pictures)
            self._timestamp, self._arrival = packet.timestamp, packet.arrival
            # Nobody knows whether the first packet of this picture was in the hole.
            self._skipping = hole
        if self._skipping and hole and self._depacketizer.begins(packet.payload):
            self._skipping = False
        if packet.payload and not self._skipping:
            self._add(packet.payload)
        if packet.marker:
            self._finish(pictures)
        return pictures

    def _add(self, payload: bytes) -> None:
        try:
            size = self._depacketizer.add(payload)
        except PeerError:
            self._break()
        else:
            if size > MOST_BYTES:
                self._break()

    def _break(self) -> None:
        self._depacketizer.discard()
        self._skipping = True
        self.damaged = True

    def _finish(self, pictures: list[Picture]) -> None:
        timestamp, self._timestamp = self._timestamp, None
        if timestamp is None or self._skipping:
            return
        coded = self._depacketizer.finish()
        if coded is None:
            return
        self.damaged = self.damaged and not coded.keyframe
        if not self.damaged:
            pictures.append(Picture(coded, timestamp, self._arrival))
