"""What recording tells of itself: counted where it happens, read by metrics and warnings.

Each number has one writer (the loop, or the writer's thread); reading needs no lock. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Figures:
    """Of all recordings of this server, since it started."""

    written_bytes: int = 0
    segments: int = 0
    lost_segments: int = 0
    """Segments of a rendition that the disk did not take: gaps in the replay."""
    refused_parts: int = 0
    """Parts that found the queue full."""
    uploaded_bytes: int = 0
    upload_failures: int = 0
    troubles: dict[str, str] = field(default_factory=dict)
    """By session: why it is not recorded just now, in words."""
