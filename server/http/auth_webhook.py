"""Asks the operator's own service who may publish, over HTTP (Standard Webhooks 1.0).

aiohttp's client. Each question has one deadline; their number, and what is read of an answer,
are bounded; redirects are not followed.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import aiohttp
import structlog
from standardwebhooks import Webhook

from server.judge import Attempt, Verdict, WebhookSettings, question, read_verdict

MAX_ANSWER = 16 * 1024
"""Bytes of an answer."""
CANNOT_ASK = "The server cannot ask whether this broadcast is allowed; try again in a minute."


class AuthWebhook:
    """A `server.judge.Judge`. To be made in the event loop, and closed."""

    def __init__(self, settings: WebhookSettings) -> None:
        self._settings = settings
        self._signer = Webhook(settings.secret) if settings.secret else None
        self._turns = asyncio.Semaphore(settings.together)
        # A connection kept open may be closed by the other side just when it is used again,
        # and a question lost so would refuse an anchor.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=settings.together, force_close=True),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
        )
        self._log = structlog.get_logger("auth_webhook")

    async def judge(self, attempt: Attempt) -> Verdict:
        """Ask; decide as configured when there is no answer that says yes or no."""
        try:
            async with asyncio.timeout(self._settings.timeout), self._turns:
                status, body = await self._post(attempt)
            return read_verdict(status, body)
        except TimeoutError:
            return self._undecided(attempt, f"no answer within {self._settings.timeout:g} s")
        except aiohttp.ClientError as error:
            return self._undecided(attempt, _said(error))
        except ValueError as error:
            return self._undecided(attempt, str(error))

    async def close(self) -> None:
        await self._session.close()

    async def _post(self, attempt: Attempt) -> tuple[int, bytes]:
        """Ask and read the answer. Raises aiohttp.ClientError, ValueError for too long a one."""
        text = question(attempt, with_key=self._settings.send_key)
        async with self._session.post(
            self._settings.url,
            data=text.encode(),
            headers=self._headers(attempt, text),
            allow_redirects=False,
        ) as response:
            body = bytearray()
            async for piece in response.content.iter_any():
                body += piece
                if len(body) > MAX_ANSWER:
                    raise ValueError(f"it answered with more than {MAX_ANSWER} bytes")
            return response.status, bytes(body)

    def _headers(self, attempt: Attempt, text: str) -> dict[str, str]:
        now = datetime.now(UTC)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "vitrine",
            "webhook-id": attempt.id,
            "webhook-timestamp": str(int(now.timestamp())),
        }
        if self._signer is not None:
            headers["webhook-signature"] = self._signer.sign(attempt.id, now, text)
        return headers

    def _undecided(self, attempt: Attempt, cause: str) -> Verdict:
        allowed = self._settings.fail_open
        self._log.warning(
            "auth webhook gave no verdict",
            cause=cause,
            channel=attempt.channel,
            attempt=attempt.id,
            allowed=allowed,
        )
        return Verdict(allowed, "" if allowed else CANNOT_ASK, decided=False)


def _said(error: aiohttp.ClientError) -> str:
    """Describe a failure without the address, which may carry a password."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"cannot connect: {error.os_error.strerror or type(error.os_error).__name__}"
    return f"the connection failed: {type(error).__name__}"
