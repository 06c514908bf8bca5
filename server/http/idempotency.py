"""Writes that may be sent twice: the same `Idempotency-Key` gets the same answer.

The key belongs to who sent it and to the address it was sent to; nobody in particular has
none. Another body under a key is a conflict. Answers that carry a secret are remembered in
memory only.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from server.auth import Principal, Role
from server.clock import Clock
from server.errors import Conflict, Invalid, Problem, Unavailable
from server.http.body import read_body
from server.http.reply import Reply
from server.store.port import Store, StoredAnswer

Call = Callable[[web.Request], Awaitable[Reply]]

KEEP_MS = 24 * 3600 * 1000
WAIT_SECONDS = 20.0
"""How long the second of two at once waits for the first."""
_MOST_IN_MEMORY = 256
_KEY = re.compile(r"[\x21-\x7e]{1,128}", re.ASCII)


class Idempotency:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._secret: OrderedDict[tuple[str, str], StoredAnswer] = OrderedDict()
        self._busy: dict[tuple[str, str], tuple[asyncio.Lock, int]] = {}

    async def once(
        self,
        request: web.Request,
        who: Principal,
        secret: bool,
        call: Call,
    ) -> Reply:
        """Do `call`, or give the answer it got before under the same key.

        Raises Invalid for a key that is none, Conflict `idempotency-mismatch`, Unavailable
        when the first of two at once takes too long.
        """
        key = request.headers.get("Idempotency-Key")
        if key is not None and _KEY.fullmatch(key) is None:
            raise Invalid(Problem("Idempotency-Key", "must be 1 to 128 visible ASCII characters"))
        # All strangers have one name: a key of one must not open what another was given.
        if key is None or who.role is Role.ANONYMOUS:
            return await call(request)
        scope = f"{who.actor} {request.method} {request.path}"
        digest = hashlib.sha256(request.query_string.encode() + b"\0" + await read_body(request))
        async with self._alone((scope, key)):
            stored = await self._stored(scope, key, secret)
            if stored is None:
                reply = await call(request)
                await self._keep(scope, key, secret, digest.hexdigest(), reply)
                return reply
        if stored.digest != digest.hexdigest():
            raise Conflict(
                "idempotency-mismatch", "This Idempotency-Key came before with another body."
            )
        return Reply(json.loads(stored.body) if stored.body else None, status=stored.status)

    async def _stored(self, scope: str, key: str, secret: bool) -> StoredAnswer | None:
        if secret:
            return self._secret.get((scope, key))
        return await self._store.stored_answer(scope, key)

    async def _keep(self, scope: str, key: str, secret: bool, digest: str, reply: Reply) -> None:
        answer = StoredAnswer(digest, reply.status, reply.body())
        if not secret:
            now = self._clock.wall_ms()
            await self._store.store_answer(scope, key, answer, now, KEEP_MS)
            return
        self._secret[scope, key] = answer
        while len(self._secret) > _MOST_IN_MEMORY:
            self._secret.popitem(last=False)

    @asynccontextmanager
    async def _alone(self, name: tuple[str, str]) -> AsyncIterator[None]:
        """Hold the key: the second of two at once waits for the first one's answer."""
        lock, waiting = self._busy.get(name, (asyncio.Lock(), 0))
        self._busy[name] = (lock, waiting + 1)
        try:
            try:
                async with asyncio.timeout(WAIT_SECONDS):
                    await lock.acquire()
            except TimeoutError as error:
                raise Unavailable("The same request is still under way; try again.") from error
            try:
                yield
            finally:
                lock.release()
        finally:
            _, waiting = self._busy[name]
            if waiting == 1:
                del self._busy[name]
            else:
                self._busy[name] = (lock, waiting - 1)
