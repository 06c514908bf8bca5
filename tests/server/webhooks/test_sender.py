"""Delivery over real HTTP, from a real store."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from standardwebhooks import WebhookVerificationError
from structlog.testing import capture_logs

from server.clock import SystemClock
from server.errors import Unavailable
from server.store.sqlite import SqliteStore
from server.webhooks.message import Endpoint, Message
from server.webhooks.schedule import Settings
from server.webhooks.sender import MAX_ANSWER, Sender
from server.webhooks.writer import Writer
from tests.helpers.eventually import eventually
from tests.helpers.hook import SECRET, Hook, Post, hooked

SWIFT = Settings(timeout=5, delays=(0.02, 0.05), poll=0.02)
CLOCK = SystemClock()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = await SqliteStore.open(tmp_path / "vitrine.db")
    yield opened
    await opened.close()


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    async with hooked() as running:
        yield running


def endpoint(hook: Hook, *events: str) -> Endpoint:
    return Endpoint(hook.url, SECRET, events or ("*",), allow_private=True)


@asynccontextmanager
async def sending(
    store: SqliteStore, *endpoints: Endpoint, settings: Settings = SWIFT
) -> AsyncIterator[Sender]:
    sender = Sender(store, endpoints, CLOCK, settings)
    await sender.start()
    try:
        yield sender
    finally:
        await sender.close()


async def post(store: SqliteStore, to: Endpoint, count: int = 1, first: int = 0) -> list[Message]:
    write = Writer([to], CLOCK)
    made = [
        message
        for number in range(first, first + count)
        for message in write("stream.started", {"channel": "茶", "number": number})
    ]
    await store.post(made)
    return made


async def empty(store: SqliteStore, to: Endpoint) -> bool:
    return not await store.outbox(to.url, 2**60, 1)


async def until_empty(store: SqliteStore, to: Endpoint) -> None:
    async with asyncio.timeout(20):
        while not await empty(store, to):  # noqa: ASYNC110 - a store has no event
            await asyncio.sleep(0.01)


async def test_a_message_arrives_signed_and_once(store: SqliteStore, hook: Hook) -> None:
    to = endpoint(hook)
    (made,) = await post(store, to)
    async with sending(store, to):
        await until_empty(store, to)
    (got,) = hook.posts
    event = got.verified()
    assert got.id == made.id
    assert event["type"] == "stream.started"
    assert event["data"] == {"channel": "茶", "number": 0}
    assert got.headers["content-type"] == "application/json"
    with pytest.raises(WebhookVerificationError):
        got.verified("whsec_" + "b3RoZXI=" * 4)


async def test_failures_are_tried_again_with_the_same_id_over_a_kill_and_a_restart(
    store: SqliteStore, hook: Hook
) -> None:
    to = endpoint(hook)
    failures = {"left": 5}

    def answer(_: Post) -> web.StreamResponse:
        failures["left"] -= 1
        return web.Response(status=503 if failures["left"] >= 0 else 200)

    hook.answer = answer
    made = await post(store, to, 10)
    killed = Sender(store, [to], CLOCK, SWIFT)
    await killed.start()
    await eventually(lambda: len(hook.posts) >= 6, 20)
    await killed.close()
    assert len(set(hook.ids)) < 6 + 10
    made += await post(store, to, 5, first=10)
    async with sending(store, to):
        await until_empty(store, to)
    assert set(hook.ids) == {message.id for message in made}
    assert len(hook.posts) >= len(made) + 5, "five were tried again"
    by_id: dict[str, set[bytes]] = {}
    for one in hook.posts:
        assert one.verified()["data"]["channel"] == "茶", "signed anew each time"
        by_id.setdefault(one.id, set()).add(one.body)
    assert all(len(bodies) == 1 for bodies in by_id.values())
    assert sorted(event["data"]["number"] for event in hook.events()) == list(range(15))


async def test_a_hanging_endpoint_holds_up_nobody_else(store: SqliteStore, hook: Hook) -> None:
    hanging = socket.create_server(("127.0.0.1", 0))
    try:
        url = f"http://127.0.0.1:{hanging.getsockname()[1]}/"
        stuck = Endpoint(url, SECRET, allow_private=True)
        await post(store, stuck, 30)
        await post(store, endpoint(hook), 3)
        async with sending(store, stuck, endpoint(hook)):
            await until_empty(store, endpoint(hook))
        assert len(hook.posts) == 3
        assert not await empty(store, stuck)
    finally:
        hanging.close()


async def test_no_more_requests_are_under_way_than_may_be(store: SqliteStore) -> None:
    under_way = most = 0

    async def slow(_: web.Request) -> web.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.02)
        under_way -= 1
        return web.Response()

    app = web.Application()
    app.router.add_post("/{path:.*}", slow)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        to = [Endpoint(f"{base}/{n}", SECRET, allow_private=True) for n in range(4)]
        for one in to:
            await post(store, one, 8)
        few = Settings(timeout=5, poll=0.02, together=3, together_per_endpoint=2)
        async with sending(store, *to, settings=few):
            for one in to:
                await until_empty(store, one)
    finally:
        await runner.cleanup()
    assert 2 <= most <= 3


async def test_a_message_under_way_is_not_sent_again_for_another_ones_trouble(
    store: SqliteStore, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = endpoint(hook)
    first, second = await post(store, to, 2)
    noted, again, failures = store.delivered, asyncio.Event(), {"left": 1}

    def answer(got: Post) -> web.StreamResponse:
        if hook.ids.count(second.id) > 1:
            again.set()
        return web.Response()

    async def delivered(message: Message) -> None:
        if message == first and failures["left"]:
            failures["left"] -= 1
            raise Unavailable("The store is away.")
        if message == second:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(again.wait(), 0.3)
        await noted(message)

    hook.answer = answer
    monkeypatch.setattr(store, "delivered", delivered)
    monkeypatch.setattr("server.webhooks.sender.TROUBLE_SECONDS", 0.0)
    async with sending(store, to):
        await until_empty(store, to)
    assert hook.ids.count(first.id) == 2
    assert hook.ids.count(second.id) == 1


async def test_redirects_are_not_followed(store: SqliteStore, hook: Hook) -> None:
    to = endpoint(hook)
    elsewhere = hook.url.replace("/hook", "/elsewhere")

    def answer(got: Post) -> web.StreamResponse:
        if len(hook.posts) == 1:
            return web.Response(status=307, headers={"Location": elsewhere})
        return web.Response()

    hook.answer = answer
    await post(store, to)
    async with sending(store, to):
        await until_empty(store, to)
    assert len(hook.posts) == 2, "a failure, then the same address again"


async def test_an_endless_answer_is_not_read(store: SqliteStore, hook: Hook) -> None:
    to = endpoint(hook)
    hook.answer = lambda _: web.Response(body=b"x" * (MAX_ANSWER * 1_000))
    await post(store, to, 3)
    async with sending(store, to):
        await until_empty(store, to)
    assert len(hook.posts) == 3


async def test_what_is_too_old_is_given_up_and_what_is_gone_is_let_go(
    store: SqliteStore, hook: Hook
) -> None:
    to = endpoint(hook)
    old = Message("msg_old", to.url, "stream.started", b"{}", CLOCK.wall_ms() - 4 * 86_400_000)
    await store.post([old])
    hook.answer = lambda _: web.Response(status=410)
    await post(store, to)
    with capture_logs() as logs:
        async with sending(store, to):
            await until_empty(store, to)
    assert "msg_old" not in hook.ids
    assert len(hook.posts) == 1
    told = [entry["event"] for entry in logs if entry["log_level"] == "error"]
    assert sorted(told) == ["webhook given up", "webhook refused for good (410)"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0x7f000001", "2130706433"])
async def test_a_private_address_is_not_called(store: SqliteStore, hook: Hook, host: str) -> None:
    url = hook.url.replace("127.0.0.1", host)
    to = Endpoint(f"{url}?token=hidden", SECRET)
    await post(store, to)
    with capture_logs() as logs:
        async with sending(store, to):
            await eventually(lambda: any("webhook not" in e["event"] for e in logs), 20)
    assert hook.posts == []
    assert not await empty(store, to)
    assert "hidden" not in str(logs), "an address may carry a secret"
    assert SECRET not in repr(to)


async def test_messages_to_former_endpoints_are_dropped_at_the_start(
    store: SqliteStore, hook: Hook
) -> None:
    former = Endpoint("https://former.example/", SECRET)
    await post(store, former, 3)
    async with sending(store, endpoint(hook)):
        assert await empty(store, former)


async def test_retry_after_is_heeded(store: SqliteStore, hook: Hook) -> None:
    to = endpoint(hook)
    hook.answer = lambda _: web.Response(status=429, headers={"Retry-After": "3600"})
    await post(store, to)
    async with sending(store, to):
        await eventually(lambda: len(hook.posts) == 1, 20)
        async with asyncio.timeout(20):
            while await store.outbox(to.url, CLOCK.wall_ms() + 60_000, 1):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    (waiting,) = await store.outbox(to.url, CLOCK.wall_ms() + 3_600_000, 1)
    assert waiting.tries == 1


async def test_a_status_is_logged_as_one_and_words_as_words(store: SqliteStore, hook: Hook) -> None:
    hook.answer = lambda _: web.Response(status=403)
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    gone = Endpoint(f"http://127.0.0.1:{port}/", SECRET, ("*",), allow_private=True)
    await post(store, endpoint(hook))
    await post(store, gone)

    def told(name: str) -> list[MutableMapping[str, Any]]:
        return [line for line in logs if "not delivered" in line["event"] and name in line]

    with capture_logs() as logs:
        async with sending(store, endpoint(hook), gone):
            await eventually(lambda: bool(told("status") and told("problem")), 20)
    assert told("status")[0]["status"] == 403
    assert isinstance(told("problem")[0]["problem"], str)
    assert not any("problem" in line for line in told("status"))
