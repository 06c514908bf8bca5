"""An endpoint for webhooks: real HTTP on loopback, what came in, and what it is to answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook

SECRET = "whsec_" + "dGhlIHRlc3RzJyBzZWNyZXQsIDMyIGJ5dGVzIGxvbmc="


@dataclass(slots=True)
class Post:
    """One request."""

    id: str
    headers: dict[str, str]
    body: bytes

    def verified(self, secret: str = SECRET) -> Any:
        """Give the JSON, its signature and time checked by the library."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass(slots=True)
class Hook:
    """A running endpoint. `answer` gives status and headers for each post, in order."""

    url: str = ""
    posts: list[Post] = field(default_factory=list)
    answer: Callable[[Post], web.StreamResponse] = lambda _: web.Response(status=204)

    @property
    def ids(self) -> list[str]:
        return [post.id for post in self.posts]

    def events(self) -> list[Any]:
        """Give each event once, in the order of first arrival, verified."""
        first = {post.id: post for post in reversed(self.posts)}
        return [first[name].verified() for name in dict.fromkeys(self.ids)]

    async def take(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        post = Post(headers.get("webhook-id", ""), headers, await request.read())
        self.posts.append(post)
        return self.answer(post)


@asynccontextmanager
async def hooked() -> AsyncIterator[Hook]:
    """Run an endpoint on a free port of loopback."""
    hook = Hook()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", hook.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        hook.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        yield hook
    finally:
        await runner.cleanup()
