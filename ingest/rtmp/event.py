"""What an RtmpSession tells its owner. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from ingest.unit import Unit


@dataclass(frozen=True, slots=True)
class PublishRequested:
    """Judge it, then call accept() or refuse(). `key` is a secret: never logged."""

    app: str
    key: str = field(repr=False)
    encoder: str


@dataclass(frozen=True, slots=True)
class Received:
    """What became whole at once, in the order in which it was sent; at least one."""

    units: tuple[Unit, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """The session is over in good order; close the connection once the bytes are sent."""

    reason: str


Event: TypeAlias = PublishRequested | Received | Ended
