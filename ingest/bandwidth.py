"""How much a WebRTC sender is told that its way to us carries. Pure, on aiortc's estimator."""

from __future__ import annotations

from typing import Final

from aiortc.rate import BandwidthUsage, RemoteBitrateEstimator
from aiortc.rtp import RtpPacket, pack_remb_fci

AMPLE: Final = 6_000_000
"""Bit/s, where nothing speaks against it: above what the ladder can use of a source."""
BEGIN_MS: Final = 4_000
"""A sender that just began is not let leap."""
BOUND_MS: Final = 20_000
"""How long a way that was too narrow once is held to be."""
MOST_SOURCES: Final = 4
"""Named in one message; the estimator would keep every one that it ever saw."""


class Bandwidth:
    """What a sender is told that its way to us carries (REMB), from when its packets arrive.

    The estimate never exceeds 1.5 times what arrives. Of a sender that stands still that is
    little, and too little once it moves; so it counts only for a while after packets queued up
    on the way. Without that the sender is let grow, which it does by 8 % a second.
    """

    def __init__(self) -> None:
        self._estimator = RemoteBitrateEstimator()
        self._bound_until: int | None = None

    def saw(self, packet: RtpPacket, arrival_time_ms: int) -> bytes | None:
        """Take a packet; give the feedback message that is due, if one is."""
        sent = packet.extensions.abs_send_time
        if sent is None:
            return None
        known = self._estimator.ssrcs
        if packet.ssrc not in known and len(known) >= MOST_SOURCES:
            del known[next(iter(known))]
        if self._bound_until is None:
            self._bound_until = arrival_time_ms + BEGIN_MS
        estimated = self._estimator.add(
            abs_send_time=sent,
            arrival_time_ms=arrival_time_ms,
            payload_size=len(packet.payload) + packet.padding_size,
            ssrc=packet.ssrc,
        )
        if self._estimator.detector.state() is BandwidthUsage.OVERUSING:
            self._bound_until = arrival_time_ms + BOUND_MS
        if estimated is None:
            return None
        bitrate, sources = estimated
        if arrival_time_ms >= self._bound_until:
            bitrate = max(bitrate, AMPLE)
        return pack_remb_fci(bitrate, sources)
