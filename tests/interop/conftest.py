"""One server, one time-coded file and one browser for all interop tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from tests.helpers.time_code import broadcast
from tests.helpers.vitrine_server import Api, VitrineServer, calling, serving
from tests.interop.browser import Chromium, chromium
from tests.interop.on_air import (
    MINUTE_SECONDS,
    Record,
    in_ms,
    newest_ms,
    on_air,
    stock,
    until_seconds,
    written,
)

CLIP_SECONDS = 80
SMALL_CLIP_SECONDS = 60


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VitrineServer]:
    """Run the real server; at the end it may have logged no exception."""
    with serving(tmp_path_factory.mktemp("vitrine")) as running:
        yield running
    assert [event for event in running.events() if "exception" in event] == []


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def api(server: VitrineServer) -> AsyncIterator[Api]:
    async with calling(server) as client:
        yield client


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the time-coded broadcast: 720p, 30 pictures a second, CLIP_SECONDS long."""
    path = tmp_path_factory.mktemp("clip") / "time-code.flv"
    broadcast(str(path), CLIP_SECONDS, live=False)
    return path


@pytest.fixture(scope="session")
def small_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the same at 640x360: a ladder of one rung, that others can run beside."""
    path = tmp_path_factory.mktemp("clip") / "small.flv"
    broadcast(str(path), SMALL_CLIP_SECONDS, live=False, size=(640, 360))
    return path


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Chromium]:
    async with chromium() as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def minute(api: Api, clip: Path) -> Record:
    """Record a minute on the air with cards that come and go at once, decoded."""
    made = await api.add_channel("minute", motion="none")
    await stock(api, made.id)
    async with on_air(api, made.id, clip, made.stream_key) as record:
        await pin_for_a_minute(api, record)
        await until_seconds(record, MINUTE_SECONDS)
    await record.look()
    return record


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def fading(api: Api, clip: Path) -> Record:
    """Record a card that fades in and out, decoded."""
    made = await api.add_channel("fading", motion="fade")
    await stock(api, made.id)
    async with on_air(api, made.id, clip, made.stream_key) as record:
        await until_seconds(record, 2)
        pin = record.answers["tea"] = await api.pin(made.id, "tea")
        await until_seconds(record, 6)
        record.answers["tea off"] = await api.unpin(made.id, pin["id"])
        await until_seconds(record, 10)
    await record.look()
    return record


async def pin_for_a_minute(api: Api, record: Record) -> None:
    """Pin by every anchor, two at once, and change a price while it is shown."""
    channel, answers = record.channel, record.answers
    await until_seconds(record, 4)
    answers["tea"] = await api.pin(channel, "tea")
    await until_seconds(record, 8)
    answers["cup"] = await api.pin(channel, "cup")
    await until_seconds(record, 12)
    price = {"amount": 990, "currency": "EUR"}
    full = {"amount": 1290, "currency": "EUR"}
    await api.put_product(channel, "tea", title="Sencha", price=full, sale_price=price)
    await until_seconds(record, 16)
    answers["open"] = await api.call("GET", f"/channels/{channel}/pins")
    for pin in answers["open"]["items"]:
        await api.unpin(channel, pin["id"])
    await until_seconds(record, 20)
    answers["pot"] = await api.pin(channel, "pot", anchor="at", t_media=in_ms(3_000))
    await until_seconds(record, 28)
    await api.unpin(channel, answers["pot"]["id"])
    await until_seconds(record, 32)
    shown = written(datetime.fromtimestamp((newest_ms(record) - 2_000) / 1000, UTC))
    answers["tin"] = await api.pin(channel, "tin", anchor="seen", t_media=shown)
    await until_seconds(record, 36)
    await api.unpin(channel, answers["tin"]["id"])
