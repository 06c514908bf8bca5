"""What ingest needs from whoever runs it: a Gate that judges keys, a Sink for Units.

Standard library only. `server.live` implements both.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from ingest.unit import Unit


class Refusal(StrEnum):
    """Why a publish was refused; the RTMP session maps it to a NetStream status code."""

    BAD_KEY = "bad-key"
    BUSY = "busy"
    RATE_LIMITED = "rate-limited"
    UNAVAILABLE = "unavailable"
    EXPIRED = "expired"
    """The key was good once; only its holder hears this."""
    DENIED = "denied"
    """The key is good, and whoever decides beside the key says no."""
    STOPPED = "stopped"
    """The key is good, and its broadcast was ended on purpose a moment ago."""


@dataclass(frozen=True, slots=True)
class Refused:
    refusal: Refusal
    reason: str
    """One sentence a person reads in their encoder's log."""


class Publisher(Protocol):
    """The connection a Sink may end (takeover, rotated key, shutdown)."""

    @property
    def peer(self) -> str:
        """Address of the remote end, for logs."""
        ...

    def drop(self, reason: str) -> None:
        """Close the connection soon. Idempotent; never blocks."""
        ...


class Sink(Protocol):
    """Takes one publisher's Units. Called on the event loop; neither call blocks."""

    @property
    def name(self) -> str:
        """What is fed, for logs: the channel."""
        ...

    def accept(self, units: Sequence[Unit]) -> None:
        """Take what arrived together, in order. Handing units on is dearer than they are."""
        ...

    def close(self, reason: str, *, finished: bool = False) -> None:
        """The publisher is gone. Called exactly once.

        `finished`: it said goodbye; else it was lost, or thrown out, and may come back.
        """
        ...


@dataclass(frozen=True, slots=True)
class PublishRequest:
    protocol: str
    """`rtmp`, `rtmps` or `whip`; what the server reads itself: `pull`."""
    app: str
    key: str = field(repr=False)
    """The stream key, query cut off. A secret: never logged."""
    publisher: Publisher
    encoder: str = ""
    """What the publisher calls itself; anybody's word."""
    by_hand: bool = False
    """A person asked for it, who is told what comes of it: nothing tries again by itself."""


Entry = Callable[[], Awaitable[Sink | Refused]]
"""Goes on the air; the channel's earlier publisher is replaced. To be called at most once."""


class Gate(Protocol):
    async def judge(self, request: PublishRequest) -> Entry | Refused:
        """Judge the key; nothing changes before the Entry is called.

        Between both the caller looks whether its publisher is still there.
        The caller bounds both waits with its own deadlines.
        """
        ...
