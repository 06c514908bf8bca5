"""What of aiortc's sender is relied on without its promise; what tracks do by themselves."""

from __future__ import annotations

import asyncio
import inspect
from fractions import Fraction

import pytest
from aiortc import RTCRtpSender
from aiortc.mediastreams import MediaStreamError

from ingest.unit import VideoCodec, VideoConfig, VideoUnit
from server.live.echo import Echo
from server.whep.sample import STEP, Line
from server.whep.track import AGAIN_SECONDS, MOST_WAITING, RATE, Picture, SentTrack

CONFIG = VideoConfig(VideoCodec.VP8, b"")


def picture(number: int, *, key: bool = False, size: int = 10) -> VideoUnit:
    return VideoUnit(number * 3_000, number * 3_000, key, bytes([number % 256]) * size)


class Air:
    """An echo, and what a sender would read of it."""

    def __init__(self) -> None:
        self.echo = Echo()
        self.echo.saw(CONFIG)
        self.picture = Picture(self.echo, Line())

    def send(self, unit: VideoUnit) -> None:
        self.echo.saw(unit)
        self.picture.hear(unit)

    def taken(self) -> list[tuple[int, int]]:
        """Take what waits: each picture's number and stamp."""
        waiting = [(data[0], at) for at, data in self.picture.track.waiting]
        self.picture.track.waiting.clear()
        return waiting


def test_a_sender_takes_packets_and_tells_of_losses() -> None:
    source = inspect.getsource(RTCRtpSender)
    assert "data = await self.__track.recv()" in source
    assert "payloads, timestamp = self.__encoder.pack(data)" in source
    assert "self._send_keyframe()" in source
    assert list(inspect.signature(RTCRtpSender._send_keyframe).parameters) == ["self"]


async def test_who_comes_late_is_sent_the_group_in_a_hurry() -> None:
    air = Air()
    for number in range(5):
        air.echo.saw(picture(number, key=number == 0))
    air.picture.begin()
    assert air.taken() == [(n, 12_000 - (4 - n) * STEP) for n in range(5)]
    air.send(picture(5))
    assert air.taken() == [(5, 15_000)]


async def test_who_comes_early_waits_for_a_keyframe() -> None:
    air = Air()
    air.picture.begin()
    air.send(picture(1))
    assert air.taken() == []
    air.send(picture(2, key=True))
    air.send(picture(3))
    assert air.taken() == [(2, 6_000), (3, 9_000)]


async def test_a_loss_has_the_group_sent_once_more_but_not_all_the_time() -> None:
    air = Air()
    air.picture.begin()
    for number in range(4):
        air.send(picture(number, key=number == 0))
    air.taken()
    air.picture._lost()
    again = air.taken()
    assert [number for number, _ in again] == [0, 1, 2, 3]
    assert again[0][1] > 9_000, "no stamp goes back"
    air.picture._lost()
    assert air.taken() == []
    air.picture._again_at -= AGAIN_SECONDS
    air.picture._lost()
    assert [number for number, _ in air.taken()] == [0, 1, 2, 3]


async def test_a_sender_that_takes_nothing_fills_no_memory() -> None:
    air = Air()
    air.picture.begin()
    for number in range(2_000):
        air.send(picture(number, key=number % 50 == 0))
    waiting = air.taken()
    assert len(waiting) <= MOST_WAITING + 2 * 50
    stamps = [at for _, at in waiting]
    assert stamps == sorted(set(stamps))


async def test_another_configuration_holds_from_the_next_keyframe() -> None:
    air = Air()
    air.picture.begin()
    air.send(picture(0, key=True))
    renewed = VideoConfig(VideoCodec.VP8, b"new")
    air.echo.saw(renewed)
    air.picture.renew(renewed)
    air.send(picture(1))
    air.send(picture(2, key=True))
    assert [number for number, _ in air.taken()] == [0, 2]


async def test_a_picture_that_cannot_be_packed_costs_those_up_to_the_next_keyframe() -> None:
    air = Air()
    broken = VideoConfig(VideoCodec.H264, b"")
    air.echo.saw(broken)
    air.picture.begin()
    air.send(VideoUnit(0, 0, True, b"\x00\x00\x01\x09\xf0"))
    air.send(VideoUnit(3_000, 3_000, False, b"\x00\x00\x01\x41\x9a"))
    assert not air.picture.track.waiting
    air.send(VideoUnit(6_000, 6_000, True, b"\x00\x00\x01\x65\x88"))
    assert len(air.picture.track.waiting) == 1


async def test_packets_leave_no_faster_than_sockets_take_them() -> None:
    track = SentTrack("video")
    for number in range(4):
        track.put(number, b"x" * (RATE // 10))
    began = asyncio.get_running_loop().time()
    for number in range(4):
        packet = await track.recv()
        assert (packet.pts, packet.time_base) == (number, Fraction(1, 90_000))
    assert asyncio.get_running_loop().time() - began > 0.2


async def test_a_track_that_is_stopped_ends() -> None:
    track = SentTrack("video")
    waiting = asyncio.create_task(track.recv())
    await asyncio.sleep(0)
    track.stop()
    with pytest.raises(MediaStreamError):
        await waiting
