"""What a puller is asked to do: values. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

HEAD = Struct(">I")
"""Before the order: the size of what `plain` made of it."""


@dataclass(frozen=True, slots=True)
class Order:
    """The one message to a puller. Times in seconds, sizes in bytes."""

    url: str
    """With its credentials: a secret, and so not on a command line, where all can read it."""
    loop: bool = False
    """Begin a file again at its end; what has no end is not changed by it."""
    allow_private: bool = False
    """Addresses of this machine and of the networks behind it may be opened."""
    open_seconds: float = 10.0
    """To connect, and to find out what is in the source: each."""
    silence_seconds: float = 10.0
    """A source that gives nothing for so long has ended."""
    max_packet: int = 8 * 1024 * 1024
    """One keyframe at 50 Mbit/s is 1 to 2 MB."""
    probe_bytes: int = 5_000_000
    """What may be read to find out what is in the source."""
