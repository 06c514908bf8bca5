"""Pictures come out of their packets whole, or not at all."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.rtp.depacketize import MOST_BYTES, Assembler, Depacketizer, Picture
from ingest.rtp.h264 import H264Depacketizer
from ingest.rtp.packet import Packet
from ingest.rtp.vp8 import Vp8Depacketizer
from ingest.unit import VideoCodec
from tests.helpers.rtp_packets import (
    H264,
    IDR,
    PPS,
    SLICE,
    SPS,
    VP8,
    Sender,
    aggregate,
    fragments,
    nal,
    vp8,
)
from transcode.nal import parse_avcc, split_avcc

KEY = nal(IDR, 5_000)
DELTA = nal(SLICE, 900)


def taken(assembler: Assembler, packets: list[Packet]) -> list[Picture]:
    return [picture for packet in packets for picture in assembler.push(packet)]


def h264_key(way: str) -> list[bytes]:
    """One keyframe, cut as this sender does."""
    return {
        "libwebrtc": [aggregate(SPS, PPS), *fragments(KEY, 1_200)],
        "libdatachannel": [*fragments(SPS, 1_200), PPS, *fragments(KEY, 1_200)],
        "single units": [SPS, PPS, KEY],
        "all in one": [aggregate(SPS, PPS, nal(IDR, 400))],
        "with a delimiter": [b"\x09\x10", SPS, PPS, KEY],
    }[way]


@pytest.mark.parametrize(
    "way", ["libwebrtc", "libdatachannel", "single units", "all in one", "with a delimiter"]
)
def test_h264_is_joined_however_it_was_cut(way: str) -> None:
    sender, assembler = Sender(H264), Assembler(H264Depacketizer())
    (key,) = taken(assembler, sender.picture(h264_key(way)))
    (delta,) = taken(assembler, sender.picture(fragments(DELTA, 500)))
    assert key.coded.keyframe
    assert not delta.coded.keyframe
    config = key.coded.config
    assert config is not None
    assert config.codec is VideoCodec.H264
    parsed = parse_avcc(config.extradata)
    assert (parsed.sps, parsed.pps, parsed.length_size) == ((SPS,), (PPS,), 4)
    units = list(split_avcc(key.coded.data))
    assert units[-1] == (nal(IDR, 400) if way == "all in one" else KEY)
    assert {SPS, PPS} <= set(units)
    assert list(split_avcc(delta.coded.data)) == [DELTA]
    assert delta.coded.config is None
    assert (key.timestamp, delta.timestamp) == (0, 3_000)
    assert delta.arrival == pytest.approx(10 + 1 / 30)


def test_a_configuration_is_told_again_only_when_it_is_another() -> None:
    sender, assembler = Sender(H264), Assembler(H264Depacketizer())
    other = SPS[:4] + b"\xda" + SPS[5:]
    told = []
    for sps in (SPS, SPS, other, other, SPS):
        (picture,) = taken(assembler, sender.picture([aggregate(sps, PPS), KEY]))
        told.append(picture.coded.config)
    assert [config is not None for config in told] == [True, False, True, False, True]
    assert parse_avcc(told[2].extradata).sps == (other,)  # type: ignore[union-attr]


def test_parameter_sets_ahead_of_their_picture_count() -> None:
    sender, assembler = Sender(H264), Assembler(H264Depacketizer())
    assert taken(assembler, sender.picture([aggregate(SPS, PPS)])) == []
    (key,) = taken(assembler, sender.picture([KEY]))
    assert key.coded.config is not None


def test_a_keyframe_without_parameter_sets_shows_nothing() -> None:
    sender, assembler = Sender(H264), Assembler(H264Depacketizer())
    assert taken(assembler, sender.picture([KEY])) == []
    assert assembler.damaged


@pytest.mark.parametrize("extended", [True, False])
def test_vp8_is_joined(extended: bool) -> None:
    sender, assembler = Sender(VP8), Assembler(Vp8Depacketizer())
    (key,) = taken(assembler, sender.picture(vp8(3_000, 3, key=True, extended=extended)))
    (delta,) = taken(assembler, sender.picture(vp8(700, 1, key=False, extended=extended)))
    (again,) = taken(assembler, sender.picture(vp8(700, 1, key=True, extended=extended)))
    assert (key.coded.keyframe, delta.coded.keyframe) == (True, False)
    assert (len(key.coded.data), len(delta.coded.data)) == (3_000, 700)
    assert key.coded.config is not None
    assert key.coded.config.codec is VideoCodec.VP8
    assert again.coded.config is None


def pictures(codec: str, sender: Sender, count: int, keys: set[int]) -> list[list[Packet]]:
    made = []
    for n in range(count):
        if codec == "vp8":
            payloads = vp8(2_000, 3, key=n in keys)
        elif n in keys:
            payloads = [aggregate(SPS, PPS), *fragments(nal(IDR, 2_000), 900)]
        else:
            payloads = fragments(nal(SLICE, 2_000), 900)
        made.append(sender.picture(payloads))
    return made


def depacketizer(codec: str) -> Depacketizer:
    return Vp8Depacketizer() if codec == "vp8" else H264Depacketizer()


@pytest.mark.parametrize("codec", ["vp8", "h264"])
@pytest.mark.parametrize("lost", [0, 1, 2])
def test_after_a_loss_nothing_is_shown_before_a_keyframe(codec: str, lost: int) -> None:
    made = pictures(codec, Sender(VP8), 12, {0, 8})
    assembler = Assembler(depacketizer(codec))
    del made[4][lost]
    shown = [p.timestamp // 3_000 for packets in made for p in taken(assembler, packets)]
    assert shown == [0, 1, 2, 3, 8, 9, 10, 11]
    assert not assembler.damaged


@pytest.mark.parametrize("codec", ["vp8", "h264"])
def test_a_keyframe_right_behind_the_hole_is_shown(codec: str) -> None:
    made = pictures(codec, Sender(VP8), 6, {0, 4})
    assembler = Assembler(depacketizer(codec))
    shown = [
        p.timestamp // 3_000
        for n, packets in enumerate(made)
        if n not in {2, 3}
        for p in taken(assembler, packets)
    ]
    assert shown == [0, 1, 4, 5]


@pytest.mark.parametrize("codec", ["vp8", "h264"])
def test_who_joins_within_a_picture_waits_for_a_whole_keyframe(codec: str) -> None:
    made = pictures(codec, Sender(VP8), 4, {0, 2})
    assembler = Assembler(depacketizer(codec))
    shown = [
        p.timestamp // 3_000 for n in made for p in taken(assembler, n[1:] if n is made[0] else n)
    ]
    assert shown == [2, 3]


@pytest.mark.parametrize("codec", ["vp8", "h264"])
def test_a_picture_without_its_marker_ends_with_the_next(codec: str) -> None:
    made = pictures(codec, Sender(VP8), 3, {0})
    assembler = Assembler(depacketizer(codec))
    bare = [replace(packet, marker=False) for packets in made for packet in packets]
    assert [p.timestamp // 3_000 for p in taken(assembler, bare)] == [0, 1]


def test_padding_between_pictures_is_nothing() -> None:
    sender, assembler = Sender(VP8), Assembler(Vp8Depacketizer())
    first = sender.picture(vp8(500, 1, key=True))
    padding = replace(first[0], sequence=first[0].sequence + 1, payload=b"", marker=False)
    sender.sequence += 1
    second = sender.picture(vp8(500, 1, key=False))
    assert len(taken(assembler, [*first, padding, *second])) == 2


def test_a_picture_that_never_ends_is_let_go() -> None:
    sender, assembler = Sender(VP8), Assembler(Vp8Depacketizer())
    start, more = vp8(60_000, 2, key=True)
    packets = sender.picture([start, *[more] * (MOST_BYTES // 30_000 + 2)])
    assert taken(assembler, packets) == []
    assert assembler.damaged


@pytest.mark.parametrize("codec", ["vp8", "h264"])
@given(payloads=st.lists(st.tuples(st.binary(max_size=40), st.booleans()), max_size=40))
def test_no_bytes_break_it(codec: str, payloads: list[tuple[bytes, bool]]) -> None:
    assembler = Assembler(depacketizer(codec))
    for n, (payload, marker) in enumerate(payloads):
        assembler.push(Packet(n, n // 3, marker, VP8, payload, 0.0))
