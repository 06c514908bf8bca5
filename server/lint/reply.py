"""One HTTP exchange as it was seen. Values only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

_MOST_WORDS = 300


@dataclass(frozen=True, slots=True)
class Reply:
    url: str
    status: int
    headers: Mapping[str, str]
    """By their lower-case names."""
    body: bytes
    """Decoded, if it came coded."""
    began: float
    """Monotonic seconds at which it was asked."""
    ended: float

    @property
    def seconds(self) -> float:
        return self.ended - self.began

    @property
    def good(self) -> bool:
        return self.status in (200, 206)

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def answer(self) -> str:
        """The status, with the server's own sentence where it is a problem document."""
        try:
            detail = json.loads(self.body)["detail"]
        except (ValueError, KeyError, TypeError):
            return str(self.status)
        words = " ".join(str(detail).split())[:_MOST_WORDS]
        return f"{self.status}: {words}"

    def header(self, name: str) -> str:
        return self.headers.get(name.lower(), "")
