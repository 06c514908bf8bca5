from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.errors import Conflict, Invalid, NotFound
from server.idempotency import KEEP_MS, Idempotency
from server.store.sqlite import SqliteStore
from tests.helpers.manual_clock import ManualClock


class Work:
    """Counts how often it was done; answers with the count."""

    def __init__(self) -> None:
        self.done = 0

    async def __call__(self) -> tuple[int, bytes]:
        await asyncio.sleep(0)
        self.done += 1
        return 201, str(self.done).encode()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def idempotency(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Idempotency]:
    store = await SqliteStore.open(tmp_path / "vitrine.sqlite3")
    yield Idempotency(store, clock)
    await store.close()


async def test_the_same_request_is_done_once(idempotency: Idempotency) -> None:
    work = Work()
    answers = [await idempotency.once("me POST /pins", "k", b"{}", work) for _ in range(3)]
    assert answers == [(201, b"1")] * 3
    assert work.done == 1


async def test_at_once_as_well(idempotency: Idempotency) -> None:
    work = Work()
    calls = (idempotency.once("me", "k", b"{}", work) for _ in range(20))
    assert await asyncio.gather(*calls) == [(201, b"1")] * 20
    assert idempotency._flights == {}


async def test_another_request_under_the_key_is_a_conflict(idempotency: Idempotency) -> None:
    work = Work()
    await idempotency.once("me", "k", b"a", work)
    with pytest.raises(Conflict) as caught:
        await idempotency.once("me", "k", b"b", work)
    assert caught.value.code == "idempotency-mismatch"
    assert await idempotency.once("you", "k", b"b", work) == (201, b"2"), "keys are one's own"


async def test_an_error_is_not_an_answer(idempotency: Idempotency) -> None:
    async def fails() -> tuple[int, bytes]:
        raise NotFound("product", "x")

    with pytest.raises(NotFound):
        await idempotency.once("me", "k", b"a", fails)
    assert await idempotency.once("me", "k", b"a", Work()) == (201, b"1")


async def test_old_answers_are_forgotten(idempotency: Idempotency, clock: ManualClock) -> None:
    work = Work()
    await idempotency.once("me", "k", b"a", work)
    clock.advance(KEEP_MS + 1)
    await idempotency.once("me", "other", b"a", work)
    assert await idempotency.once("me", "k", b"a", work) == (201, b"3")


@pytest.mark.parametrize("key", ["", "a b", "ä", "x" * 129, "a\n"])
async def test_keys_that_are_none(idempotency: Idempotency, key: str) -> None:
    with pytest.raises(Invalid):
        await idempotency.once("me", key, b"", Work())
