"""Where recordings are kept, as those see it who read and keep them. Local disk and S3 are one.

Pure: the port, and how keys are made. Keys are relative and of `[A-Za-z0-9._-]` steps.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

ROOT = "recordings"
JOURNAL = "journal.jsonl"
TAIL = "tail.jsonl"
TIMELINE = "timeline.json"
DERIVED = "derived"
"""The folder of what was made of a recording, and can be made again."""
_STEP = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Item:
    """One stored thing."""

    key: str
    size: int
    """Bytes."""


class Storage(Protocol):
    """Whole things by key. Every call may raise StorageDown; none blocks the event loop."""

    async def read(self, key: str) -> bytes:
        """Return what is stored under `key`. Raises Missing."""
        ...

    async def write(self, key: str, data: bytes) -> None:
        """Store `data` under `key`, in the place of what is there: whole or not at all."""
        ...

    async def items(self, prefix: str) -> tuple[Item, ...]:
        """Return all that lies below `prefix` (a whole step of the key), in order of key."""
        ...

    async def remove(self, prefix: str) -> int:
        """Remove all that lies below `prefix`; return the bytes that became free."""
        ...

    async def close(self) -> None: ...


def is_step(text: str) -> bool:
    """Tell whether `text`, from a URL, may be one step of a key: it never climbs."""
    return _STEP.fullmatch(text) is not None


def home(channel: str, session: str) -> str:
    """Return the prefix of all that belongs to one recording."""
    return f"{ROOT}/{channel}/{session}"
