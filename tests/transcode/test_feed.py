"""What a supervisor writes to its worker's pipe, unit by unit. No worker: the pipe is a list."""

from __future__ import annotations

from typing import cast

import pytest

from ingest.unit import AudioCodec, AudioConfig, AudioUnit, Unit, VideoCodec, VideoConfig, VideoUnit
from transcode import wire
from transcode.ladder import DEFAULT
from transcode.process import WorkerProcess
from transcode.supervisor import Supervisor


class Pipe:
    """Keeps each write; takes all of it, but for what is said to be `held`."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.held = 0

    def write(self, *pieces: bytes) -> bool:
        self.writes.append(b"".join(pieces))
        return True


@pytest.fixture
async def pipe() -> Pipe:
    return Pipe()


@pytest.fixture
async def supervisor(pipe: Pipe) -> Supervisor:
    made = Supervisor("test", lambda: wire.Open(DEFAULT, 0), lambda _: None)
    made._process = cast("WorkerProcess", pipe)
    return made


def picture(number: int, *, key: bool = False) -> VideoUnit:
    return VideoUnit(number, number, key, b"picture")


def sound(number: int) -> AudioUnit:
    return AudioUnit(number, b"sound")


def read(pipe: Pipe) -> list[Unit]:
    decoder = wire.Decoder()
    messages = [message for data in pipe.writes for message in decoder.feed(data)]
    return [message.unit for message in messages if isinstance(message, wire.Feed)]


async def test_units_keep_their_order_in_fewer_writes(supervisor: Supervisor, pipe: Pipe) -> None:
    said: list[Unit] = [
        VideoConfig(VideoCodec.H264, b"avcC"),
        AudioConfig(AudioCodec.AAC, b"asc", 48_000, 2),
        picture(0, key=True),
    ]
    for number in range(1, 20):
        said += [sound(number)] * (1 + number % 2) + [picture(number)]
    for unit in said:
        supervisor.feed([unit], 1_000)
    assert read(pipe) == said
    pictures = sum(isinstance(unit, VideoUnit) for unit in said)
    assert len(pipe.writes) == 2 + pictures


async def test_what_arrives_together_is_one_write(supervisor: Supervisor, pipe: Pipe) -> None:
    said: list[Unit] = [sound(1), picture(1, key=True), sound(2), picture(2), sound(3)]
    supervisor.feed(said, 1_000)
    assert read(pipe) == said
    assert len(pipe.writes) == 1


async def test_sound_alone_goes_in_threes(supervisor: Supervisor, pipe: Pipe) -> None:
    said = [sound(number) for number in range(6)]
    for unit in said:
        supervisor.feed([unit], 1_000)
    assert read(pipe) == said
    assert len(pipe.writes) == 2


async def test_nothing_is_held_back_at_the_end(supervisor: Supervisor, pipe: Pipe) -> None:
    supervisor.feed([sound(1)], 1_000)
    assert pipe.writes == []
    await supervisor.close()
    assert read(pipe) == [sound(1)]
    assert pipe.writes[-1].endswith(wire.encode(wire.Close()))


async def test_another_publisher_comes_behind_the_sound_of_the_last(
    supervisor: Supervisor, pipe: Pipe
) -> None:
    supervisor.feed([sound(1)], 1_000)
    supervisor.splice()
    assert pipe.writes == [wire.encode(wire.Feed(sound(1), 1_000)) + wire.encode(wire.Splice())]


async def test_pictures_are_dropped_to_the_next_key_when_too_much_waits(
    supervisor: Supervisor, pipe: Pipe
) -> None:
    pipe.held = 5 << 20
    supervisor.feed([picture(0, key=True)], 1_000)
    supervisor.feed([sound(1)], 1_000)
    supervisor.feed([sound(2)], 1_000)
    pipe.held = 9 << 20
    supervisor.feed([sound(2)], 1_000)  # nor sound, when there is too much even for that
    pipe.held = 0
    supervisor.feed([picture(3)], 1_000)
    supervisor.feed([picture(4, key=True)], 1_000)
    assert read(pipe) == [sound(1), sound(2), picture(4, key=True)]
    assert supervisor.dropped == 2
