"""What is told of a broadcast from which no picture has come, and of its figures."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter

from ingest.port import Publisher
from ingest.unit import AudioCodec, AudioConfig, AudioUnit, VideoCodec, VideoConfig, VideoUnit
from server.channel import Sequences
from server.http.documents_ingest import Ingest, Warned
from server.live.broadcast import Broadcast
from server.live.coach import Change
from server.live.pace import Beat
from server.live.rounds import sight
from server.live.rules_line import MOST_WORDS, PICTURE_DUE_MS
from server.live.state import describe
from server.live.stream import Hooks, LiveStream
from server.live.warden import REPLACED
from tests.helpers.manual_clock import ManualClock
from transcode.message import Health
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


def look(stream: LiveStream, waited_ms: int) -> Change:
    now_ms = stream.attached_ms + waited_ms
    return stream.coach.look(sight(stream, now_ms), now_ms)


def codes(stream: LiveStream, waited_ms: int) -> list[object]:
    look(stream, waited_ms)
    state = describe(stream, stream.attached_ms + waited_ms)
    assert state.state == "offline"
    return [warning["code"] for warning in state.warnings]


async def test_whoever_was_turned_out_is_told_to_take_the_new_key() -> None:
    hooks = Hooks(nothing, nothing, nothing, nothing, nothing)
    broadcast = Broadcast("tea", "Tea", "session1", DEFAULT, Sequences(), started_ms=1)
    made = LiveStream(broadcast, ManualClock(), hooks)
    (lost,) = describe(made, 0).warnings
    assert "with the same key" in str(lost["advice"])
    made.turned_out = REPLACED
    (told,) = describe(made, 0).warnings
    assert str(told["message"]).startswith(REPLACED)
    assert "with the new key" in str(told["advice"])
    made.attach(Encoder(), "rtmp")
    assert made.turned_out == ""


async def test_a_picture_may_take_a_moment_and_is_then_missed(stream: LiveStream) -> None:
    assert codes(stream, 0) == []
    assert codes(stream, PICTURE_DUE_MS + 1) == ["no-picture"]


async def test_a_worker_that_keeps_dying_is_not_the_anchors_fault(stream: LiveStream) -> None:
    stream.supervisor.restarts = 1
    assert codes(stream, 0) == []
    stream.supervisor.restarts = 2
    stream.supervisor.last_words.extend(("first", "720p: libx264 refused: preset zoom"))
    assert codes(stream, 1_000) == codes(stream, PICTURE_DUE_MS + 1) == ["worker-failing"]
    (warning,) = describe(stream, stream.attached_ms).warnings
    assert str(warning["message"]).endswith("this stream: 720p: libx264 refused: preset zoom")
    assert "OBS" not in str(warning["advice"])


async def test_last_words_have_an_end_and_may_be_none(stream: LiveStream) -> None:
    stream.supervisor.restarts = 2
    look(stream, 0)
    (warning,) = describe(stream, 0).warnings
    assert "no reason given" in str(warning["message"])
    stream.supervisor.last_words.append("x" * 10_000)
    look(stream, 1_000)
    (warning,) = describe(stream, 0).warnings
    assert len(str(warning["message"])) < MOST_WORDS + 100


async def test_every_figure_is_as_described(stream: LiveStream) -> None:
    figures, now_ms = stream.figures, stream.attached_ms
    for unit in (
        VideoConfig(VideoCodec.H264, b""),
        AudioConfig(AudioCodec.AAC, b"", 48_000, 2),
        VideoUnit(0, 0, True, bytes(1_000)),
        AudioUnit(0, bytes(100)),
    ):
        figures.saw(unit, now_ms)
    figures.health = Health(width=1280, height=720, fps=29.97123)
    figures.beat = Beat(av_offset=0.01234)
    told = describe(stream, now_ms + 2_500).ingest
    ingest = TypeAdapter(Ingest).validate_python(dict(told), extra="forbid", strict=True)
    assert set(told) == set(Ingest.model_fields), "and every described figure is told"
    assert (ingest.bytes, ingest.since_picture, ingest.since_sound) == (1_100, 2.5, 2.5)
    assert (ingest.fps, ingest.av_offset) == (29.97, 0.012)
    assert ingest.history is not None
    assert sum(ingest.history.bitrate) == 8_800


async def test_a_warning_is_as_described(stream: LiveStream) -> None:
    look(stream, PICTURE_DUE_MS + 1)
    (warning,) = describe(stream, stream.attached_ms).warnings
    TypeAdapter(Warned).validate_python(dict(warning), extra="forbid", strict=True)
