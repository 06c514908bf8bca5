"""One WebRTC connection that answers an offer, whichever side sends: its state, its end. aiortc."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod

from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.rtcicetransport import RTCIceCandidate

from ingest.encoded_track import bind_to, bound_queue, ice_connection
from ingest.errors import PeerError
from ingest.whip_offer import MOST_CANDIDATES, Offer
from ingest.whip_settings import WhipSettings


class RtcConnection(ABC):
    """Made for one offer. What it carries is its kind's to say."""

    def __init__(self, offer: Offer, settings: WhipSettings) -> None:
        self._offer = offer
        self._settings = settings
        self._candidates = offer.candidates
        servers = [
            RTCIceServer(each.url, each.username or None, each.credential or None)
            for each in settings.ice_servers
        ]
        # An empty list: without one, aiortc asks a public server of its own choice.
        self._connection = RTCPeerConnection(
            RTCConfiguration(iceServers=servers, bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )
        self._changed = asyncio.Event()
        self._connection.on("connectionstatechange", self._changed.set)

    @property
    def state(self) -> str:
        """`new`, `connecting`, `connected`, `closed` or `failed` (W3C webrtc-pc 4.3.3)."""
        return self._connection.connectionState

    async def changed(self, seconds: float) -> None:
        """Wait until the state has changed, but no longer than `seconds`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        self._changed.clear()

    async def answer(self) -> str:
        """Take the offer, gather our candidates and give the answer. Raises PeerError."""
        connection = self._connection
        try:
            await connection.setRemoteDescription(RTCSessionDescription(self._offer.text, "offer"))
        except Exception as error:  # aiortc raises what its parts raise
            raise PeerError(f"The offer cannot be taken ({type(error).__name__}).") from error
        transceivers = connection.getTransceivers()
        self.arrange(transceivers)
        agent = ice_connection(transceivers[0])
        bound_queue(agent)
        bind_to(agent, self._settings.addresses)
        await connection.setLocalDescription(await connection.createAnswer())
        return connection.localDescription.sdp

    @abstractmethod
    def arrange(self, transceivers: list[RTCRtpTransceiver]) -> None:
        """Choose codecs and ways for the offer's tracks; there is one of each, in its order."""

    async def add_candidates(self, candidates: tuple[RTCIceCandidate, ...], *, ended: bool) -> None:
        """Add the peer's further candidates; those beyond the limit are left out."""
        room = max(0, MOST_CANDIDATES - self._candidates)
        for candidate in candidates[:room]:
            candidate.sdpMid = self._offer.tracks[0].mid
            await self._connection.addIceCandidate(candidate)
        self._candidates += len(candidates[:room])
        if ended:
            await self._connection.addIceCandidate(None)

    async def close(self) -> None:
        """Say goodbye and close the sockets."""
        await self._connection.close()
