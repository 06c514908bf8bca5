"""The one touch on what aiortc does not promise: encoded packets instead of pictures.

aiortc's own receiver decodes each track in a thread and queues pictures without bound. Here its
method `receive` is replaced, so that it never starts, and this track takes its place at the
transport: it gets the decrypted RTP and RTCP packets and hands them on as they are. What of
aiortc 1.16 is relied on is listed in tests/ingest/test_encoded_track.py, which fails when it
changes. asyncio, aiortc.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from aioice import Candidate, Connection
from aiortc import RTCRtpReceiver, RTCRtpTransceiver
from aiortc.rtcrtpparameters import (
    RTCRtcpFeedback,
    RTCRtpCodecParameters,
    RTCRtpReceiveParameters,
)
from aiortc.rtcrtpreceiver import StreamStatistics
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    AnyRtcpPacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    RtpPacket,
)

from ingest.bandwidth import Bandwidth
from ingest.rtp.packet import Packet
from ingest.rtp.receiver import Receiver

SOURCE_GONE: Final = 1.0
"""Seconds of silence after which another source (SSRC) may go on in a track's place."""
MOST_SOURCES: Final = 4
"""Sources of one track that are known: media, its retransmissions, and those before."""
_FEEDBACK: Final = (
    RTCRtcpFeedback("nack"),
    RTCRtcpFeedback("nack", "pli"),
    RTCRtcpFeedback("goog-remb"),
)
MOST_QUEUED: Final = 2048
"""Datagrams between the socket and us: half a second of 30 Mbit/s."""


class EncodedTrack:
    """One track's packets, from aiortc's transport to a Receiver, and what is said back.

    `retransmits`: payload type of retransmissions (RFC 4588) -> that of what they carry.
    """

    def __init__(
        self,
        receiver: Receiver,
        clock_rate: int,
        retransmits: dict[int, int],
        heard: Callable[[float], None],
        *,
        estimate: bool,
    ) -> None:
        """`heard(now)` is called with each packet; `estimate`: tell the sender its bandwidth."""
        self._receiver = receiver
        self._rate = clock_rate
        self._retransmits = retransmits
        self._heard = heard
        self._bandwidth = Bandwidth() if estimate else None
        self._tapped: RTCRtpReceiver | None = None
        self._own_ssrc = 0
        self._source: int | None = None
        self._source_at = 0.0
        self._statistics: dict[int, StreamStatistics] = {}
        self._reports: dict[int, tuple[int, float]] = {}
        self.packets = 0

    def tap(self, transceiver: RTCRtpTransceiver) -> None:
        """Take the place of the transceiver's decoder. Call before the connection is made."""
        self._tapped = transceiver.receiver
        self._own_ssrc = transceiver.sender._ssrc
        transceiver.receiver.receive = self._receive  # type: ignore[method-assign]

    async def say(self) -> None:
        """Send what is due by the clock: receiver reports, and requests for keyframes."""
        reports = [self._report(ssrc, known) for ssrc, known in self._statistics.items()]
        if reports:
            await self._send(RtcpRrPacket(ssrc=self._own_ssrc, reports=reports))
        await self._ask_key(asyncio.get_running_loop().time())

    # What aiortc's transport calls (aiortc.rtcdtlstransport.RtpReceiver)

    async def _handle_rtp_packet(self, packet: RtpPacket, arrival_time_ms: int) -> None:
        now = asyncio.get_running_loop().time()
        self._heard(now)
        self.packets += 1
        self._count(packet)
        if self._bandwidth is not None:
            told = self._bandwidth.saw(packet, arrival_time_ms)
            if told:
                await self._send(
                    RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=self._own_ssrc, media_ssrc=0, fci=told)
                )
        kind, number, payload = packet.payload_type, packet.sequence_number, packet.payload
        if kind in self._retransmits:
            if self._source is None or len(payload) < 2:
                return
            kind, number = self._retransmits[kind], int.from_bytes(payload[:2], "big")
            payload = payload[2:]
        elif not self._is_source(packet.ssrc, now):
            return
        self._receiver.push(
            Packet(number, packet.timestamp, bool(packet.marker), kind, payload, now)
        )
        missing = self._receiver.missing(now)
        if missing:
            lost = RtcpRtpfbPacket(
                fmt=RTCP_RTPFB_NACK, ssrc=self._own_ssrc, media_ssrc=self._source or 0
            )
            lost.lost = sorted(missing)
            await self._send(lost)
        await self._ask_key(now)

    async def _handle_rtcp_packet(self, packet: AnyRtcpPacket) -> None:
        if not isinstance(packet, RtcpSrPacket):
            return
        ntp = packet.sender_info.ntp_timestamp
        if packet.ssrc in self._statistics:
            self._reports[packet.ssrc] = (ntp >> 16 & 0xFFFFFFFF, time.monotonic())
        if packet.ssrc == self._source:
            self._receiver.report(ntp, packet.sender_info.rtp_timestamp)

    def _handle_disconnect(self) -> None:
        """The connection's own state tells its session."""

    async def _receive(self, parameters: RTCRtpReceiveParameters) -> None:
        if self._tapped is not None:
            self._tapped.transport._register_rtp_receiver(self, parameters)

    def _is_source(self, ssrc: int, now: float) -> bool:
        """Follow one source at a time; another only once it is silent."""
        if ssrc != self._source:
            if self._source is not None and now - self._source_at < SOURCE_GONE:
                return False
            if self._source is not None:
                self._receiver.restart()
            self._source = ssrc
        self._source_at = now
        return True

    def _count(self, packet: RtpPacket) -> None:
        known = self._statistics.get(packet.ssrc)
        if known is None:
            known = self._statistics[packet.ssrc] = StreamStatistics(self._rate)
            while len(self._statistics) > MOST_SOURCES:
                oldest = next(iter(self._statistics))
                del self._statistics[oldest]
                self._reports.pop(oldest, None)
                if self._tapped is not None:
                    self._tapped.transport._rtp_router.ssrc_table.pop(oldest, None)
        known.add(packet)

    def _report(self, ssrc: int, known: StreamStatistics) -> RtcpReceiverInfo:
        last, at = self._reports.get(ssrc, (0, 0.0))
        delay = min(0xFFFFFFFF, int((time.monotonic() - at) * 65536)) if last else 0
        return RtcpReceiverInfo(
            ssrc=ssrc,
            fraction_lost=known.fraction_lost,
            packets_lost=known.packets_lost,
            highest_sequence=(known.cycles + (known.max_seq or 0)) & 0xFFFFFFFF,
            jitter=known.jitter & 0xFFFFFFFF,
            lsr=last,
            dlsr=delay,
        )

    async def _ask_key(self, now: float) -> None:
        if self._source is not None and self._receiver.wants_key(now):
            await self._send(
                RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=self._own_ssrc, media_ssrc=self._source)
            )

    async def _send(self, packet: AnyRtcpPacket) -> None:
        if self._tapped is None:
            return
        # When it is over, the session hears of it from the connection.
        with contextlib.suppress(ConnectionError):
            await self._tapped.transport._send_rtp(bytes(packet))


