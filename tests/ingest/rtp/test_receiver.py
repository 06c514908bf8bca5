"""A session's packets become Units; keyframes and lost packets are asked for when they must."""

from __future__ import annotations

from itertools import pairwise

from ingest.rtp import opus
from ingest.rtp.clock import MediaClock
from ingest.rtp.receiver import (
    ASK_KEY_AGAIN,
    FIRST_KEY,
    KEY_EVERY,
    VIDEO_PATIENCE,
    AudioReceiver,
    VideoReceiver,
)
from ingest.unit import AudioUnit, Unit, VideoCodec, VideoConfig, VideoUnit
from tests.helpers.rtp_packets import (
    H264,
    IDR,
    PPS,
    SLICE,
    SPS,
    VP8,
    Sender,
    aggregate,
    nal,
    vp8,
)

OPUS = 111


def receiver() -> tuple[VideoReceiver, list[Unit]]:
    units: list[Unit] = []
    codecs = {H264: VideoCodec.H264, VP8: VideoCodec.VP8}
    return VideoReceiver(MediaClock("video", "audio"), codecs, units.append), units


def kinds(units: list[Unit]) -> list[str]:
    return [
        u.codec.value if isinstance(u, VideoConfig) else "key" if u.keyframe else "delta"
        for u in units
        if isinstance(u, VideoConfig | VideoUnit)
    ]


def test_the_codec_may_change_in_mid_stream() -> None:
    video, units = receiver()
    sender = Sender(VP8)
    pictures = [sender.picture(vp8(500, 1, key=True)), sender.picture(vp8(500, 1, key=False))]
    sender.payload_type = H264
    pictures += [
        sender.picture([aggregate(SPS, PPS), nal(IDR, 300)]),
        sender.picture([nal(SLICE, 300)]),
    ]
    sender.payload_type = VP8
    pictures.append(sender.picture(vp8(500, 1, key=True)))
    sender.payload_type = 45
    pictures.append(sender.picture([b"a codec that was not agreed on"]))
    for packet in (p for packets in pictures for p in packets):
        video.push(packet)
    assert kinds(units) == ["vp8", "key", "delta", "h264", "key", "delta", "vp8", "key"]
    stamps = [u.pts for u in units if isinstance(u, VideoUnit)]
    assert [b - a for a, b in pairwise(stamps)] == [3_000] * 4


def test_a_keyframe_is_asked_for_until_it_comes_and_when_the_last_is_old() -> None:
    video, units = receiver()
    sender = Sender(VP8)
    asked: list[float] = []

    def send(seconds: float, *, key: bool = False) -> None:
        for _ in range(round(seconds * 30)):
            for packet in sender.picture(vp8(500, 1, key=key)):
                video.push(packet)
                if video.wants_key(packet.arrival):
                    asked.append(packet.arrival - 10.0)

    assert not video.wants_key(99.0), "nobody sends yet"
    send(1.5)
    assert units == []
    assert FIRST_KEY <= asked[0] < FIRST_KEY + 0.1
    assert len(asked) == 3
    assert all(b - a >= ASK_KEY_AGAIN for a, b in pairwise(asked))
    asked.clear()
    came = sender.now - 10.0
    send(1 / 30, key=True)
    send(KEY_EVERY + 1)
    assert came + KEY_EVERY <= asked[0] < came + KEY_EVERY + 0.1
    assert kinds(units)[:3] == ["vp8", "key", "delta"]


def test_a_sender_with_keyframes_of_its_own_is_left_alone() -> None:
    video, _ = receiver()
    sender = Sender(VP8)
    for number in range(300):
        for packet in sender.picture(vp8(500, 1, key=number % 60 == 0)):
            video.push(packet)
            assert not video.wants_key(packet.arrival)


def test_a_loss_is_asked_for_and_then_a_keyframe() -> None:
    video, units = receiver()
    sender = Sender(VP8)
    packets = [p for n in range(40) for p in sender.picture(vp8(500, 1, key=n == 0))]
    missing, keys = [], []
    for n, packet in enumerate(packets):
        if n == 10:
            continue
        video.push(packet)
        missing += video.missing(packet.arrival)
        keys += [packet.arrival] if video.wants_key(packet.arrival) else []
    assert set(missing) == {packets[10].sequence}
    assert packets[10].arrival + VIDEO_PATIENCE <= keys[0]
    assert kinds(units) == ["vp8", "key", *["delta"] * 9]


def test_a_packet_that_was_sent_again_in_time_costs_nothing() -> None:
    video, units = receiver()
    sender = Sender(VP8)
    packets = [p for n in range(20) for p in sender.picture(vp8(500, 1, key=n == 0))]
    late = packets.pop(10)
    packets.insert(14, late)
    for packet in packets:
        video.push(packet)
        assert not video.wants_key(packet.arrival)
    assert kinds(units) == ["vp8", "key", *["delta"] * 19]


def test_another_source_begins_anew_on_the_same_line() -> None:
    video, units = receiver()
    first, second = Sender(VP8), Sender(VP8, sequence=9, timestamp=4_000_000_000)
    for packet in first.picture(vp8(500, 1, key=True)):
        video.push(packet)
    video.restart()
    second.now = first.now + 2
    for packet in second.picture(vp8(500, 1, key=True)):
        video.push(packet)
    one, two = (u for u in units if isinstance(u, VideoUnit))
    assert abs(two.pts - one.pts - (2 + 1 / 30) * 90_000) <= 1


def test_sound_is_opus_with_its_header() -> None:
    units: list[Unit] = []
    audio = AudioReceiver(MediaClock("video", "audio"), OPUS, units.append)
    sender = Sender(OPUS, sequence=65_534, timestamp=0xFFFFFFFF - 960, clock=48_000)
    for number in range(5):
        for packet in sender.picture([bytes((0xFC, number))], 0.02):
            audio.push(packet)
    audio.push(sender.picture([b""], 0.02)[0])
    config, *sounds = units
    assert config == opus.CONFIG
    assert [u.data[1] for u in sounds if isinstance(u, AudioUnit)] == [0, 1, 2, 3, 4]
    stamps = [u.pts for u in sounds if isinstance(u, AudioUnit)]
    assert [b - a for a, b in pairwise(stamps)] == [1_800] * 4
