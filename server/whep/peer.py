"""One WebRTC connection that only sends: the answer to an offer, and its state. aiortc."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.rtcicetransport import RTCIceCandidate
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from ingest.encoded_track import bind_to, bound_queue, ice_connection, take_codecs
from ingest.errors import PeerError
from ingest.unit import VideoConfig
from ingest.whip_offer import MOST_CANDIDATES, Offer, OfferedTrack, Unsupported
from ingest.whip_settings import WhipSettings
from server.live.echo import Echo
from server.whep.sample import Line, has_sound, profile
from server.whep.track import Picture, Sound

_CONSTRAINED: Final = 66
"""What a browser offers in the first place (profile_idc), and decodes all others as well."""


class Peer:
    """Made for one offer and one publisher."""

    def __init__(
        self, offer: Offer, settings: WhipSettings, echo: Echo, config: VideoConfig
    ) -> None:
        """Raises Unsupported where the offer lacks what the publisher sends."""
        self._offer = offer
        self._settings = settings
        self._codecs = {
            track.mid: codecs_for(track, config) if track.kind == "video" else track.codecs
            for track in offer.tracks
        }
        line = Line()
        self.picture = Picture(echo, line)
        self.sound = Sound(line) if has_sound(echo.audio) else None
        servers = [
            RTCIceServer(each.url, each.username or None, each.credential or None)
            for each in settings.ice_servers
        ]
        # An empty list: without one, aiortc asks a public server of its own choice.
        self._connection = RTCPeerConnection(
            RTCConfiguration(iceServers=servers, bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )
        self._candidates = offer.candidates
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
        for transceiver, track in zip(transceivers, self._offer.tracks, strict=True):
            take_codecs(transceiver, self._codecs[track.mid])
            sends = self.picture if track.kind == "video" else self.sound
            transceiver.direction = "inactive" if sends is None else "sendonly"
            if sends is not None:
                sends.attach(transceiver.sender)
        agent = ice_connection(transceivers[0])
        bound_queue(agent)
        bind_to(agent, self._settings.addresses)
        await connection.setLocalDescription(await connection.createAnswer())
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

    async def close(self) -> None:
        """Say goodbye and close the sockets."""
        for sent in (self.picture, self.sound):
            if sent is not None:
                sent.track.stop()
        await self._connection.close()


def codecs_for(track: OfferedTrack, config: VideoConfig) -> tuple[RTCRtpCodecParameters, ...]:
    """Choose of an offer what carries the publisher's pictures, and its retransmissions.

    Of H.264 its own profile if that was offered, else any that takes fragments (RFC 6184 6.3):
    browsers decode the others under it as well. Raises Unsupported.
    """
    wanted = config.codec.value
    fit = [codec for codec in track.codecs if codec.name.lower() == wanted]
    if wanted == "h264":
        fit = [codec for codec in fit if str(codec.parameters.get("packetization-mode")) == "1"]
        fit.sort(key=lambda codec: _strangeness(codec, profile(config)))
    if not fit:
        raise Unsupported(f"The encoder sends {wanted.upper()}, which the offer does not take.")
    chosen = fit[0]
    rtx = [
        codec
        for codec in track.codecs
        if codec.name.lower() == "rtx" and codec.parameters.get("apt") == chosen.payloadType
    ]
    return (chosen, *rtx[:1])


def _strangeness(codec: RTCRtpCodecParameters, idc: int | None) -> int:
    said = str(codec.parameters.get("profile-level-id", "42"))[:2].lower()
    if idc is not None and said == f"{idc:02x}":
        return 0
    return 1 if said == f"{_CONSTRAINED:02x}" else 2
