"""What is told of a broadcast from which no picture has come."""

from __future__ import annotations

import pytest

from ingest.port import Publisher
from server.channel import Sequences
from server.live.state import MOST_WORDS, PICTURE_DUE_MS, describe
from server.live.stream import Broadcast, Hooks, LiveStream
from tests.helpers.manual_clock import ManualClock
from transcode.profile import DEFAULT


class Encoder(Publisher):
    peer = "192.0.2.1"

    def drop(self, reason: str) -> None:
        raise AssertionError(reason)


def nothing(*_: object) -> None:
    return None


@pytest.fixture
async def stream() -> LiveStream:
    hooks = Hooks(nothing, nothing, nothing, nothing, nothing)
    broadcast = Broadcast("tea", "Tea", "session1", DEFAULT, Sequences())
    made = LiveStream(broadcast, ManualClock(), hooks)
    made.attach(Encoder(), "rtmp")
    return made


def codes(stream: LiveStream, waited_ms: int) -> list[object]:
    state = describe(stream, stream.attached_ms + waited_ms)
    assert state.state == "offline"
    return [warning["code"] for warning in state.warnings]


async def test_a_picture_may_take_a_moment_and_is_then_missed(stream: LiveStream) -> None:
    assert codes(stream, 0) == []
    assert codes(stream, PICTURE_DUE_MS + 1) == ["no-picture"]


async def test_a_worker_that_keeps_dying_is_not_the_anchors_fault(stream: LiveStream) -> None:
    stream.supervisor.restarts = 1
    assert codes(stream, 0) == []
    stream.supervisor.restarts = 2
    stream.supervisor.last_words.extend(("first", "720p: libx264 refused: preset zoom"))
    assert codes(stream, 0) == codes(stream, PICTURE_DUE_MS + 1) == ["worker-failing"]
    (warning,) = describe(stream, stream.attached_ms).warnings
    assert str(warning["message"]).endswith("this stream: 720p: libx264 refused: preset zoom")
    assert "OBS" not in str(warning["advice"])


async def test_last_words_have_an_end_and_may_be_none(stream: LiveStream) -> None:
    stream.supervisor.restarts = 2
    (warning,) = describe(stream, 0).warnings
    assert "no reason given" in str(warning["message"])
    stream.supervisor.last_words.append("x" * 10_000)
    (warning,) = describe(stream, 0).warnings
    assert len(str(warning["message"])) < MOST_WORDS + 100
