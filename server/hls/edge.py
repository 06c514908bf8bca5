"""Who waits for what: the origin's answers from memory, one rendering for all.

asyncio, no HTTP library. `server.hls.request` decides; this holds and wakes.
"""

from __future__ import annotations

import asyncio
import gzip
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from server.clock import Clock
from server.hls.listing import media_playlist, multivariant_playlist
from server.hls.request import (
    MediaRequest,
    PlaylistRequest,
    Refusal,
    Refuse,
    Request,
    Serve,
    Wait,
    decide,
    read_directives,
)
from server.hls.window import Window

PLAYLIST_TYPE = "application/vnd.apple.mpegurl"
VIDEO_TYPE = "video/mp4"
AUDIO_TYPE = "audio/mp4"
FOREVER = 31_536_000
HOLD_TARGETS = 3
FIRST_HOLD_SECONDS = 6.0
"""How long a request is held before the first epoch tells a target duration."""
PINNED_TARGETS = 6
"""How long a cache may keep the answer to a blocking reload: its URL is asked once (B.1)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A body to send with status 200, shared by everyone who asked."""

    body: bytes
    content_type: str
    max_age: int
    """Seconds."""
    etag: str
    """As in the header field, quotes included; weak where there are two codings."""
    immutable: bool = False
    gzip_body: bytes | None = None


Tell = Callable[[Answer | Refuse], None]


@dataclass(slots=True)
class Held:
    """A request that waits for its answer."""

    deadline: float
    """By the edge's clock."""
    tell: Tell | None
    """Called once, on the loop; None: it was, or nobody waits any more."""


