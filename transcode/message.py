"""What the web process and the worker say to each other: values.

Standard library only. `wire` gives them their bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

from ingest.unit import Unit
from overlay.scene import Rect, Scene
from transcode.part import Epoch, Part
from transcode.profile import Profile


@dataclass(frozen=True, slots=True)
class Open:
    """The first message to a worker: how to transcode one session."""

    profile: Profile
    pdt_floor_ms: int
    """UTC milliseconds; the first epoch may not begin before."""


@dataclass(frozen=True, slots=True)
class Feed:
    unit: Unit
    arrived_ms: int
    """UTC milliseconds at which the unit reached the server."""


@dataclass(frozen=True, slots=True)
class Show:
    """Draw `scene` from the first picture at or after `at_ms` on the PDT axis."""

    scene: Scene
    at_ms: int


@dataclass(frozen=True, slots=True)
class Splice:
    """Another publisher's units follow."""


@dataclass(frozen=True, slots=True)
class Interrupt:
    """The publisher is gone and may come back: encode what is held, end the epoch."""

    slate: bool
    """Go on with a still picture, up to each Tick, until another publisher's pictures come."""
    title: str
    """The channel's, to be written on the slate."""
    width: int = 0
    """Of the last picture, for a worker that has not seen it itself; 0 x 0: unknown."""
    height: int = 0


@dataclass(frozen=True, slots=True)
class Tick:
    """While interrupted: it is `now_ms` (UTC)."""

    now_ms: int


@dataclass(frozen=True, slots=True)
class Close:
    """No more units: encode what is held and answer with Closed."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The scene went on screen."""

    scene_id: str
    at_ms: int
    """PDT of the first picture with it."""
    rects: tuple[tuple[str, Rect], ...] = ()
    """Card id and where the card rests, in fractions of the picture."""
    problems: tuple[str, ...] = ()
    """Why cards were left out; one sentence each."""


QUIET = -120.0
"""dBFS told where there is no sound at all."""


@dataclass(frozen=True, slots=True)
class Health:
    """How the publisher's stream and the encoders are doing, over the last interval."""

    width: int = 0
    """Of the source; 0 x 0 before its first picture."""
    height: int = 0
    fps: float = 0.0
    """Pictures received a second."""
    nominal_fps: float = 0.0
    video: str = ""
    """Codec, profile and level, e.g. `H.264 High 4.1`."""
    video_bitrate: int = 0
    """Bit/s received."""
    audio: str = ""
    """Codec, rate and channels, e.g. `AAC 48000 Hz 2`; empty without audio."""
    audio_bitrate: int = 0
    keyframe_interval: float = 0.0
    """Seconds between the source's last two key pictures; 0 before the second."""
    b_frames: bool = False
    frames: int = 0
    """Pictures encoded since the start, repeats included."""
    repeated: int = 0
    """Pictures shown again to fill holes, since the start."""
    dropped: int = 0
    """Pictures left out (early, late or too many), since the start."""
    damaged: int = 0
    """Access units that could not be decoded, since the start."""
    jumps: int = 0
    """Timestamp jumps, since the start."""
    queue: int = 0
    """Jobs waiting at the slowest encoder."""
    speed: float = 1.0
    """Seconds of media in a second of work, waits for the encoders included; below 1 it
    falls behind, 0 when nothing was encoded."""
    pixel_format: str = ""
    """By libav's name; empty before the first picture was decoded."""
    black: bool = False
    """Every picture looked at was black all over."""
    bars: float = 0.0
    """Share of the picture that is black bars at two opposite sides."""
    frozen_seconds: float = 0.0
    """How long the picture has not changed."""
    peak_left: float = QUIET
    peak_right: float = QUIET
    """The loudest sample of each channel, dBFS; mono is on both."""
    level: float = QUIET
    """Root mean square of the sound, dBFS."""
    clipped: float = 0.0
    """Share of samples at full scale, in the channel that has more of them."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The worker's last message. `reason` is empty after Close, else one sentence."""

    reason: str = ""


Down = Open | Feed | Show | Splice | Interrupt | Tick | Close
"""To the worker."""
Up = Epoch | Part | Shown | Health | Closed
"""From the worker."""
Message = Down | Up
