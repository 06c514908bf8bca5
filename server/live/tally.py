"""How often publishers came and were refused, since the server started. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from ingest.port import Refusal


@dataclass(slots=True)
class Tally:
    takeovers: int = 0
    """Publishers that another one replaced while they were on."""
    resumes: int = 0
    """Broadcasts whose publisher was lost and came back."""
    refused: Counter[Refusal] = field(default_factory=Counter)
    """Publishes that were refused, by cause."""
