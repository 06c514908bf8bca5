"""The origin's answers from memory, one rendering for all, and who waits for them.

asyncio, no HTTP library. `server.hls.request` decides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from server.clock import Clock
from server.hls.answer import AUDIO_TYPE, FOREVER, PLAYLIST_TYPE, VIDEO_TYPE, Answer, Gzip
from server.hls.listing import media_playlist, multivariant_playlist
from server.hls.playlist import Written
from server.hls.reads import Reads
from server.hls.request import (
    Fetch,
    MediaRequest,
    PlaylistRequest,
    Refusal,
    Refuse,
    Request,
    Wait,
    decide,
    read_directives,
)
from server.hls.waiting import Held, Tell, Waiting
from server.hls.window import Window

HOLD_TARGETS = 3
FIRST_HOLD_SECONDS = 6.0
"""How long a request is held before the first epoch tells a target duration."""
PINNED_TARGETS = 6
"""How long a cache may keep the answer to a blocking reload: its URL is asked once (B.1)."""


class Edge:
    """One window's answers. Runs on one event loop; `published` wakes who waited.

    At most `most_waiting` requests are held, each for at most three target durations. Media of
    the window `before`, which this one follows, is given for as long as that is owed.
    """

    def __init__(
        self,
        window: Window,
        clock: Clock,
        most_waiting: int = 20_000,
        before: Edge | None = None,
    ) -> None:
        self.window = window
        self._clock = clock
        self._waiting = Waiting(clock, most_waiting, self._too_late)
        self._rendered: dict[tuple[str | None, bool], tuple[int, Answer, Answer]] = {}
        self._written: dict[str, Written] = {}
        self._reads = Reads(window.archive) if window.archive else None
        self._before = before
        self._before_until = 0.0
        if before is not None:
            before.forget_before()
            self._before_until = clock.monotonic() + before.window.linger_ms / 1000
        self._closed = False
        self._turn: asyncio.Handle | None = None
        """That tells playlists; None: nothing has changed since they were told."""

    @property
    def waiting(self) -> int:
        """Requests held now."""
        return len(self._waiting)

    async def playlist(self, rendition: str | None, query: Mapping[str, str]) -> Answer | Refuse:
        """Answer a playlist (None: the multivariant), held as its directives ask."""
        request = read_directives(rendition, query)
        return request if isinstance(request, Refuse) else await self._resolve(request)

    async def media(self, rendition: str, name: str) -> Answer | Refuse:
        """Answer an initialization section, segment or part; the hinted part is held."""
        request = MediaRequest(rendition, name)
        match decide(self.window, request):
            case Fetch() if self._reads is not None:
                return await self._fetch(self._reads, request)
            case Refuse(Refusal.NOT_FOUND) if self._before is not None:
                return await self._before.media(rendition, name)
        return await self._resolve(request)

    def ask(self, request: Request, tell: Tell) -> Answer | Held | None:
        """Answer from memory at once, or hold the request and `tell` later; without a task.

        None: neither; `playlist` or `media` say why, or find it elsewhere. Whoever goes away
        before `tell` was called says so by `let_go`.
        """
        answer = self._answer(request)
        if isinstance(answer, Answer):
            return answer
        if answer is not None or self._closed or self._waiting.is_full:
            return None
        return self._waiting.hold(request, self._hold_seconds, tell)

    def let_go(self, held: Held) -> None:
        """Hold a request no longer. Idempotent."""
        self._waiting.let_go(held)

    def published(self) -> None:
        """Tell that the window changed: wake whoever waited for that, forget what is over.

        Parts first: they are on their way when the playlists follow, which is once the loop has
        turned. What came with this part, mostly the other renditions' ones, goes before them too.
        """
        now = self._clock.monotonic()
        self.window.expire(int(now * 1000))
        if self._before is not None:
            self._before.window.expire(int(now * 1000))
            if now >= self._before_until:
                self._before = None
        self._waiting.answer(MediaRequest, self._answer)
        if self._turn is None and self._waiting:
            self._turn = asyncio.get_running_loop().call_soon(self._tell_playlists)

    def forget_before(self) -> None:
        """Give no more media of the window before."""
        self._before = None

    def close(self) -> None:
        """Refuse whoever waits, and whoever would. Idempotent."""
        self._closed = True
        if self._turn is not None:
            self._turn.cancel()
            self._tell_playlists()
        if self._reads is not None:
            self._reads.close()
        self._waiting.close(Refuse(Refusal.UNAVAILABLE, "The stream is closing."))

    def sweep(self) -> None:
        """Refuse whoever waited too long."""
        self._waiting.sweep()

    def _tell_playlists(self) -> None:
        self._turn = None
        self._waiting.answer(PlaylistRequest, self._answer)

    async def _resolve(self, request: Request) -> Answer | Refuse:
        answer = self._answer(request)
        if answer is not None:
            return answer
        if self._closed:
            return Refuse(Refusal.UNAVAILABLE, "The stream is closing.")
        if self._waiting.is_full:
            return Refuse(Refusal.UNAVAILABLE, "Too many requests are waiting.")
        return await self._waiting.wait(request, self._hold_seconds)

    @property
    def _hold_seconds(self) -> float:
        return HOLD_TARGETS * self.window.target_duration or FIRST_HOLD_SECONDS

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
        if isinstance(request, MediaRequest):
            return self._media(request)
        _, plain, pinned = self._render(request.rendition, request.skip and self._may_skip(request))
        # An end under numbers that the next session goes on with must not outlive this one.
        return plain if request.msn is None or self.window.ended else pinned

    def _may_skip(self, request: PlaylistRequest) -> bool:
        """Who asks for what has left the list has nothing that a delta update could keep."""
        if request.rendition is None or request.msn is None:
            return True
        return request.msn >= self.window.renditions[request.rendition].first_msn

    def _media(self, request: MediaRequest) -> Answer | Refuse:
        body = self.window.renditions[request.rendition].body(request.name)
        if body is None:
            return Refuse(Refusal.NOT_FOUND, "There is no such segment or part, or no longer.")
        return self._immutable(request, body)

    async def _fetch(self, reads: Reads, request: MediaRequest) -> Answer | Refuse:
        found = await reads.read(request.rendition, request.name)
        if isinstance(found, bytes):
            return self._immutable(request, found)
        if found.refusal is Refusal.NOT_FOUND:
            self.window.lose(request.name)
        return found

    def _immutable(self, request: MediaRequest, body: bytes) -> Answer:
        rendition = self.window.renditions[request.rendition]
        return Answer(
            body=body,
            content_type=AUDIO_TYPE if rendition.audio_only else VIDEO_TYPE,
            max_age=FOREVER,
            etag=f'"{request.rendition}/{request.name}"',
            immutable=True,
        )

    def _render(self, name: str | None, skip: bool) -> tuple[int, Answer, Answer]:
        """Render a playlist once for each of its versions, when it is first asked for."""
        version = self.window.version(name)
        skip = skip and name is not None
        known = self._rendered.get((name, skip))
        if known is not None and known[0] == version:
            return known
        body = self._text(name, skip).encode()
        plain = Answer(
            body=body,
            content_type=PLAYLIST_TYPE,
            max_age=1,
            etag=f'W/"{self.window.run}-{name or ""}-{version}{"d" * skip}"',
            gzip=Gzip(body),
        )
        pinned = replace(plain, max_age=PINNED_TARGETS * self.window.target_duration)
        rendered = (version, plain, pinned)
        self._rendered[name, skip] = rendered
        return rendered

    def _text(self, name: str | None, skip: bool) -> str:
        if name is None:
            return multivariant_playlist(self.window).text()
        written = self._written.setdefault(name, Written())
        return media_playlist(self.window, name).text(written, delta=skip)
