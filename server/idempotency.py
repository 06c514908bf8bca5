"""Writes that may be sent twice: the first answer is kept and given again.

As in the draft of the Idempotency-Key header field: same key, same request, same answer; same
key with another request is a conflict. Answers that hold secrets must not come through here.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from server.clock import Clock
from server.errors import Conflict, Invalid, Problem, Unavailable
from server.store.port import Store, StoredAnswer

KEEP_MS = 24 * 3_600_000
_KEY = re.compile(r"[\x21-\x7e]{1,128}", re.ASCII)
_DEADLINE = 30.0
_IN_FLIGHT = 1_024


@dataclass(slots=True)
class _Flight:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


class Idempotency:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._flights: dict[tuple[str, str], _Flight] = {}

    async def once(
        self, scope: str, key: str, request: bytes, work: Callable[[], Awaitable[tuple[int, bytes]]]
    ) -> tuple[int, bytes]:
        """Return the status and body that `work` gives, or gave when this key came first.

        `scope` names who asks and what (principal, method, path): keys of different scopes do
        not meet. `request` is the body, compared by digest. Errors are not kept: such a request
        may be tried again. Raises Invalid for a malformed key, Conflict
        `idempotency-mismatch`, Unavailable, and what `work` raises.
        """
        if _KEY.fullmatch(key) is None:
            rule = "must be 1 to 128 printable ASCII characters without spaces"
            raise Invalid(Problem("Idempotency-Key", rule))
        digest = hashlib.sha256(request).hexdigest()
        flight = self._board((scope, key))
        try:
            async with asyncio.timeout(_DEADLINE) as deadline:
                await flight.lock.acquire()
                deadline.reschedule(None)
            try:
                return await self._answer(scope, key, digest, work)
            finally:
                flight.lock.release()
        except TimeoutError as error:
            raise Unavailable("The first request with this key is still running.") from error
        finally:
            flight.users -= 1
            if not flight.users:
                del self._flights[scope, key]

    async def _answer(
        self,
        scope: str,
        key: str,
        digest: str,
        work: Callable[[], Awaitable[tuple[int, bytes]]],
    ) -> tuple[int, bytes]:
        kept = await self._store.stored_answer(scope, key)
        if kept is not None:
            if kept.digest != digest:
                detail = "This Idempotency-Key was used for another request."
                raise Conflict("idempotency-mismatch", detail)
            return kept.status, kept.body
        status, body = await work()
        answer = StoredAnswer(digest, status, body)
        await self._store.store_answer(scope, key, answer, self._clock.wall_ms(), KEEP_MS)
        return status, body

    def _board(self, place: tuple[str, str]) -> _Flight:
        flight = self._flights.get(place)
        if flight is None:
            if len(self._flights) >= _IN_FLIGHT:
                raise Unavailable("Too many writes at once; try again.")
            flight = self._flights[place] = _Flight()
        flight.users += 1
        return flight
