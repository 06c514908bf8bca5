"""The busy lane: live media and playlists without a task, a route or a request object each.

A thousand viewers are six thousand requests a second, nearly all alike. A connection here is
aiohttp's own that looks at what comes in first: a plain GET for a live playlist or for media that
the edge has in memory, or holds, is answered on the spot. All else, which is whatever is not
wholly usual, goes on to aiohttp and its application, on the same connection. Both say the same:
tests hold them together.

Leans on a few names that aiohttp does not promise, all in this file; a test fails when they move.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import structlog
import ulid
from aiohttp import web

from server.hls.answer import Answer
from server.hls.edge import Edge
from server.hls.request import MediaRequest, Refuse
from server.hls.waiting import Held
from server.http.hls import Origin
from server.http.lane_text import (
    BEGIN,
    MOST_HEAD,
    Asked,
    answer_head,
    ends_whole,
    read_fields,
    read_line,
    refusal_text,
    without_token,
)
from server.http.metrics import Metrics

MOST_REMEMBERED = 1024
"""Request lines and answers' heads: what one moment asks for, many times over."""
JOINED_BYTES = 16_384
"""Up to so many a body is copied behind its head: one buffer to send is cheaper than two."""
_LEFT = 499


MayWatch = Callable[[str, str, bool], bool]
"""Of a channel, the token in the path ("" for none), and whether media is asked for."""


class Lane:
    """What all connections of a server share."""

    def __init__(
        self, origin: Origin, metrics: Metrics, may_watch: MayWatch = lambda *_: True
    ) -> None:
        """Where `may_watch` says no, the long way says why, or knows better."""
        self._origin = origin
        self._metrics = metrics
        self._may_watch = may_watch
        self._lines: dict[bytes, Asked | None] = {}
        self._heads: dict[tuple[str, int, bool], bytes] = {}
        self._run = str(ulid.ULID())
        self._count = 0
        self._second = 0
        self._rest = b""
        self._log = structlog.get_logger("access").bind()
        self._tells = bool(self._log.is_enabled_for(10))

    def asked(self, line: bytes) -> Asked | None:
        """Read a request line, or remember what it was read as."""
        try:
            return self._lines[line]
        except KeyError:
            if len(self._lines) >= MOST_REMEMBERED:
                self._lines.clear()
            asked = self._lines[line] = read_line(line)
            return asked

    def edge(self, asked: Asked, token: str) -> Edge | None:
        """Return what serves the channel to whoever comes with this token in the path."""
        media = isinstance(asked.request, MediaRequest)
        may = self._may_watch(asked.channel, token, media)
        return self._origin.edge(asked.channel) if may else None

    def pieces(self, answer: Answer, takes_gzip: bool) -> tuple[bytes, bytes]:
        """Give the head and the body to send."""
        gzip = answer.gzip if takes_gzip else None
        body, coded = (answer.body, False) if gzip is None else (gzip.body(), True)
        key = answer.etag, answer.max_age, coded
        head = self._heads.get(key)
        if head is None:
            if len(self._heads) >= MOST_REMEMBERED:
                self._heads.clear()
            head = self._heads[key] = answer_head(answer, coded, len(body))
        return self.finished(head), body

    def finished(self, head: bytes) -> bytes:
        """Add what differs each time, and the end."""
        self._count += 1
        now = int(time.time())
        if now != self._second:
            self._second, date = now, formatdate(now, usegmt=True)
            self._rest = f"Date: {date}\r\nServer: vitrine\r\nX-Request-Id: {self._run}-".encode()
        return b"%b%b%x\r\n\r\n" % (head, self._rest, self._count)

    def note(self, path: str, status: int, began: float, peer: object) -> None:
        """Count an answer, and log it as all reads of media are: for debugging only."""
        seconds = time.perf_counter() - began
        self._metrics.observe("live", "GET", status, seconds)
        if self._tells:
            address = peer[0] if isinstance(peer, tuple) else peer
            self._log.debug(
                "request",
                id=f"{self._run}-{self._count:x}",
                peer=address,
                method="GET",
                path=path,
                status=status,
                ms=round(seconds * 1000, 1),
            )


