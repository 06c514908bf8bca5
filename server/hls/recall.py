"""What a recording knows of a window that a stopped server left: to go on with its list.

Values only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from server.hls.playlist import Segment
from server.hls.targets import Targets
from transcode.part import Track


@dataclass(frozen=True, slots=True)
class RecalledRendition:
    segments: tuple[Segment, ...]
    """Whole ones and gaps, in order of msn without a hole; the archive holds their bodies."""
    inits: Mapping[str, bytes]
    """Every initialization section that they name."""
    audio_only: bool


@dataclass(frozen=True, slots=True)
class Recalled:
    """The list that was: all renditions, and the targets that were announced."""

    targets: Targets
    renditions: Mapping[str, RecalledRendition]
    """At least one, none empty."""
    tracks: tuple[Track, ...]
    """Of the last epoch, best first; each has its rendition."""
    first_msn: int = 0
    """Where the list begins; what lies before it has just left it, and is still owed."""
