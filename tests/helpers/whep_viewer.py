"""One who looks on by WHEP, on aiortc: reads the number of every picture as it comes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass

import numpy as np
from aiortc import (
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av.video.frame import VideoFrame

from tests.helpers.clips import read_number


@dataclass(frozen=True)
class Seen:
    number: int
    at: float
    """time.monotonic() when it was decoded."""


class Viewer:
    """Takes pictures and sound of one offer."""

    def __init__(self, codec: str = "H264", kinds: tuple[str, ...] = ("audio", "video")) -> None:
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.seen: list[Seen] = []
        self.sounds = 0
        self.ended = False
        self._reading: list[asyncio.Task[None]] = []
        for kind in kinds:
            transceiver = self._connection.addTransceiver(kind, direction="recvonly")
            if kind == "video":
                able = RTCRtpReceiver.getCapabilities("video")
                assert able is not None
                known = able.codecs
                transceiver.setCodecPreferences([c for c in known if c.name in {codec, "rtx"}])
        self._connection.on("track", self._track)

    @property
    def state(self) -> str:
        return self._connection.connectionState

    async def offer(self) -> str:
        await self._connection.setLocalDescription(await self._connection.createOffer())
        return self._connection.localDescription.sdp

    async def answer(self, offer: str) -> str:
        """Answer a sender itself, without a server."""
        await self._connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await self._connection.setLocalDescription(await self._connection.createAnswer())
        return self._connection.localDescription.sdp

    async def take(self, answer: str) -> None:
        await self._connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def close(self) -> None:
        await self._connection.close()
        for task in self._reading:
            task.cancel()
        await asyncio.gather(*self._reading, return_exceptions=True)

    def _track(self, track: MediaStreamTrack) -> None:
        self._reading.append(asyncio.create_task(self._read(track)))

    async def _read(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                got = await track.recv()
                if isinstance(got, VideoFrame):
                    luma = np.asarray(got.to_ndarray(format="gray8"), np.uint8)
                    self.seen.append(Seen(read_number(luma), time.monotonic()))
                else:
                    self.sounds += 1
        self.ended = True