class LaneConnection(web.RequestHandler):
    """One client's connection."""

    __slots__ = (
        *("_lane", "_clean", "_held", "_edge", "_later", "_block", "_takes_gzip"),
        *("_asked_path", "_began"),
    )

    def __init__(self, lane: Lane, server: web.Server, **options: Any) -> None:
        super().__init__(server, **options)
        self._lane = lane
        self._clean = True
        """aiohttp's parser is between two requests, as far as that can be known."""
        self._held: Held | None = None
        self._edge: Edge | None = None
        """Where it is held."""
        self._later = b""
        """Came while a request was held; no more is read until that is answered."""
        self._block = b""
        """The headers of the last request that was taken; clients repeat them."""
        self._takes_gzip = False
        self._asked_path = ""
        self._began = 0.0

    def data_received(self, data: bytes) -> None:
        """Take a request that is a whole and usual one; pass all else on."""
        if self._held is not None:
            self._wait_with(data)
        elif not (self._clean and data.startswith(BEGIN) and self._is_free() and self._take(data)):
            self._clean = self._clean and ends_whole(data)
            super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Wait no longer."""
        if self._held is not None and self._edge is not None:
            self._edge.let_go(self._held)
            self._held = None
            self._note(_LEFT)
        super().connection_lost(exc)

    def _is_free(self) -> bool:
        """Tell whether aiohttp has answered all it was given, and the client reads."""
        waiter = self._waiter
        return (
            waiter is not None
            and not waiter.done()
            and not self._messages
            and not self._paused
            and not self._close
            and not self._force_close
        )

    def _take(self, data: bytes) -> bool:
        end = data.find(b"\r\n")
        if end < 0 or len(data) > MOST_HEAD:
            return False
        block = data[end + 2 :]
        if block != self._block:
            takes_gzip = read_fields(block)
            if takes_gzip is None:
                return False
            self._block, self._takes_gzip = block, takes_gzip
        line, token = without_token(data[:end])
        asked = self._lane.asked(line)
        edge = None if asked is None else self._lane.edge(asked, token)
        if asked is None or edge is None:
            return False
        self._began = time.perf_counter()
        got = edge.ask(asked.request, self._told)
        if got is None:
            return False
        self._asked_path = asked.path
        if isinstance(got, Held):
            self._held, self._edge = got, edge
        else:
            self._send(*self._lane.pieces(got, self._takes_gzip))
            self._note(200)
        return True

    def _told(self, answer: Answer | Refuse) -> None:
        """Send what was held, then go on with what came meanwhile."""
        self._held = self._edge = None
        if isinstance(answer, Answer):
            self._send(*self._lane.pieces(answer, self._takes_gzip))
            self._note(200)
        else:
            head, body = refusal_text(answer)
            self._send(self._lane.finished(head), body)
            self._note(int(head[9:12]))
        later, self._later = self._later, b""
        if later and self.transport is not None:
            self._resume_transport_reading()
            self.data_received(later)

    def _wait_with(self, data: bytes) -> None:
        self._later += data
        self._pause_transport_reading()

    def _send(self, head: bytes, body: bytes) -> None:
        transport = self.transport
        if transport is None:
            return
        if len(body) <= JOINED_BYTES:
            transport.write(head + body)
        else:
            transport.writelines((head, body))
        self._stay_open()

    def _stay_open(self) -> None:
        """Have aiohttp close the connection when it is idle from now on, and not before."""
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout

    def _process_keepalive(self) -> None:
        """aiohttp's, when a connection may have been idle for so long."""
        if self._held is not None:
            self._stay_open()
        super()._process_keepalive()

    def _note(self, status: int) -> None:
        self._lane.note(self._asked_path, status, self._began, self.peername)


async def listen(
    lane: Lane, runner: web.AppRunner, host: str, port: int, keepalive: float
) -> asyncio.Server:
    """Listen for the runner's application, by way of the lane. Raises OSError."""
    loop = asyncio.get_running_loop()
    server = runner.server
    if server is None:
        raise RuntimeError("the runner is not set up")

    def connection() -> LaneConnection:
        return LaneConnection(lane, server, loop=loop, access_log=None, keepalive_timeout=keepalive)

    return await loop.create_server(connection, host, port, backlog=1024)
