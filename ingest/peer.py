"""A connection to a publisher, which only receives. aiortc."""

from __future__ import annotations

from collections.abc import Callable

from aiortc import RTCRtpTransceiver

from ingest.encoded_track import EncodedTrack, take_codecs
from ingest.rtc_connection import RtcConnection
from ingest.rtp import opus
from ingest.rtp.clock import MediaClock
from ingest.rtp.receiver import AUDIO, VIDEO, Accept, AudioReceiver, VideoReceiver
from ingest.unit import TICKS_PER_SECOND
from ingest.whip_offer import Offer, OfferedTrack
from ingest.whip_settings import WhipSettings


class Peer(RtcConnection):
    """`accept` gets the Units; `heard(now)` is called with each packet."""

    def __init__(
        self, offer: Offer, settings: WhipSettings, accept: Accept, heard: Callable[[float], None]
    ) -> None:
        super().__init__(offer, settings)
        clock = MediaClock(VIDEO, AUDIO)
        self._tracks = [_tracked(track, clock, accept, heard) for track in offer.tracks]

    def arrange(self, transceivers: list[RTCRtpTransceiver]) -> None:
        for transceiver, track, offered in zip(
            transceivers, self._tracks, self._offer.tracks, strict=True
        ):
            take_codecs(transceiver, offered.codecs)
            track.tap(transceiver)

    async def say(self) -> None:
        """Send the peer what is due: reports, requests for keyframes."""
        for track in self._tracks:
            await track.say()


def _tracked(
    offer: OfferedTrack, clock: MediaClock, accept: Accept, heard: Callable[[float], None]
) -> EncodedTrack:
    if offer.kind == VIDEO:
        video = VideoReceiver(clock, offer.video, accept)
        return EncodedTrack(video, TICKS_PER_SECOND, offer.retransmits, heard, estimate=True)
    payload_type = offer.codecs[0].payloadType or 0
    audio = AudioReceiver(clock, payload_type, accept)
    return EncodedTrack(audio, opus.RATE, {}, heard, estimate=False)
