"""What webhooks carry: messages, where they go, who wants which. Values.

Standard Webhooks 1.0, https://www.standardwebhooks.com
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

KINDS = (
    "stream.started",
    "stream.interrupted",
    "stream.resumed",
    "stream.ended",
    "stream.warning",
    "product.pinned",
    "product.unpinned",
)
"""Every kind of event there is."""


@dataclass(frozen=True, slots=True)
class Message:
    """One event on its way to one endpoint."""

    id: str
    """`webhook-id`: the event's, the same for every endpoint and at every try."""
    endpoint: str
    """Its URL."""
    kind: str
    body: bytes
    """JSON, as it is signed and sent."""
    made_ms: int
    """UTC ms."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message in the outbox."""

    message: Message
    tries: int
    """Made so far."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Who is told."""

    url: str
    secret: str = field(repr=False)
    """`whsec_` and base64."""
    events: tuple[str, ...] = ("*",)
    """Patterns of kinds: `stream.*`."""
    allow_private: bool = False
    """It may have an address that is not on the public internet."""

    def wants(self, kind: str) -> bool:
        return any(fnmatchcase(kind, pattern) for pattern in self.events)


Write = Callable[[str, Mapping[str, object]], tuple[Message, ...]]
"""Makes the messages of an event, given its kind and its data; one for each who wants it."""


def to_nobody(_kind: str, _data: Mapping[str, object]) -> tuple[Message, ...]:
    """A Write where no endpoint is configured."""
    return ()
