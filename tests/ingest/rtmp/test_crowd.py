"""Who is counted as one, and what the log says of those for whom there is no room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from ingest.limits import Limits
from ingest.rtmp.connection import Connection
from ingest.rtmp.listener import RtmpListener
from tests.helpers.recording_gate import RecordingGate
from tests.helpers.rtmp_publisher import RtmpPublisher

LIMITS = Limits(linger_seconds=0.3, connections=3, connections_per_address=2)


@pytest.fixture
async def listener() -> AsyncIterator[RtmpListener]:
    made = RtmpListener(RecordingGate(), LIMITS, "127.0.0.1", 0)
    await made.start()
    yield made
    await made.close()


async def test_an_ipv6_network_is_one_subscriber(listener: RtmpListener) -> None:
    clock = asyncio.get_running_loop().time
    one, two, three, four = (Connection(listener, RecordingGate(), LIMITS, clock) for _ in range(4))
    assert listener.enter(one, "2001:db8:1:2::1") is None
    assert listener.enter(two, "2001:db8:1:2:ffff::9") is None
    crowded = listener.enter(three, "2001:db8:1:2::77")
    assert crowded == "too many connections from this address"
    assert listener.enter(three, "2001:db8:1:3::1") is None
    assert listener.enter(four, "192.0.2.1") == "too many connections"
    listener.leave(two, "2001:db8:1:2:ffff::9")
    assert listener.enter(four, "2001:db8:1:2::1") is None
    for connection, address in ((one, "2001:db8:1:2::1"), (three, "2001:db8:1:3::1")):
        listener.leave(connection, address)
    listener.leave(four, "2001:db8:1:2::1")
    assert listener.connections == 0


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (replace(LIMITS, connections_per_address=1), "too many connections from this address"),
        (replace(LIMITS, connections=1), "too many connections"),
    ],
)
async def test_the_log_says_for_whom_there_was_no_room(limits: Limits, reason: str) -> None:
    listener = RtmpListener(RecordingGate(), limits, "127.0.0.1", 0)
    await listener.start()
    inside = await RtmpPublisher.connect(listener.port)
    with capture_logs() as lines:
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await RtmpPublisher.connect(listener.port)
    (line,) = lines
    assert (line["event"], line["reason"]) == ("rtmp refused a connection", reason)
    assert line["peer"].startswith("127.0.0.1:")
    inside.abort()
    await listener.close()
