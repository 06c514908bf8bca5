"""A connection to one who looks on, which only sends. aiortc."""

from __future__ import annotations

from typing import Final

from aiortc import RTCRtpTransceiver
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from ingest.encoded_track import take_codecs
from ingest.rtc_connection import RtcConnection
from ingest.unit import VideoConfig
from ingest.whip_offer import Offer, OfferedTrack, Unsupported
from ingest.whip_settings import WhipSettings
from server.live.echo import Echo
from server.whep.sample import Line, has_sound, profile
from server.whep.track import Picture, Sound

_CONSTRAINED: Final = 66
"""What a browser offers in the first place (profile_idc), and decodes all others as well."""


class Peer(RtcConnection):
    """Made for one publisher's `echo`."""

    def __init__(
        self, offer: Offer, settings: WhipSettings, echo: Echo, config: VideoConfig
    ) -> None:
        """Raises Unsupported where the offer lacks what the publisher sends."""
        self._codecs = [
            codecs_for(track, config) if track.kind == "video" else track.codecs
            for track in offer.tracks
        ]
        super().__init__(offer, settings)
        line = Line()
        self.picture = Picture(echo, line)
        self.sound = Sound(line) if has_sound(echo.audio) else None

    def arrange(self, transceivers: list[RTCRtpTransceiver]) -> None:
        for transceiver, track, codecs in zip(
            transceivers, self._offer.tracks, self._codecs, strict=True
        ):
            take_codecs(transceiver, codecs)
            sends = self.picture if track.kind == "video" else self.sound
            transceiver.direction = "inactive" if sends is None else "sendonly"
            if sends is not None:
                sends.attach(transceiver.sender)

    async def close(self) -> None:
        for sent in (self.picture, self.sound):
            if sent is not None:
                sent.track.stop()
        await super().close()


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
