"""A profile: the ladder an operator asks for, before any source is known.

Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from transcode.errors import ProfileError

MIN_PART = Fraction(1, 5)
"""Below this an AAC frame (21 ms) is too coarse for parts of >= 85 % of their target."""
MAX_PART = Fraction(1)
MIN_PARTS_PER_SEGMENT = 2
MIN_SEGMENT, MAX_SEGMENT = Fraction(1), Fraction(10)
MAX_RUNGS = 8
MIN_FRAME_RATE_CAP = 24
MAX_FRAME_RATE_CAP = 120
MIN_BITRATE, MAX_BITRATE = 50_000, 100_000_000
MIN_AUDIO_BITRATE, MAX_AUDIO_BITRATE = 16_000, 512_000
MIN_SHORT_SIDE, MAX_SHORT_SIDE = 16, 4320
_OPTION = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the ladder."""

    short_side: int
    """Pixels, even. Portrait or landscape is the source's choice."""
    bitrate: int
    """Video bit/s, on average."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A named ladder with its encoder settings. Raises ProfileError when out of bounds."""

    name: str
    rungs: tuple[Rung, ...]
    part_seconds: Fraction = Fraction(1, 3)
    """Wished for; `resolve` finds the nearest whole number of frames."""
    segment_seconds: Fraction = Fraction(2)
    """Wished for; EXT-X-TARGETDURATION is this, rounded to whole seconds."""
    encoder: str = "libx264"
    preset: str = "veryfast"
    options: tuple[tuple[str, str], ...] = ()
    """Passed on to the encoder as they are."""
    audio_bitrate: int = 128_000
    max_frame_rate: Fraction = Fraction(60)

    def __post_init__(self) -> None:
        wrong = tuple((field, must) for field, must, holds in self._bounds() if not holds)
        if wrong:
            raise ProfileError(self.name, *wrong)

    def _bounds(self) -> Iterator[tuple[str, str, bool]]:
        """Give field, what it must be, and whether it is."""
        sides = [rung.short_side for rung in self.rungs]
        yield "rungs", "1 to 8 of them", 1 <= len(sides) <= MAX_RUNGS
        yield "rungs", "each short side once", len(set(sides)) == len(sides)
        even = all(s % 2 == 0 and MIN_SHORT_SIDE <= s <= MAX_SHORT_SIDE for s in sides)
        yield "rungs", "short sides even, 16 to 4320", even
        carried = all(MIN_BITRATE <= rung.bitrate <= MAX_BITRATE for rung in self.rungs)
        yield "rungs", "bitrate 50 kbit/s to 100 Mbit/s", carried
        yield "part_seconds", "0.2 to 1", MIN_PART <= self.part_seconds <= MAX_PART
        parts = max(MIN_SEGMENT, MIN_PARTS_PER_SEGMENT * self.part_seconds)
        yield (
            "segment_seconds",
            "two parts or more, at least 1, at most 10",
            parts <= self.segment_seconds <= MAX_SEGMENT,
        )
        named = all(_OPTION.fullmatch(key) and value for key, value in self.options)
        yield "options", "names of letters, digits, - and _, each with a value", named
        heard = MIN_AUDIO_BITRATE <= self.audio_bitrate <= MAX_AUDIO_BITRATE
        yield "audio_bitrate", "16 to 512 kbit/s", heard
        paced = MIN_FRAME_RATE_CAP <= self.max_frame_rate <= MAX_FRAME_RATE_CAP
        yield "max_frame_rate", "24 to 120", paced


DEFAULT = Profile("default", (Rung(720, 2_800_000), Rung(480, 1_200_000), Rung(360, 700_000)))
"""What two ordinary cores carry with room to spare."""

FULL_HD = Profile("1080p", (Rung(1080, 5_000_000), *DEFAULT.rungs))

BUILT_IN: tuple[Profile, ...] = (DEFAULT, FULL_HD)
