"""A WHIP publisher of the time-coded picture and its beeps, on aiortc.

What it sends is encoded before it begins and leaves at its time, so that neither the picture
nor the sound is late by what encoding takes: what a test measures is the server's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

import aiohttp
import av
import numpy as np
from aiortc import (
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from aiortc.rtp import AnyRtcpPacket, RtcpSrPacket
from av.audio.frame import AudioFrame
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from tests.helpers.clips import sound
from tests.helpers.time_code import HEIGHT, RATE, SAMPLE_RATE, WIDTH, picture

OPUS_FRAME = 960
ENCODERS = {"VP8": "libvpx", "H264": "libx264"}
OPTIONS = {
    "VP8": {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"},
    "H264": {"preset": "ultrafast", "tune": "zerolatency", "sc_threshold": "0", "bf": "0"},
}


@dataclass(frozen=True)
class Encoded:
    """A broadcast, ready to be sent."""

    codec: str
    video: list[av.Packet[Any]]
    audio: list[av.Packet[Any]]


def encode(codec: str, seconds: int, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Encoded:
    """Encode `seconds` of the time code as VP8 or H264, and Opus; a keyframe a second."""
    return Encoded(codec, _pictures(codec, seconds, *size), _sounds(seconds))


def _pictures(codec: str, seconds: int, width: int, height: int) -> list[av.Packet[Any]]:
    context = cast("VideoCodecContext", av.CodecContext.create(ENCODERS[codec], "w"))
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base, context.framerate = Fraction(1, RATE), Fraction(RATE)
    context.bit_rate, context.gop_size = 2_500_000, RATE
    context.options = OPTIONS[codec]
    if codec == "H264":
        context.profile = "Baseline"
    made: list[av.Packet[Any]] = []
    for number in range(seconds * RATE):
        frame = VideoFrame.from_ndarray(picture(number, width, height), "yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, RATE)
        made += context.encode(frame)
    return [*made, *context.encode(None)]


def _sounds(seconds: int) -> list[av.Packet[Any]]:
    context = av.CodecContext.create("libopus", "w")
    context.sample_rate, context.layout, context.format = SAMPLE_RATE, "stereo", "flt"
    context.time_base, context.bit_rate = Fraction(1, SAMPLE_RATE), 96_000
    made: list[av.Packet[Any]] = []
    for begin in range(0, seconds * SAMPLE_RATE, OPUS_FRAME):
        samples = np.ascontiguousarray(sound(begin, OPUS_FRAME, SAMPLE_RATE, 2).T.reshape(1, -1))
        frame = AudioFrame.from_ndarray(samples, "flt", "stereo")
        frame.sample_rate, frame.pts = SAMPLE_RATE, begin
        frame.time_base = Fraction(1, SAMPLE_RATE)
        made += context.encode(frame)
    return made


class Sent(MediaStreamTrack):
    """Packets that leave at their time, `late` seconds behind it, from `began` on."""

    def __init__(self, kind: str, packets: list[av.Packet[Any]], late: float) -> None:
        self.kind = kind
        super().__init__()
        self._packets = iter(packets)
        self.late = late
        self.began: float | None = None

    async def recv(self) -> av.Packet[Any]:
        packet = next(self._packets, None)
        if packet is None or self.began is None:
            raise MediaStreamError
        assert packet.pts is not None
        assert packet.time_base is not None
        at = self.began + self.late + float(packet.pts * packet.time_base)
        await asyncio.sleep(max(0.0, at - time.monotonic()))
        return packet


class Sender:
    """The WebRTC side of a publisher.

    `sound_late`: seconds that the sound leaves late; its reports tell when it really was.
    """

    def __init__(self, encoded: Encoded, *, sound_late: float = 0.0) -> None:
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._tracks = [
            Sent("audio", encoded.audio, sound_late),
            Sent("video", encoded.video, 0.0),
        ]
        for track in self._tracks:
            transceiver = self._connection.addTransceiver(track, "sendonly")
            if track.late:
                tell_truly(transceiver.sender, track.late)
            if track.kind == "video":
                known = RTCRtpSender.getCapabilities("video").codecs
                mine = [c for c in known if c.name in {encoded.codec, "rtx"}]
                transceiver.setCodecPreferences(mine)

    @property
    def state(self) -> str:
        return self._connection.connectionState

    @property
    def began(self) -> float | None:
        """time.monotonic() of picture 0; None before `take`."""
        return self._tracks[1].began

    async def offer(self) -> str:
        await self._connection.setLocalDescription(await self._connection.createOffer())
        return self._connection.localDescription.sdp

    async def take(self, answer: str) -> None:
        """Connect, and send from now on."""
        began = time.monotonic() + 0.1
        for track in self._tracks:
            track.began = began
        await self._connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def close(self) -> None:
        await self._connection.close()


def tell_truly(sender: RTCRtpSender, late: float) -> None:
    """Have the sender's reports name the instant of sampling, as a browser's do.

    aiortc takes the instant of sending for it, which is `late` seconds later here.
    """
    send = sender._send_rtcp

    async def send_true(packets: list[AnyRtcpPacket]) -> None:
        for packet in packets:
            if isinstance(packet, RtcpSrPacket):
                packet.sender_info.ntp_timestamp -= round(late * 2**32)
        await send(packets)

    sender._send_rtcp = send_true  # type: ignore[method-assign]


class WhipPublisher:
    """One session over HTTP. `url`: of the endpoint."""

    def __init__(self, session: aiohttp.ClientSession, url: str, key: str, sender: Sender) -> None:
        self._session = session
        self._url = url
        self._headers = {"Authorization": f"Bearer {key}"}
        self._sender = sender
        self.resource = ""

    @property
    def began(self) -> float:
        """time.monotonic() of picture 0. Raises LookupError before `publish`."""
        if self._sender.began is None:
            raise LookupError("nothing was sent yet")
        return self._sender.began

    async def publish(self) -> None:
        offer = await self._sender.offer()
        headers = {**self._headers, "Content-Type": "application/sdp"}
        async with self._session.post(self._url, data=offer, headers=headers) as answer:
            text = await answer.text()
            assert answer.status == 201, f"{answer.status} {text}"
            self.resource = answer.headers["Location"]
        await self._sender.take(text)

    async def end(self) -> None:
        """Say goodbye."""
        url = self._url.partition("/whip/")[0] + self.resource
        async with self._session.delete(url, headers=self._headers) as answer:
            assert answer.status == 200, await answer.text()

    async def cut(self) -> None:
        """Close the connection without a word to the server's HTTP side."""
        await self._sender.close()


@asynccontextmanager
async def publishing(
    session: aiohttp.ClientSession, url: str, key: str, encoded: Encoded, sound_late: float = 0.0
) -> AsyncIterator[WhipPublisher]:
    """Publish until the block ends."""
    publisher = WhipPublisher(session, url, key, Sender(encoded, sound_late=sound_late))
    try:
        await publisher.publish()
        yield publisher
    finally:
        await publisher.cut()
