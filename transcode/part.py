"""What the transcoder makes: values that leave the worker.

Standard library only. Times are 90 kHz ticks from the start of the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Track:
    """A rendition as the multivariant playlist must describe it."""

    name: str
    codecs: str
    """RFC 6381, comma separated, e.g. `avc1.64001f,mp4a.40.2`."""
    bandwidth: int
    """Expected peak bit/s, audio included (the cap of the encoder's rate control)."""
    width: int = 0
    """0 x 0: audio only."""
    height: int = 0
    frame_rate: Fraction | None = None
    init: bytes = b""
    """The initialization section: ftyp + moov."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """One unbroken timestamp line with one set of tracks. Begins at a segment boundary."""

    number: int
    """0, 1, 2 ... within one worker."""
    origin: int
    """Publisher's time, in ticks, of the epoch's tick 0."""
    pdt_ms: int
    """UTC milliseconds of the epoch's tick 0."""
    part_target: int
    """Ticks; no part is longer. Same for all tracks."""
    segment_target: int
    """Ticks; no segment is longer. Same for all tracks."""
    tracks: tuple[Track, ...] = ()
    """Best first; audio-only last."""
    slate: bool = False
    """It is a still picture for want of a publisher; `origin` is on no publisher's clock."""


@dataclass(frozen=True, slots=True)
class Part:
    """One CMAF chunk (moof + mdat) of one rendition."""

    epoch: int
    rendition: str
    segment: int
    """Counted from 0 in the epoch; the same boundaries in every rendition."""
    index: int
    """Counted from 0 in the segment."""
    start: int
    duration: int
    """Measured from the samples written (video's where there is video)."""
    independent: bool
    last: bool
    """Closes its segment."""
    data: bytes
