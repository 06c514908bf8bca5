"""Requests that are held: until their answer is there, or they have waited too long. asyncio."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog

from server.clock import Clock
from server.hls.answer import Answer
from server.hls.request import Refuse, Request

Tell = Callable[[Answer | Refuse], None]


@dataclass(slots=True)
class Held:
    """A request that waits for its answer."""

    deadline: float
    """By the edge's clock."""
    tell: Tell | None
    """Called once, on the loop; None: it was, or nobody waits any more."""


class Waiting:
    """At most `most` requests; those for the same wait together. Runs on one event loop."""

    def __init__(self, clock: Clock, most: int, too_late: Callable[[Request], Refuse]) -> None:
        """`too_late` gives what is told to who waited in vain."""
        self._clock = clock
        self._most = most
        self._too_late = too_late
        self._held: dict[Request, deque[Held]] = {}
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        """Count the requests held now."""
        return self._count

    @property
    def is_full(self) -> bool:
        return self._count >= self._most

    def hold(self, request: Request, seconds: float, tell: Tell) -> Held:
        """Hold a request for so long; `tell` is called once, unless it is let go before."""
        now = self._clock.monotonic()
        held = Held(now + seconds, tell)
        self._held.setdefault(request, deque()).append(held)
        self._count += 1
        if self._timer is None:
            self._set_timer(now)
        return held

    async def wait(self, request: Request, seconds: float) -> Answer | Refuse:
        """Hold a request and wait for its answer."""
        future: asyncio.Future[Answer | Refuse] = asyncio.get_running_loop().create_future()

        def tell(answer: Answer | Refuse) -> None:
            if not future.done():
                future.set_result(answer)

        held = self.hold(request, seconds, tell)
        try:
            # The sweep bounds this wait: every request that is held has a deadline.
            return await future
        finally:
            self.let_go(held)

    def let_go(self, held: Held) -> None:
        """Hold a request no longer. Idempotent."""
        if held.tell is not None:
            held.tell = None
            self._count -= 1

    def answer(
        self, kind: type[Request], look: Callable[[Request], Answer | Refuse | None]
    ) -> None:
        """Tell all for whose request, of this kind, `look` has an answer now."""
        for request in tuple(self._held):
            answer = look(request) if isinstance(request, kind) else None
            if answer is not None:
                self._wake(self._held.pop(request), answer)

    def sweep(self) -> None:
        """Refuse whoever waited too long, and set the timer for the next."""
        now = self._clock.monotonic()
        self._timer = None
        for request, waiters in tuple(self._held.items()):
            late = 0
            while late < len(waiters) and waiters[late].deadline <= now:
                late += 1
            self._wake([waiters.popleft() for _ in range(late)], self._too_late(request))
            if not waiters:
                del self._held[request]
        if self._timer is None:
            self._set_timer(now)

    def close(self, refusal: Refuse) -> None:
        """Tell everybody. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._held:
            _, waiters = self._held.popitem()
            self._wake(waiters, refusal)

    def _set_timer(self, now: float) -> None:
        deadlines = [waiters[0].deadline for waiters in self._held.values() if waiters]
        if deadlines:
            delay = max(min(deadlines) - now, 0.0) + 0.005
            self._timer = asyncio.get_running_loop().call_later(delay, self.sweep)

    def _wake(self, waiters: Iterable[Held], answer: Answer | Refuse) -> None:
        for held in waiters:
            tell = held.tell
            if tell is not None:
                self.let_go(held)
                try:
                    tell(answer)
                except Exception:  # noqa: BLE001 - others wait for the same, and for what is next
                    structlog.get_logger("hls").exception("who waited could not be told")
