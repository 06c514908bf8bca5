"""A source and its channel: when it is tried, when it waits, how it leaves. Real processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.port import Publisher, Refusal, Refused, Sink
from ingest.unit import VideoUnit
from server.channel import Channel, OverlaySettings
from server.clock import SystemClock
from server.instant import parse_rfc3339
from server.live.pull import JITTER, Phase, PulledSource
from server.live.pulls import Pulls
from server.pull_settings import PullSettings
from server.source import Source
from server.sources import Sources
from server.store.sqlite import SqliteStore
from tests.helpers.clips import Clip, write
from tests.helpers.eventually import eventually
from tests.helpers.recording_gate import RecordingSink
from tests.helpers.rtsp_camera import Camera, filming
from tests.helpers.web_files import WebFiles, offering

pytestmark = pytest.mark.slow  # real processes, in real time

SETTINGS = PullSettings(allow_private=True, backoff_first=0.1, backoff_most=0.4)
NOBODY = Source("rtsp://127.0.0.1:1/none")
DEADLINE = 30.0


class Gate:
    """Lets sources in unless an encoder is there; keeps what they send."""

    def __init__(self) -> None:
        self.taken = False
        self.refusal: Refused | None = None
        self.sinks: list[Ending] = []
        self.publishers: list[Publisher] = []

    def is_taken(self, channel: str) -> bool:
        return self.taken

    async def admit_source(self, channel: str, publisher: Publisher) -> Sink | Refused:
        if self.refusal is not None:
            return self.refusal
        self.sinks.append(Ending())
        self.publishers.append(publisher)
        return self.sinks[-1]

    def pictures(self, number: int) -> int:
        return len(self.sinks[number].of(VideoUnit)) if len(self.sinks) > number else 0


class Ending(RecordingSink):
    finished: bool | None = None

    def close(self, reason: str, *, finished: bool = False) -> None:
        super().close(reason)
        self.finished = finished


@asynccontextmanager
async def running(source: Source, gate: Gate) -> AsyncIterator[PulledSource]:
    pulled = PulledSource("tea", source, gate, SETTINGS, SystemClock(), lambda: 1.0)
    task = asyncio.create_task(pulled.run())
    try:
        yield pulled
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_pauses_grow_to_the_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    really = asyncio.sleep

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        await really(0)

    monkeypatch.setattr("server.live.pull.asyncio.sleep", sleep)
    async with running(NOBODY, Gate()) as pulled:
        await eventually(lambda: len([p for p in pauses if p >= 0.1]) >= 4, DEADLINE)
        assert pulled.problem == "connection refused"
    grown = [pause for pause in pauses if pause >= 0.1]
    assert grown[:4] == pytest.approx([n * (1 + JITTER) for n in (0.1, 0.2, 0.4, 0.4)])


async def test_only_time_on_the_air_shortens_the_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    async def wait(self: PulledSource, problem: str, seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(0)

    monkeypatch.setattr(PulledSource, "_wait", wait)
    settings = replace(SETTINGS, steady=0.0)
    pulled = PulledSource("tea", NOBODY, Gate(), settings, SystemClock(), lambda: 0.5)
    task = asyncio.create_task(pulled.run())
    await eventually(lambda: len(pauses) >= 3, DEADLINE)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert pauses[:3] == [0.1, 0.2, 0.4], "however long it took to fail"


async def test_a_source_that_comes_back_is_read_again() -> None:
    gate, camera = Gate(), Camera(Clip(seconds=1.0))
    async with filming(camera) as url, running(Source(url), gate) as pulled:
        await eventually(lambda: gate.pictures(0) > 10, DEADLINE)
        assert (pulled.phase, pulled.problem, pulled.peer) == (Phase.ON_AIR, "", url)
        assert gate.sinks[0].closed == []
        # Cut while it plays: all of it within the block that keeps it running.
        async with asyncio.timeout(DEADLINE):
            await _restart(camera, gate)
    assert gate.sinks[0].finished is False, "it was lost: it may come back"
    assert len(gate.sinks[0].closed) == 1


async def _restart(camera: Camera, gate: Gate) -> None:
    camera.cut()
    await eventually(lambda: bool(gate.sinks[0].closed), DEADLINE)
    await eventually(lambda: gate.pictures(1) > 10, DEADLINE)


async def test_an_encoder_goes_first() -> None:
    gate = Gate()
    async with filming(Camera(Clip(seconds=1.0))) as url, running(Source(url), gate) as pulled:
        await eventually(lambda: gate.pictures(0) > 0, DEADLINE)
        gate.taken = True
        gate.publishers[0].drop("Another encoder took over with the same key.")
        await eventually(lambda: pulled.phase is Phase.STANDBY, DEADLINE)
        assert pulled.problem == ""
        assert gate.sinks[0].closed == ["Another encoder took over with the same key."]
        gate.taken = False
        await eventually(lambda: gate.pictures(1) > 0, DEADLINE)


async def test_whoever_is_refused_says_so_and_asks_again() -> None:
    gate = Gate()
    gate.refusal = Refused(Refusal.UNAVAILABLE, "The server is shutting down.")
    async with filming(Camera(Clip(seconds=1.0))) as url, running(Source(url), gate) as pulled:
        await eventually(lambda: pulled.phase is Phase.WAITING, DEADLINE)
        assert pulled.problem == "The server is shutting down."
        gate.refusal = None
        await eventually(lambda: gate.pictures(0) > 0, DEADLINE)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = await SqliteStore.open(tmp_path / "vitrine.db")
    await store.add_channel(Channel("tea", "Tea", "default", OverlaySettings(), 0), (), 5)
    yield store
    await store.close()


@asynccontextmanager
async def pulling(
    store: SqliteStore, gate: Gate, told: list[str] | None = None
) -> AsyncIterator[Pulls]:
    sources = Sources(store, allow_private=True, most=5)
    tell = (lambda channel: None) if told is None else told.append
    pulls = Pulls(sources, gate, SETTINGS, SystemClock(), tell)
    pulls.start()
    try:
        yield pulls
    finally:
        await pulls.close()


async def test_the_store_says_what_is_read(store: SqliteStore) -> None:
    gate = Gate()
    async with filming(Camera(Clip(seconds=1.0))) as url, pulling(store, gate) as pulls:
        assert pulls.state("tea") is None
        await store.put_source("tea", Source(url), 5)  # as a command beside the server does
        await eventually(lambda: gate.pictures(0) > 0, DEADLINE)
        told = pulls.state("tea")
        assert told is not None
        assert (told.state, told.problem, pulls.warnings("tea")) == ("on-air", None, ())
        await store.put_source("tea", Source(url, loop=True), 5)
        await eventually(lambda: gate.pictures(1) > 0, DEADLINE)
        assert gate.sinks[0].finished is False, "the next one goes on with the broadcast"
        await store.remove_source("tea")
        await eventually(lambda: bool(gate.sinks[1].closed), DEADLINE)
        assert gate.sinks[1].finished is True
        await eventually(lambda: pulls.state("tea") is None, DEADLINE)


async def test_a_file_is_read_once(store: SqliteStore, tmp_path: Path) -> None:
    gate = Gate()
    await asyncio.to_thread(write, Clip(seconds=0.5), tmp_path / "a.mp4", "mp4")
    async with offering(WebFiles(tmp_path)) as web, pulling(store, gate) as pulls:
        film = Source(f"{web.url}/a.mp4")
        await store.put_source("tea", film, 5)
        await eventually(lambda: bool(gate.sinks) and bool(gate.sinks[0].closed), DEADLINE)
        assert gate.sinks[0].finished is True
        assert gate.pictures(0) == 15
        await eventually(lambda: _state(pulls) == "off", DEADLINE)
        assert await store.source("tea") == replace(film, enabled=False)


async def test_what_is_stopped_stays_off(store: SqliteStore) -> None:
    gate = Gate()
    async with filming(Camera(Clip(seconds=1.0))) as url, pulling(store, gate) as pulls:
        await store.put_source("tea", Source(url), 5)
        await pulls.switch_off("tea")
        assert await store.source("tea") == Source(url), "it was not on the air"
        await eventually(lambda: _state(pulls) == "on-air", DEADLINE)
        await pulls.switch_off("tea")
        assert gate.sinks[0].finished is True
        assert _state(pulls) == "off"
        assert await store.source("tea") == Source(url, enabled=False)


async def test_a_source_ends_its_broadcast_and_begins_another(store: SqliteStore) -> None:
    gate = Gate()
    async with filming(Camera(Clip(seconds=1.0))) as url, pulling(store, gate) as pulls:
        assert not await pulls.renew("tea")
        await store.put_source("tea", Source(url), 5)
        await eventually(lambda: _state(pulls) == "on-air", DEADLINE)
        assert await pulls.renew("tea")
        assert gate.sinks[0].finished is True
        await eventually(lambda: gate.pictures(1) > 0, DEADLINE)
        assert await store.source("tea") == Source(url)
        assert pulls.warnings("tea") == ()


async def test_a_server_that_closes_leaves_the_broadcast_to_go_on(store: SqliteStore) -> None:
    gate = Gate()
    async with filming(Camera(Clip(seconds=1.0))) as url:
        async with pulling(store, gate):
            await store.put_source("tea", Source(url), 5)
            await eventually(lambda: gate.pictures(0) > 0, DEADLINE)
    assert gate.sinks[0].finished is False
    assert await store.source("tea") == Source(url)


async def test_a_warning_counts_the_seconds(store: SqliteStore) -> None:
    before = SystemClock().wall_ms()
    told: list[str] = []
    async with pulling(store, Gate(), told) as pulls:
        await store.put_source("tea", NOBODY, 5)
        await eventually(lambda: bool(pulls.warnings("tea")), DEADLINE)
        (warning,) = pulls.warnings("tea")
        await eventually(lambda: pulls.warnings("tea") != (warning,), DEADLINE)
        assert pulls.warnings("tea")[0]["since"] == warning["since"], "of the trouble, not the try"
        assert told == ["tea"]
        await store.remove_source("tea")
        await eventually(lambda: told == ["tea", "tea"], DEADLINE)
        assert pulls.warnings("tea") == ()
    assert set(warning) == {"code", "severity", "message", "advice", "since"}
    assert warning["severity"] == "error"
    assert before <= parse_rfc3339(str(warning["since"])) <= SystemClock().wall_ms()
    assert str(warning["message"]).startswith(
        "The source cannot be read: connection refused; trying again"
    )


def _state(pulls: Pulls) -> str:
    told = pulls.state("tea")
    return told.state if told else ""


async def test_an_address_that_is_none_any_more_is_told_of_and_ends_no_other(
    store: SqliteStore,
) -> None:
    await store.add_channel(Channel("pots", "Pots", "default", OverlaySettings(), 0), (), 5)
    await store.put_source("pots", Source("gopher://ann:s3cret@a.example/"), 5)
    async with pulling(store, Gate()) as pulls:
        await eventually(lambda: bool(pulls.warnings("pots")), DEADLINE)
        (warning,) = pulls.warnings("pots")
        assert "its address must begin with one of" in str(warning["message"])
        told = pulls.state("pots")
        assert told is not None
        assert told.url == "an address that cannot be read"
        await store.put_source("tea", NOBODY, 5)
        await eventually(lambda: bool(pulls.warnings("tea")), DEADLINE)
