"""How sources are pulled, as the configuration says. Values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PullSettings:
    """Times in seconds."""

    allow_private: bool = False
    open_seconds: float = 10.0
    silence_seconds: float = 10.0
    backoff_first: float = 1.0
    backoff_most: float = 30.0
    steady: float = 30.0
    """A source that was on the air for so long starts the back-off anew."""
