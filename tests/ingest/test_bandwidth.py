"""What a sender is told of its way to us: ample, until packets queue up on it."""

from __future__ import annotations

from aiortc.rtp import RtpPacket, unpack_remb_fci

from ingest.bandwidth import AMPLE, MOST_SOURCES, Bandwidth


def estimates(bandwidth: Bandwidth, began_ms: int, seconds: int, delay: float = 0.0) -> list[int]:
    """Send 60 packets of 1000 bytes a second, each `delay` ms later than the one before."""
    told = []
    for n in range(seconds * 60):
        sent_ms = began_ms + n * 1000 / 60
        packet = RtpPacket(payload_type=96, ssrc=1, payload=bytes(1_000))
        packet.extensions.abs_send_time = round(sent_ms * 2**18 / 1000) & 0xFFFFFF
        fci = bandwidth.saw(packet, round(sent_ms + 20 + n * delay))
        if fci:
            told.append(unpack_remb_fci(fci)[0])
    return told


def test_a_sender_that_sends_little_is_not_held_to_it() -> None:
    bandwidth = Bandwidth()
    begun = estimates(bandwidth, 0, 4)
    assert max(begun, default=0) < AMPLE, "not at once"
    assert set(estimates(bandwidth, 5_000, 10)[2:]) == {AMPLE}


def test_a_way_on_which_packets_queue_up_binds() -> None:
    bandwidth = Bandwidth()
    estimates(bandwidth, 0, 10)
    assert max(estimates(bandwidth, 10_000, 6, delay=4.0)[-3:]) < 1_000_000
    assert max(estimates(bandwidth, 18_000, 5)) < AMPLE, "for a while"
    assert estimates(bandwidth, 60_000, 5)[-1] == AMPLE


def test_a_sender_that_names_ever_new_sources_is_not_remembered() -> None:
    bandwidth, named = Bandwidth(), []
    for n in range(1_000):
        packet = RtpPacket(payload_type=96, ssrc=n, payload=bytes(1_000))
        packet.extensions.abs_send_time = round(n * 2**18 / 60) & 0xFFFFFF
        fci = bandwidth.saw(packet, round(n * 1000 / 60))
        if fci:
            named.append(unpack_remb_fci(fci)[1])
        assert len(bandwidth._estimator.ssrcs) <= MOST_SOURCES
    assert named[-1][-1] > 900, "the newest are told of"
