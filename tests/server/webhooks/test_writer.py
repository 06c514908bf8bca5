"""Which endpoints get a message, and what the herald posts."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.clock import SystemClock
from server.live.coach import Change, Notice, Severity
from server.store.sqlite import SqliteStore
from server.webhooks.message import Endpoint, to_nobody
from server.webhooks.sender import Sender
from server.webhooks.writer import Herald, Writer
from tests.helpers.eventually import eventually
from tests.helpers.hook import SECRET, hooked
from tests.helpers.manual_clock import START_MS, ManualClock

DOCUMENT = Path(__file__).parents[3] / "docs" / "webhooks.md"
ALL = Endpoint("https://all.example/", SECRET)
SOME = Endpoint("https://some.example/", SECRET, ("stream.started", "product.*"))


def notice(code: str, severity: Severity = Severity.WARNING) -> Notice:
    return Notice(code, severity, f"{code} is wrong.", "Mend it.", START_MS)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = await SqliteStore.open(tmp_path / "vitrine.db")
    yield opened
    await opened.close()


async def posted(store: SqliteStore) -> list[Any]:
    return [json.loads(w.message.body) for w in await store.outbox(ALL.url, 2**60, 100)]


def test_an_event_goes_to_those_who_want_it_under_one_id() -> None:
    write = Writer([ALL, SOME], ManualClock())
    both, one = write("product.pinned", {"a": "ä"}), write("stream.ended", {})
    assert [message.endpoint for message in both] == [ALL.url, SOME.url]
    assert [message.endpoint for message in one] == [ALL.url]
    assert both[0].id == both[1].id != one[0].id
    assert json.loads(both[0].body) == {
        "type": "product.pinned",
        "timestamp": "2026-01-01T00:00:00.000Z",
        "data": {"a": "ä"},
    }
    assert Writer([], ManualClock())("stream.ended", {}) == to_nobody("stream.ended", {}) == ()


async def test_interruptions_and_warnings_are_posted(store: SqliteStore) -> None:
    herald = Herald(store, Writer([ALL], ManualClock()))
    await herald.session_started("tea", "s1", START_MS)
    await herald.session_interrupted("tea", "s1", START_MS)
    await herald.session_resumed("tea", "s1", START_MS + 1)
    change = Change((notice("black"), notice("mono", Severity.INFO)), (notice("silent"),))
    await herald.warnings_changed("tea", "s1", change, START_MS + 2)
    await herald.session_ended("tea", "s1", START_MS + 3)
    events = await posted(store)
    assert [event["type"] for event in events] == [
        "stream.interrupted", "stream.resumed", "stream.warning", "stream.warning",
    ]  # fmt: skip
    assert events[0]["data"] == {
        "channel": "tea", "session": "s1", "at": "2026-01-01T00:00:00.000Z",
    }  # fmt: skip
    raised, cleared = events[2]["data"], events[3]["data"]
    assert (raised["state"], raised["code"]) == ("raised", "black")
    assert (raised["message"], raised["advice"]) == ("black is wrong.", "Mend it.")
    assert (cleared["state"], cleared["code"]) == ("cleared", "silent")


async def test_a_store_in_trouble_does_not_stop_a_broadcast(store: SqliteStore) -> None:
    herald = Herald(store, Writer([ALL], ManualClock()))
    await store.close()
    await herald.session_interrupted("tea", "s1", START_MS)


async def test_the_documented_verification_accepts_ours_and_no_other(store: SqliteStore) -> None:
    source = re.findall(r"```python\n(.+?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(source[0], names)  # noqa: S102 - our own document
    async with hooked() as hook:
        to = Endpoint(hook.url, SECRET, allow_private=True)
        clock = SystemClock()
        sender = Sender(store, [to], clock)
        await store.post(Writer([to], clock)("stream.ended", {"channel": "tea"}))
        await sender.start()
        try:
            await eventually(lambda: bool(hook.posts), 20)
        finally:
            await sender.close()
    (post,) = hook.posts
    assert names["receive"](SECRET, post.headers, post.body)["data"] == {"channel": "tea"}
    assert names["receive"](SECRET, post.headers, post.body + b" ") is None
