"""Keeps what strangers cause from flooding the log. Pure; a processor of structlog's."""

from __future__ import annotations

import re
from collections.abc import Callable, MutableMapping
from typing import Any, Final

import structlog

SECONDS: Final = 1.0
MOST_KINDS: Final = 100
_NUMBER: Final = re.compile(r"[0-9]+")
STRANGERS: Final = frozenset(
    {
        "rtmp publish refused",
        "rtmp refused a connection",
        "rtmp session ended",
        "rtmp session failed",
        "whip publish refused",
        "whip refused a publisher",
    }
)
"""Events that anybody who reaches the port can cause, as often as they like."""


class Calm:
    """Lets one line a second of each such event, and cause, through; the rest are counted.

    The next line tells as `left_out` how many were not written. A session that published is
    nobody's storm: its lines all come through.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock`: monotonic seconds."""
        self._clock = clock
        self._last: dict[tuple[str, str], float] = {}
        self._left_out: dict[tuple[str, str], int] = {}

    def __call__(
        self, _logger: object, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        name = str(event.get("event"))
        if name not in STRANGERS or event.get("published"):
            return event
        kind = self._kind(name, event)
        now = self._clock()
        if now - self._last.get(kind, float("-inf")) < SECONDS:
            self._left_out[kind] = self._left_out.get(kind, 0) + 1
            raise structlog.DropEvent
        self._last[kind] = now
        left_out = self._left_out.pop(kind, 0)
        if left_out:
            event["left_out"] = left_out
        return event

    def _kind(self, name: str, event: MutableMapping[str, Any]) -> tuple[str, str]:
        """Tell what an event is one of: its cause, or its reason whatever numbers are in it.

        A stranger's words may be in a reason: beyond MOST_KINDS all others are one kind.
        """
        cause = event.get("cause") or _NUMBER.sub("#", str(event.get("reason", "")))
        kind = (name, str(cause))
        return kind if kind in self._last or len(self._last) < MOST_KINDS else (name, "")
