"""What is known of recordings without opening them: when, how much, who holds them. Pure.

The port that the store implements. A recording outlives its channel.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Deed(StrEnum):
    """What was done with a recording: the lines of its log."""

    RECORDED = "recorded"
    HELD = "held"
    RELEASED = "released"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold: while it stands nothing removes the recording."""

    reason: str
    actor: str
    since_ms: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One recording. Instants are UTC milliseconds."""

    channel: str
    session: str
    title: str
    started_ms: int
    ended_ms: int | None = None
    """None: it is being recorded."""
    duration_ms: int = 0
    """What a replay plays; 0 until it has ended."""
    size: int = 0
    """Bytes; 0 until it has ended."""
    gaps: int = 0
    """Segments that were not recorded."""
    hold: Hold | None = None
    uploaded: bool = False
    """All of it is in the object store."""
    local: bool = True
    """There is a copy on the local disk."""
    removing: bool = False
    """Its removal has begun and will be finished."""


@dataclass(frozen=True, slots=True)
class LogLine:
    seq: int
    at_ms: int
    channel: str
    session: str
    deed: Deed
    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What recordings take, by the catalogue."""

    recordings: int
    size: int
    """Bytes."""
    held: int
    held_size: int


class Catalogue(Protocol):
    """Each call is atomic and durable when it returns. Raises server.errors.Unavailable."""

    async def begin(self, entry: Entry) -> None:
        """Enter a recording; one that is there stays as it is."""
        ...

    async def finish(self, entry: Entry, at_ms: int) -> None:
        """Note the end of a recording and its figures, and log it; an earlier end is no news."""
        ...

    async def get(self, channel: str, session: str) -> Entry | None: ...

    async def page(self, channel: str | None, after: str | None, limit: int) -> tuple[Entry, ...]:
        """Return recordings by session id, newest first, those behind `after` only."""
        ...

    async def unfinished(self) -> tuple[Entry, ...]: ...

    async def hold(self, channel: str, session: str, hold: Hold) -> bool:
        """Put a hold; False when there is no such recording, or its removal has begun."""
        ...

    async def release(self, channel: str, session: str, by: Hold) -> bool:
        """End a hold, if there is one; False as for `hold`. `by`: who, when and why."""
        ...

    async def claim(self, channel: str, session: str) -> bool:
        """Begin a removal; False when it is held, on the air, or not there. Again is harmless."""
        ...

    async def erase(self, channel: str, session: str, at_ms: int, actor: str, reason: str) -> bool:
        """Forget a recording and log it; False, and nothing done, when it is held. Again: True."""
        ...

    async def overdue(self, ended_before_ms: int, limit: int) -> tuple[Entry, ...]:
        """Return what ended before, without a hold, oldest first, then removals that had begun.

        So one that cannot be finished holds up no other.
        """
        ...

    async def mark(self, channel: str, session: str, *, uploaded: bool, local: bool) -> None:
        """Note where its copies are."""
        ...

    async def afloat(
        self, *, uploaded: bool, ended_before_ms: int, limit: int
    ) -> tuple[Entry, ...]:
        """Return ended recordings with a local copy, uploaded or not; oldest first."""
        ...

    async def usage(self) -> Usage: ...

    async def log(self, channel: str | None, after: int, limit: int) -> tuple[LogLine, ...]:
        """Return what was done with recordings, in order."""
        ...
