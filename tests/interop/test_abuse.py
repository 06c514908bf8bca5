"""Hundreds of rude clients against the real server, and a good stream beside them."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from tests.helpers import rude
from tests.helpers.eventually import eventually
from tests.helpers.hls_client import Taken, following
from tests.helpers.senders import ffmpeg_file, sending
from tests.helpers.vitrine_server import Api, VitrineServer, calling, serving

pytestmark = [pytest.mark.interop, pytest.mark.slow, pytest.mark.alone]

RUNG = "[{short_side: 240, bitrate: 300000}]"
SLOW = (rude.silent, rude.half_open, rude.dripping, rude.idle, rude.unread)
WRONG = (rude.garbage, rude.giant, rude.large, rude.deep, rude.wide, rude.guessing)
SLOW_CLIENTS = 200
FROM_ONE_ADDRESS = 40
"""More than may be."""
ABUSE_SECONDS = 16.0
"""The longest that a rude client may stay is 10 s: all have been cut, and are at it again."""
GROWTH = 50 << 20
"""Bytes that the web process's memory may grow by."""
DEAD_SECONDS = 10.0
LONGEST_GAP_SECONDS = 4.0
"""Between two new parts, on a busy machine; a segment lasts two seconds."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VitrineServer]:
    settings = {"TRANSCODE__PROFILES__DEFAULT__RUNGS": RUNG}
    with serving(tmp_path_factory.mktemp("vitrine"), settings) as running:
        yield running
    assert [event for event in running.events() if "exception" in event] == []


@pytest.fixture
async def api(server: VitrineServer) -> AsyncIterator[Api]:
    async with calling(server) as client:
        yield client


class Watch:
    """The web process's memory, and when the good stream's parts came."""

    def __init__(self, server: VitrineServer, taken: Taken) -> None:
        self._process = psutil.Process(server.pid)
        self._taken = taken
        self.before = self.peak = self.memory
        self.came: list[float] = []
        self._parts = 0

    @property
    def memory(self) -> int:
        return int(self._process.memory_info().rss)

    @property
    def seconds(self) -> float:
        """Media in whole segments."""
        return self._taken.seconds

    def look(self) -> float:
        """Note what has changed; tell the time."""
        now = time.monotonic()
        self.peak = max(self.peak, self.memory)
        parts = sum(len(segment.parts) for segment in self._taken.segments.values())
        if parts > self._parts:
            self._parts = parts
            self.came.append(now)
        return now

    @property
    def longest_gap(self) -> float:
        return max(after - before for before, after in pairwise(self.came))


def abusers(port: int) -> list[Coroutine[None, None, None]]:
    """Give everybody: at most eight from one address, but for those who exceed that."""
    every: list[Coroutine[None, None, None]] = []
    for number in range(SLOW_CLIENTS):
        address = f"127.0.2.{1 + number // 8}"
        every.append(rude.again_and_again(SLOW[number % len(SLOW)], port, address))
    for number in range(len(WRONG) * 4):
        address = f"127.0.3.{1 + number // 4}"
        every.append(rude.again_and_again(WRONG[number % len(WRONG)], port, address))
    crowd = (rude.again_and_again(rude.silent, port, "127.0.4.1") for _ in range(FROM_ONE_ADDRESS))
    storms = (rude.storm(port, f"127.0.5.{1 + number}") for number in range(4))
    return [*every, *crowd, *storms]


async def test_a_good_stream_beside_abuse_misses_nothing(
    server: VitrineServer, api: Api, clip: Path
) -> None:
    port = urlsplit(server.rtmp).port
    assert port
    made = await api.add_channel("good")
    async with sending(*ffmpeg_file(clip, f"{server.rtmp}/{made.stream_key}")):
        await api.until_state("good", "live")
        async with following(api.session, f"{server.url}/live/good", "240p") as recording:
            watch = Watch(server, recording.renditions["240p"])
            async with rude.at_once(*abusers(port)):
                until = time.monotonic() + ABUSE_SECONDS
                await recording.until(lambda _: watch.look() > until, 60)
            # On a busy machine the worker may be behind; in the end all that was sent is there.
            await recording.until(lambda _: watch.seconds > ABUSE_SECONDS, 60)
            refused = await asyncio.to_thread(refusals, server)
            await eventually(lambda: watch.memory < watch.before + GROWTH, 15)
            whole = recording.renditions["240p"].whole
    assert watch.peak - watch.before < GROWTH
    assert watch.longest_gap < LONGEST_GAP_SECONDS
    assert [segment.msn for segment in whole] == list(range(whole[0].msn, whole[-1].msn + 1))
    assert not any(segment.discontinuity for segment in whole[1:])
    assert refused >= {
        "too many connections from this address",
        "the handshake took too long",
        "no publish in time",
        "too many chunk streams",
    }


def refusals(server: VitrineServer) -> set[str]:
    return {str(event["reason"]) for event in server.events() if "reason" in event}


async def test_a_publisher_that_dies_without_a_word_is_found(
    server: VitrineServer, api: Api, clip: Path
) -> None:
    """Its socket stays open and says nothing: it is stopped, as by a dead network."""
    made = await api.add_channel("dead")
    async with sending(*ffmpeg_file(clip, f"{server.rtmp}/{made.stream_key}")) as process:
        await api.until_state("dead", "live")
        process.send_signal(signal.SIGSTOP)
        stopped = time.monotonic()
        try:
            await api.until(
                lambda found: found["state"] != "live" or found["ingest"]["peer"] is None,
                lambda: api.channel("dead"),
            )
            assert time.monotonic() - stopped < DEAD_SECONDS
            assert "the publisher went silent" in await asyncio.to_thread(refusals, server)
        finally:
            process.send_signal(signal.SIGCONT)
