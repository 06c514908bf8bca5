"""Fetches for the linter: paced, bounded, each with a deadline.

aiohttp only at this floor.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import aiohttp

from server.lint.reply import Reply

MOST_PER_SECOND = 60
"""Requests; a stream of four renditions with three parts a second takes 24."""
MOST_BYTES = 64_000_000
SECONDS = 30.0
"""The longest that one request may take; a blocking reload may be held for three targets."""


class LintError(Exception):
    """The stream cannot be looked at. Its text is one line."""


class Fetcher:
    """One session's requests. `now` is the clock that answers are stamped by."""

    def __init__(self, session: aiohttp.ClientSession, now: Callable[[], float]) -> None:
        self._session = session
        self._now = now
        self._free_at = 0.0
        self.requests = 0

    async def get(
        self,
        url: str,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        method: str = "GET",
    ) -> Reply:
        """Make one request. Raises LintError when there is no whole answer."""
        await self._turn()
        began = self._now()
        self.requests += 1
        try:
            async with (
                asyncio.timeout(SECONDS),
                self._session.request(
                    method,
                    url,
                    params=query,
                    headers={"Accept-Encoding": "gzip", **(headers or {})},
                ) as answer,
            ):
                pieces = bytearray()
                async for piece in answer.content.iter_any():
                    pieces += piece
                    if len(pieces) > MOST_BYTES:
                        raise LintError(f"{url}: more than {MOST_BYTES // 1_000_000} MB")
                told = {name.lower(): value for name, value in answer.headers.items()}
                return Reply(
                    str(answer.url), answer.status, told, bytes(pieces), began, self._now()
                )
        except TimeoutError as error:
            raise LintError(f"{url}: no answer within {SECONDS:.0f} s") from error
        except (aiohttp.ClientError, ValueError, OSError) as error:
            raise LintError(f"{url}: {str(error) or type(error).__name__}") from error

    async def _turn(self) -> None:
        """Wait so that no more requests than allowed begin in a second."""
        now = self._now()
        at = max(now, self._free_at)
        self._free_at = at + 1 / MOST_PER_SECOND
        # A quarter of a second's requests may begin at once.
        if at - now > 0.25:
            await asyncio.sleep(at - now - 0.25)
