"""Fetches for the linter: paced, bounded, each with a deadline."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Mapping

import aiohttp
from yarl import URL

from server.lint.client import Answer, Client
from server.lint.reply import Reply

MOST_PER_SECOND = 60
"""Requests; a stream of four renditions with three parts a second takes 24."""
MOST_BYTES = 64_000_000
SECONDS = 30.0
"""The longest that one request may take; a blocking reload may be held for three targets."""
MOST_REDIRECTIONS = 5
REDIRECTIONS = (301, 302, 303, 307, 308)
SENT = {"Accept": "*/*", "Accept-Encoding": "gzip", "User-Agent": "vitrine-lint"}


class LintError(Exception):
    """The stream cannot be looked at. Its text is one line."""


class Fetcher:
    """One watch's requests. `now` is the clock that answers are stamped by."""

    def __init__(self, client: Client, now: Callable[[], float]) -> None:
        self._client = client
        self._now = now
        self._free_at = 0.0
        self.requests = 0
        self.protocols: dict[tuple[str, str], str] = {}
        """By scheme and server, what its newest answer came by."""

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
        try:
            async with asyncio.timeout(SECONDS):
                place = URL(url).extend_query(query or {})
                answer, place = await self._ask(method, place, {**SENT, **(headers or {})})
            ended = self._now()
            told = _fields(answer)
            body = _decoded(answer.body, told.get("content-encoding", ""))
        except TimeoutError as error:
            raise LintError(f"{url}: no answer within {SECONDS:.0f} s") from error
        except (aiohttp.ClientError, ValueError, OSError, zlib.error) as error:
            raise LintError(f"{url}: {str(error) or type(error).__name__}") from error
        return Reply(str(place), answer.status, told, body, began, ended)

    async def _ask(self, method: str, place: URL, headers: Mapping[str, str]) -> tuple[Answer, URL]:
        """Ask, go where the answer leads to, and tell where that was."""
        for _ in range(1 + MOST_REDIRECTIONS):
            self.requests += 1
            answer = await self._client.ask(method, place, headers)
            self.protocols[place.scheme, place.authority] = answer.protocol
            leads = dict(answer.headers).get("location")
            if answer.status not in REDIRECTIONS or leads is None:
                return answer, place
            place = place.join(URL(leads))
            if place.scheme not in ("http", "https"):
                break
        raise ValueError("it leads on and on")

    async def _turn(self) -> None:
        """Wait so that no more requests than allowed begin in a second."""
        now = self._now()
        at = max(now, self._free_at)
        self._free_at = at + 1 / MOST_PER_SECOND
        # A quarter of a second's requests may begin at once.
        if at - now > 0.25:
            await asyncio.sleep(at - now - 0.25)


def _fields(answer: Answer) -> dict[str, str]:
    """Join the lines of each field (RFC 9110 5.3)."""
    told: dict[str, str] = {}
    for name, value in answer.headers:
        told[name] = f"{told[name]}, {value}" if name in told else value
    return told


def _decoded(body: bytes, coding: str) -> bytes:
    """Undo gzip. Raises ValueError, zlib.error."""
    if coding.lower() != "gzip" or not body:
        return body
    unzip = zlib.decompressobj(wbits=31)
    text = unzip.decompress(body, MOST_BYTES)
    if not unzip.eof:
        raise ValueError("its gzip does not end, or is too large")
    return text