def take_codecs(transceiver: RTCRtpTransceiver, offered: tuple[RTCRtpCodecParameters, ...]) -> None:
    """Answer with these codecs, as they were offered, and with the feedback that we give.

    aiortc would answer with the H.264 profiles and payload types that it knows.
    """
    transceiver._codecs = [
        replace(codec, rtcpFeedback=[each for each in codec.rtcpFeedback if each in _FEEDBACK])
        for codec in offered
    ]


def ice_connection(transceiver: RTCRtpTransceiver) -> Connection:
    """Give the ICE agent below a transceiver."""
    return transceiver.receiver.transport.transport.iceGatherer._connection


def bind_to(connection: Connection, ours: tuple[str, ...]) -> None:
    """Have the agent gather on these addresses of ours; none: on those that it finds.

    It leaves loopback out, which is all that a machine without a network has.
    """
    gather = connection.get_component_candidates

    async def gather_there(
        component: int, addresses: list[str], *_: object, **__: object
    ) -> list[Candidate]:
        return await gather(component, list(ours) or addresses or ["127.0.0.1"])

    connection.get_component_candidates = gather_there  # type: ignore[method-assign]


def bound_queue(connection: Connection) -> None:
    """Let datagrams that nobody takes in time be lost, as they would be on the way."""
    connection._queue = _Bounded(MOST_QUEUED)


class _Bounded(asyncio.Queue[tuple[bytes, int] | None]):
    def put_nowait(self, item: tuple[bytes, int] | None) -> None:
        if item is None and self.full():
            self.get_nowait()
        if not self.full():
            super().put_nowait(item)
