"""One WebRTC connection that only receives: the answer to an offer, and its state. aiortc."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.rtcicetransport import RTCIceCandidate

from ingest.encoded_track import (
    EncodedTrack,
    bind_to,
    bound_queue,
    ice_connection,
    take_codecs,
)
from ingest.errors import PeerError
from ingest.rtp import opus
from ingest.rtp.clock import MediaClock
from ingest.rtp.receiver import AUDIO, VIDEO, Accept, AudioReceiver, VideoReceiver
from ingest.unit import TICKS_PER_SECOND
from ingest.whip_offer import MOST_CANDIDATES, Offer, OfferedTrack
from ingest.whip_settings import WhipSettings


class Peer:
    """Made for one offer. `accept` gets the Units; `heard(now)` is called with each packet."""

    def __init__(
        self, offer: Offer, settings: WhipSettings, accept: Accept, heard: Callable[[float], None]
    ) -> None:
        self._offer = offer
        self._settings = settings
        self._candidates = offer.candidates
        self._tracks: list[EncodedTrack] = []
        clock = MediaClock(VIDEO, AUDIO)
        self._made = [_tracked(track, clock, accept, heard) for track in offer.tracks]
        servers = [
            RTCIceServer(each.url, each.username or None, each.credential or None)
            for each in settings.ice_servers
        ]
        # An empty list: without one, aiortc asks a public server of its own choice.
        self._connection = RTCPeerConnection(
            RTCConfiguration(iceServers=servers, bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )
        self._changed: asyncio.Event = asyncio.Event()
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
        offered = RTCSessionDescription(self._offer.text, "offer")
        try:
            await connection.setRemoteDescription(offered)
        except Exception as error:  # aiortc raises what its parts raise
            raise PeerError(f"The offer cannot be taken ({type(error).__name__}).") from error
        transceivers = connection.getTransceivers()
        for transceiver, track, offer in zip(
            transceivers, self._made, self._offer.tracks, strict=True
        ):
            take_codecs(transceiver, offer.codecs)
            track.tap(transceiver)
        agent = ice_connection(transceivers[0])
        bound_queue(agent)
        bind_to(agent, self._settings.addresses)
        await connection.setLocalDescription(await connection.createAnswer())
        self._tracks = self._made
        return connection.localDescription.sdp

    async def add_candidates(self, candidates: tuple[RTCIceCandidate, ...], *, ended: bool) -> None:
        """Add the peer's further candidates; those beyond the limit are left out."""
        room = max(0, MOST_CANDIDATES - self._candidates)
        for candidate in candidates[:room]:
            candidate.sdpMid = self._offer.tracks[0].mid
            await self._connection.addIceCandidate(candidate)
        self._candidates += len(candidates[:room])
        if ended:
            await self._connection.addIceCandidate(None)

    async def say(self) -> None:
        """Send the peer what is due: reports, requests for keyframes."""
        for track in self._tracks:
            await track.say()

    async def close(self) -> None:
        """Say goodbye and close the sockets."""
        await self._connection.close()


def _tracked(
    offer: OfferedTrack, clock: MediaClock, accept: Accept, heard: Callable[[float], None]
) -> EncodedTrack:
    if offer.kind == VIDEO:
        video = VideoReceiver(clock, offer.video, accept)
        return EncodedTrack(video, TICKS_PER_SECOND, offer.retransmits, heard, estimate=True)
    payload_type = offer.codecs[0].payloadType or 0
    audio = AudioReceiver(clock, payload_type, accept)
    return EncodedTrack(audio, opus.RATE, {}, heard, estimate=False)
