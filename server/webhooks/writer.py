"""Events become messages, and those that no change in the store goes with are posted.

asyncio. `Writer` only makes them: who changes the store hands them to the same transaction.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import structlog
from ulid import ULID

from server.clock import Clock
from server.errors import VitrineError
from server.instant import rfc3339
from server.live.coach import Change, Severity
from server.live.state import warning_json
from server.shop.letters import session_data
from server.store.port import Store
from server.webhooks.message import Endpoint, Message, Write


class Writer:
    """Makes the messages of an event: one for each endpoint that wants its kind."""

    def __init__(self, endpoints: Sequence[Endpoint], clock: Clock) -> None:
        self._endpoints = tuple(endpoints)
        self._clock = clock

    def __call__(self, kind: str, data: Mapping[str, object]) -> tuple[Message, ...]:
        """Make them; `data` as the API writes things."""
        wanting = [endpoint for endpoint in self._endpoints if endpoint.wants(kind)]
        if not wanting:
            return ()
        now_ms = self._clock.wall_ms()
        text = {"type": kind, "timestamp": rfc3339(now_ms), "data": dict(data)}
        body = json.dumps(text, ensure_ascii=False, separators=(",", ":")).encode()
        name = f"msg_{ULID.from_timestamp(now_ms)}"
        return tuple(Message(name, endpoint.url, kind, body, now_ms) for endpoint in wanting)


class Herald:
    """Posts what changes nothing in the store: interruptions, and what the coach says.

    Listens to sessions and to warnings. What cannot be posted is logged: a broadcast does not
    wait for webhooks. Beginnings and ends are written with the sessions, by the shop.
    """

    def __init__(self, store: Store, write: Write) -> None:
        self._store = store
        self._write = write
        self._log = structlog.get_logger("webhooks")

    async def session_started(self, channel: str, session: str, at_ms: int) -> None:
        """Do nothing: posted with the session's opening."""

    async def session_ended(self, channel: str, session: str, at_ms: int) -> None:
        """Do nothing: posted with the session's closing."""

    async def session_interrupted(self, channel: str, session: str, at_ms: int) -> None:
        await self._post("stream.interrupted", session_data(channel, session, at_ms))

    async def session_resumed(self, channel: str, session: str, at_ms: int) -> None:
        await self._post("stream.resumed", session_data(channel, session, at_ms))

    async def warnings_changed(
        self, channel: str, session: str, change: Change, at_ms: int
    ) -> None:
        """Post each warning that came or went; information is nobody's alarm."""
        whole = session_data(channel, session, at_ms)
        for state, notices in (("raised", change.raised), ("cleared", change.cleared)):
            for notice in notices:
                if notice.severity is not Severity.INFO:
                    told = {**whole, "state": state, **warning_json(notice)}
                    await self._post("stream.warning", told)

    async def _post(self, kind: str, data: Mapping[str, object]) -> None:
        messages = self._write(kind, data)
        if not messages:
            return
        try:
            await self._store.post(messages)
        except VitrineError as error:
            self._log.error("webhook not posted", kind=kind, reason=str(error))
