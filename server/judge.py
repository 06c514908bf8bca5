"""Who decides beside the stream key: what is asked, and what an answer means. Pure.

The asking itself, over HTTP, is `server.http.auth_webhook`'s.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Final, Protocol

from server.instant import rfc3339

MAX_REASON: Final = 200
"""Characters of a reason that are passed on to the anchor."""
NOT_ALLOWED: Final = "This broadcast was not allowed; ask who runs the channel."


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody wants to publish to a channel, and their key is good."""

    id: str
    at_ms: int
    channel: str
    protocol: str
    app: str
    peer: str
    """Host address, without a port."""
    encoder: str
    """What the publisher calls itself; anybody's word."""
    key_id: str
    """The beginning of the key's digest: tells keys apart, opens nothing. Empty without a key."""
    key: str = field(repr=False)
    """The stream key. A secret: never logged, sent only where the operator asked for it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    allowed: bool
    reason: str = ""
    """Why not: one line that the anchor reads in the encoder's log."""
    decided: bool = True
    """Somebody said so; else nobody could be asked, which may pass."""


class Judge(Protocol):
    async def judge(self, attempt: Attempt) -> Verdict:
        """Say whether it may publish. Bounds its own wait; raises nothing of its own."""
        ...


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    url: str = field(repr=False)
    """May carry a password."""
    secret: str = field(default="", repr=False)
    """`whsec_...`; empty: requests are not signed."""
    timeout: float = 2.0
    """Seconds from the question to the answer's last byte, waiting for a turn included."""
    fail_open: bool = False
    """Whether a broadcast begins when there is no answer that says yes or no."""
    send_key: bool = False
    together: int = 32
    """Questions on their way at once."""


def question(attempt: Attempt, *, with_key: bool) -> str:
    """Write the webhook's body (JSON, ASCII)."""
    asked = {
        "event": "publish",
        "attempt": attempt.id,
        "at": rfc3339(attempt.at_ms),
        "channel": attempt.channel,
        "protocol": attempt.protocol,
        "app": attempt.app,
        "peer": attempt.peer,
        "encoder": attempt.encoder or None,
        "key_id": attempt.key_id or None,
    }
    if with_key:
        asked["key"] = attempt.key or None
    return json.dumps(asked)


def read_verdict(status: int, body: bytes) -> Verdict:
    """Read a webhook's answer.

    2xx allows, unless the body is a JSON object whose `allow` is false; 401 and 403 deny. A
    JSON object's `reason` is passed on. Raises ValueError, saying what is wrong, for an answer
    that says neither.
    """
    if status in {401, 403}:
        try:
            said = _object(body)
        except ValueError:
            said = {}
        return Verdict(allowed=False, reason=_line(said.get("reason")))
    if not 200 <= status < 300:
        raise ValueError(f"it answered with status {status}")
    said = _object(body)
    allow = said.get("allow", True)
    if not isinstance(allow, bool):
        raise ValueError("it answered with an `allow` that is neither true nor false")
    return Verdict(True) if allow else Verdict(allowed=False, reason=_line(said.get("reason")))


def _object(body: bytes) -> dict[str, object]:
    """Read a body that looks like a JSON object; any other (`OK`, nothing) says no more."""
    text = body.decode(json.detect_encoding(body), "replace").lstrip("\ufeff \t\r\n")
    if not text.startswith("{"):
        return {}
    try:
        # It begins like an object, so it is one.
        said: dict[str, object] = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError("it answered with broken JSON") from error
    return said


def _line(reason: object) -> str:
    """Make one printable line of a reason; a stock one where there is none."""
    if not isinstance(reason, str):
        return NOT_ALLOWED
    printable = "".join(c if c.isprintable() else " " for c in reason[: 4 * MAX_REASON])
    return " ".join(printable.split())[:MAX_REASON] or NOT_ALLOWED
