"""Delivers the outbox over HTTP: signed, bounded, tried again until it is too old.

aiohttp's client. Redirects are not followed, answers are hardly read, addresses are judged when
they are connected to, and nothing of an endpoint's URL but its host is logged.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import aiohttp
import structlog
from standardwebhooks import Webhook
from yarl import URL

from server.clock import Clock
from server.errors import VitrineError
from server.net import public_socket
from server.store.port import Store
from server.webhooks.message import Endpoint, Message, Waiting
from server.webhooks.schedule import Settings, next_try_ms

MAX_ANSWER = 4_096
"""Bytes of an answer that are read, so that its connection can be used again."""
TROUBLE_SECONDS = 5.0
"""To wait when the store does not answer."""
GONE = 410
"""RFC 9110 15.5.11; Standard Webhooks: the endpoint wants no more of it."""


class Sender:
    """Sends what waits in the outbox, to each endpoint on its own."""

    def __init__(
        self,
        store: Store,
        endpoints: Sequence[Endpoint],
        clock: Clock,
        settings: Settings | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._endpoints = tuple(endpoints)
        self._clock = clock
        self._settings = settings or Settings()
        self._chance = chance
        self._turns = asyncio.Semaphore(self._settings.together)
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []
        self._log = structlog.get_logger("webhooks")

    async def start(self) -> None:
        """Begin. Messages to endpoints that are not configured any more are dropped."""
        await self._clear()
        for endpoint in self._endpoints:
            session = await self._stack.enter_async_context(self._client(endpoint))
            work = self._serve(_Line(endpoint, session))
            self._tasks.append(asyncio.create_task(work, name="webhooks"))

    async def close(self) -> None:
        """Stop; what is under way counts as not delivered. Idempotent."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        await self._stack.aclose()

    def _client(self, endpoint: Endpoint) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=self._settings.together_per_endpoint,
            socket_factory=None if endpoint.allow_private else public_socket,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=self._settings.timeout),
            headers={"User-Agent": "Vitrine-Webhooks/1", "Content-Type": "application/json"},
            auto_decompress=False,
        )

    async def _serve(self, line: _Line) -> None:
        while True:
            try:
                pause = 0.0 if await self._send_some(line) else self._settings.poll
            except VitrineError as error:
                self._log.error("outbox in trouble", host=line.host, reason=str(error))
                pause = TROUBLE_SECONDS
            except Exception:  # noqa: BLE001 - whatever it is, the next try may do better
                self._log.exception("webhooks in trouble", host=line.host)
                pause = TROUBLE_SECONDS
            await asyncio.sleep(pause)

    async def _send_some(self, line: _Line) -> bool:
        """Send what is due, a few at a time; False when nothing was."""
        limit = self._settings.together_per_endpoint
        now_ms = self._clock.wall_ms()
        due = await self._store.outbox(line.endpoint.url, now_ms, limit)
        work = (self._send(line, waiting) for waiting in due)
        # All are waited for: one that goes on alone would be sent a second time beside it.
        for result in await asyncio.gather(*work, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result
        return bool(due)

    async def _send(self, line: _Line, waiting: Waiting) -> None:
        message, now_ms = waiting.message, self._clock.wall_ms()
        told = {"id": message.id, "kind": message.kind, "host": line.host}
        if now_ms - message.made_ms > self._settings.give_up * 1_000:
            self._log.error("webhook given up", tries=waiting.tries, **told)
            await self._store.delivered(message)
            return
        async with self._turns:
            problem, wish = await line.post(message, self._clock.wall_ms())
        if problem is None:
            self._log.debug("webhook delivered", tries=waiting.tries + 1, **told)
            await self._store.delivered(message)
        elif problem == GONE:
            self._log.error("webhook refused for good (410)", **told)
            await self._store.delivered(message)
        else:
            tries, now_ms = waiting.tries + 1, self._clock.wall_ms()
            at_ms = next_try_ms(self._settings, tries, now_ms, self._chance(), wish)
            what = {"status": problem} if isinstance(problem, int) else {"problem": problem}
            self._log.warning("webhook not delivered", **what, tries=tries, **told)
            await self._store.put_off(message, tries, at_ms)

    async def _clear(self) -> None:
        dropped = await self._store.clear_outbox([endpoint.url for endpoint in self._endpoints])
        if dropped:
            self._log.warning("webhooks to former endpoints dropped", messages=dropped)


class _Line:
    """One endpoint, its signature and its connections."""

    def __init__(self, endpoint: Endpoint, session: aiohttp.ClientSession) -> None:
        self.endpoint = endpoint
        self.host = URL(endpoint.url).host
        self._session = session
        self._signer = Webhook(endpoint.secret)

    async def post(self, message: Message, now_ms: int) -> tuple[int | str | None, float]:
        """Try once. Give what is wrong (a status, or words), or None, and the wished-for wait."""
        moment = datetime.fromtimestamp(now_ms / 1_000, UTC)
        headers = {
            "webhook-id": message.id,
            "webhook-timestamp": str(now_ms // 1_000),
            "webhook-signature": self._signer.sign(message.id, moment, message.body.decode()),
        }
        try:
            async with self._session.post(
                self.endpoint.url, data=message.body, headers=headers, allow_redirects=False
            ) as answer:
                await answer.content.read(MAX_ANSWER)
                good = 200 <= answer.status < 300
                return None if good else answer.status, _wish(answer.headers.get("Retry-After"))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return _said(error), 0.0


def _wish(text: str | None) -> float:
    """Read Retry-After's seconds (RFC 9110 10.2.3); a date, or nonsense, is no wish."""
    return float(text) if text and text.isascii() and text.isdigit() and len(text) < 9 else 0.0


def _said(error: Exception) -> str:
    """Say what went wrong, without the URL that aiohttp's errors carry."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"cannot connect: {error.os_error.strerror or type(error.os_error).__name__}"
    return "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__
