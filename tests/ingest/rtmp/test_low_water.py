"""When a publisher's bytes gather before they are read, and that none lies about for long."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest.limits import Limits
from ingest.rtmp.listener import RtmpListener
from ingest.rtmp.low_water import CROWD, GATHER_SECONDS, LOOK_SECONDS, LowWater
from ingest.unit import AudioUnit, VideoUnit
from tests.helpers import flv_tags
from tests.helpers.recording_gate import KEY, RecordingGate, until
from tests.helpers.rtmp_publisher import RtmpPublisher

RATE = 500_000
"""Bytes a second, of 4 Mbit/s."""


def looked(rates: list[int], crowd: int = CROWD) -> list[int]:
    """Look once for each of these rates; give the mark after each look."""
    water, received, marks = LowWater(), 0, []
    for rate in rates:
        received += round(rate * LOOK_SECONDS)
        water.look(received, crowd)
        marks.append(water.mark)
    return marks


def test_a_steady_stream_gathers_for_a_twentieth_of_a_second() -> None:
    mark = looked([RATE] * 20)[-1]
    assert 0.75 * RATE * GATHER_SECONDS <= mark <= 1.25 * RATE * GATHER_SECONDS


def test_few_publishers_are_read_at_once() -> None:
    assert looked([RATE] * 20, CROWD - 1) == [1] * 20


def test_a_key_picture_moves_it_little() -> None:
    marks = looked([RATE] * 20 + [3 * RATE] + [RATE] * 3)
    assert max(marks) < 2 * marks[19]


def test_a_stream_that_pauses_is_read_to_its_end() -> None:
    assert looked([RATE] * 20 + [0])[-1] == 1


def test_when_the_crowd_has_gone_all_is_read_at_once() -> None:
    water = LowWater()
    for look in range(1, 20):
        water.look(look * 100_000, CROWD)
    assert water.mark > 1
    assert water.look(2_000_000, 1) == 1


@given(st.lists(st.integers(0, 100_000_000), max_size=30), st.integers(0, 100))
def test_it_is_bounded(rates: list[int], crowd: int) -> None:
    assert all(1 <= mark <= 65_536 for mark in looked(rates, crowd))


async def test_a_crowd_gathers_and_loses_nothing() -> None:
    gate = RecordingGate()
    listener = RtmpListener(gate, Limits(linger_seconds=0.3), "127.0.0.1", 0)
    await listener.start()
    publishers = [await RtmpPublisher.connect(listener.port) for _ in range(CROWD)]
    for publisher in publishers:
        await publisher.publish(KEY)
        publisher.video(0, flv_tags.avc_header())
        publisher.audio(0, flv_tags.aac_header())
    marks = [connection._low_water for connection in listener._connections]
    sent = 0

    def all_gather() -> bool:
        nonlocal sent
        sent += 1
        for publisher in publishers:
            publisher.video(sent * 10, flv_tags.avc_frame(flv_tags.nal(bytes(5_000)), key=True))
        return all(water.mark > 1_000 for water in marks)

    await until(all_gather)
    assert len(marks) == CROWD
    for publisher in publishers:
        publisher.audio(sent * 10, flv_tags.aac_frame(b"the last"))
    await until(lambda: all(len(sink.of(AudioUnit)) == 1 for sink in gate.sinks))
    assert [len(sink.of(VideoUnit)) for sink in gate.sinks] == [sent] * CROWD
    for publisher in publishers:
        await publisher.end()
    await until(lambda: all(sink.closed for sink in gate.sinks))
    assert {sink.closed[0] for sink in gate.sinks} == {"the publisher ended the stream"}
    await listener.close()