class Edge:
    """One window's answers. Runs on one event loop; `published` wakes who waited.

    At most `most_waiting` requests are held, each for at most three target durations.
    """

    def __init__(self, window: Window, clock: Clock, most_waiting: int = 20_000) -> None:
        self.window = window
        self._clock = clock
        self._most_waiting = most_waiting
        self._waiting: dict[Request, deque[Held]] = {}
        self._waiting_count = 0
        self._rendered: dict[str | None, tuple[int, Answer, Answer]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def waiting(self) -> int:
        """Requests held now."""
        return self._waiting_count

    async def playlist(self, rendition: str | None, query: Mapping[str, str]) -> Answer | Refuse:
        """Answer a playlist (None: the multivariant), held as its directives ask."""
        request = read_directives(rendition, query)
        return request if isinstance(request, Refuse) else await self._resolve(request)

    async def media(self, rendition: str, name: str) -> Answer | Refuse:
        """Answer an initialization section, segment or part; the hinted part is held."""
        return await self._resolve(MediaRequest(rendition, name))

    def ask(self, request: Request, tell: Tell) -> Answer | Held | None:
        """Answer from memory at once, or hold the request and `tell` later; without a task.

        None: neither; `playlist` or `media` say why, or find it elsewhere. Whoever goes away
        before `tell` was called says so by `let_go`.
        """
        answer = self._answer(request)
        if isinstance(answer, Answer):
            return answer
        if answer is not None or self._closed or self._waiting_count >= self._most_waiting:
            return None
        return self._hold(request, tell)

    def let_go(self, held: Held) -> None:
        """Hold a request no longer. Idempotent."""
        if held.tell is not None:
            held.tell = None
            self._waiting_count -= 1

    def published(self) -> None:
        """Tell that the window changed: wake whoever waited for that, forget what is over."""
        self.window.expire(int(self._clock.monotonic() * 1000))
        for request in tuple(self._waiting):
            answer = self._answer(request)
            if answer is not None:
                self._wake(self._waiting.pop(request), answer)

    def close(self) -> None:
        """Refuse whoever waits, and whoever would. Idempotent."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting:
            _, waiters = self._waiting.popitem()
            self._wake(waiters, Refuse(Refusal.UNAVAILABLE, "The stream is closing."))

    def sweep(self) -> None:
        """Refuse whoever waited too long, and set the timer for the next."""
        now = self._clock.monotonic()
        self._timer = None
        for request, waiters in tuple(self._waiting.items()):
            late = 0
            while late < len(waiters) and waiters[late].deadline <= now:
                late += 1
            self._wake([waiters.popleft() for _ in range(late)], self._too_late(request))
            if not waiters:
                del self._waiting[request]
        self._set_timer(now)

    async def _resolve(self, request: Request) -> Answer | Refuse:
        answer = self._answer(request)
        if answer is not None:
            return answer
        if self._closed:
            return Refuse(Refusal.UNAVAILABLE, "The stream is closing.")
        if self._waiting_count >= self._most_waiting:
            return Refuse(Refusal.UNAVAILABLE, "Too many requests are waiting.")
        return await self._wait(request)

    async def _wait(self, request: Request) -> Answer | Refuse:
        future: asyncio.Future[Answer | Refuse] = asyncio.get_running_loop().create_future()

        def tell(answer: Answer | Refuse) -> None:
            if not future.done():
                future.set_result(answer)

        held = self._hold(request, tell)
        try:
            # The sweep above all bounds this wait: every request that is held has a deadline.
            return await future
        finally:
            self.let_go(held)

    def _hold(self, request: Request, tell: Tell) -> Held:
        now = self._clock.monotonic()
        seconds = HOLD_TARGETS * self.window.target_duration or FIRST_HOLD_SECONDS
        held = Held(now + seconds, tell)
        self._waiting.setdefault(request, deque()).append(held)
        self._waiting_count += 1
        if self._timer is None:
            self._set_timer(now)
        return held

    def _set_timer(self, now: float) -> None:
        deadlines = [waiters[0].deadline for waiters in self._waiting.values() if waiters]
        if deadlines and not self._closed:
            delay = max(min(deadlines) - now, 0.0) + 0.005
            self._timer = asyncio.get_running_loop().call_later(delay, self.sweep)

    def _wake(self, waiters: Iterable[Held], answer: Answer | Refuse) -> None:
        for held in waiters:
            tell = held.tell
            if tell is not None:
                self.let_go(held)
                tell(answer)

    def _too_late(self, request: Request) -> Refuse:
        if isinstance(request, PlaylistRequest) and request.rendition is None:
            return Refuse(Refusal.NOT_FOUND, "The channel has no picture yet.")
        return Refuse(Refusal.UNAVAILABLE, "The stream did not go on in time.")

    def _answer(self, request: Request) -> Answer | Refuse | None:
        """Answer as the window stands; None: wait."""
        match decide(self.window, request):
            case Wait():
                return None
            case Refuse() as refusal:
                return refusal
            case Serve():
                if isinstance(request, MediaRequest):
                    return self._media(request)
                _, plain, pinned = self._render(request.rendition)
                return plain if request.msn is None else pinned

    def _media(self, request: MediaRequest) -> Answer | Refuse:
        rendition = self.window.renditions[request.rendition]
        body = rendition.body(request.name)
        if body is None:
            return Refuse(Refusal.NOT_FOUND, "There is no such segment or part, or no longer.")
        return Answer(
            body=body,
            content_type=AUDIO_TYPE if rendition.audio_only else VIDEO_TYPE,
            max_age=FOREVER,
            etag=f'"{request.rendition}/{request.name}"',
            immutable=True,
        )

    def _render(self, name: str | None) -> tuple[int, Answer, Answer]:
        """Render a playlist once for each of its versions, when it is first asked for."""
        version = self.window.version(name)
        known = self._rendered.get(name)
        if known is not None and known[0] == version:
            return known
        snapshot = (
            multivariant_playlist(self.window)
            if name is None
            else media_playlist(self.window, name)
        )
        body = snapshot.text().encode()
        plain = Answer(
            body=body,
            content_type=PLAYLIST_TYPE,
            max_age=1,
            etag=f'W/"{self.window.run}-{name or ""}-{version}"',
            gzip_body=gzip.compress(body, 6, mtime=0),
        )
        pinned = replace(plain, max_age=PINNED_TARGETS * self.window.target_duration)
        rendered = (version, plain, pinned)
        self._rendered[name] = rendered
        return rendered
