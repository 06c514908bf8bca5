"""Fragments and initialization sections, read back by a reader of its own and by libav."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.unit import AudioConfig, AudioUnit, VideoConfig, VideoUnit
from tests.helpers.clips import Clip, read_number, units
from tests.helpers.mp4_boxes import Box, ReadSample, boxes, runs
from transcode.errors import MediaError
from transcode.fmp4 import (
    AUDIO_TRACK,
    VIDEO_TRACK,
    AudioTrack,
    Run,
    Sample,
    VideoTrack,
    fragment,
    init_section,
)
from transcode.nal import avcc

SPS = bytes.fromhex("6742c01e95a0280bfe54")
AVCC = avcc((SPS,), (b"\x68\xce\x3c\x80",))
AUDIO = AudioTrack(b"\x11\x90", 48_000, 2)

SAMPLES = st.lists(
    st.builds(
        Sample,
        data=st.binary(min_size=1, max_size=30),
        duration=st.sampled_from([3000, 3003, 3004]),
        sync=st.booleans(),
        cts=st.integers(min_value=-9000, max_value=9000),
    ),
    max_size=12,
)


@given(video=SAMPLES, audio=SAMPLES, begin=st.integers(0, 2**62), sequence=st.integers(0, 2**40))
def test_what_is_written_is_read(
    video: list[Sample], audio: list[Sample], begin: int, sequence: int
) -> None:
    tracks = [Run(VIDEO_TRACK, begin, video), Run(AUDIO_TRACK, begin // 2, audio)]
    written = [run for run in tracks if run.samples]
    if not written:
        with pytest.raises(MediaError):
            fragment(sequence, tracks)
        return
    found = runs(fragment(sequence, tracks))
    assert [(run.track, run.decode_time) for run in found] == [
        (run.track, run.decode_time) for run in written
    ]
    for got, run in zip(found, written, strict=True):
        assert got.samples == [ReadSample(*sample) for sample in run.samples]


@pytest.mark.parametrize(
    ("syncs", "durations", "cts", "flags"),
    [
        ([True, False, False], [3000] * 3, 0, 0x205),
        ([False, False, False], [3000] * 3, 0, 0x201),
        ([True, True, True], [1024] * 3, 0, 0x201),
        ([True], [3000], 0, 0x201),
        ([True, False, False], [3003, 3004, 3003], 0, 0x305),
        ([True, False, True], [3000] * 3, 0, 0x601),
        ([False, False], [3000] * 2, -3000, 0xA01),
    ],
)
def test_only_what_differs_is_told_for_each_sample(
    syncs: list[bool], durations: list[int], cts: int, flags: int
) -> None:
    samples = [
        Sample(b"x", duration, sync, cts) for sync, duration in zip(syncs, durations, strict=True)
    ]
    moof, _ = boxes(fragment(1, [Run(VIDEO_TRACK, 0, samples)]))
    assert int.from_bytes(moof.one("traf/trun").payload[1:4], "big") == flags
    assert moof.one("mfhd").payload == bytes(7) + b"\x01"


def test_time_before_zero_is_refused() -> None:
    with pytest.raises(MediaError):
        fragment(1, [Run(VIDEO_TRACK, -1, [Sample(b"x", 1, True)])])


def test_both_tracks_are_announced() -> None:
    ftyp, moov = boxes(init_section(VideoTrack(AVCC, 640, 480), AUDIO))
    assert ftyp.payload[:4] == b"iso6"
    video, audio = moov.all("trak")
    assert [_handler(trak) for trak in (video, audio)] == [b"vide", b"soun"]
    assert [_timescale(trak) for trak in (video, audio)] == [90_000, 48_000]
    assert [_track(trex) for trex in moov.all("mvex/trex")] == [VIDEO_TRACK, AUDIO_TRACK]
    tkhd = video.one("tkhd").payload
    assert (tkhd[76:78], tkhd[80:82]) == ((640).to_bytes(2, "big"), (480).to_bytes(2, "big"))
    for table in ("stts", "stsc", "stco"):
        assert video.one(f"mdia/minf/stbl/{table}").payload == bytes(8)
    assert AVCC in video.one("mdia/minf/stbl/stsd").payload
    assert b"\x05\x80\x80\x80\x02\x11\x90" in audio.one("mdia/minf/stbl/stsd").payload


def test_a_single_track_is_cmaf_and_two_are_not() -> None:
    for init, single in (
        (init_section(None, AUDIO), True),
        (init_section(VideoTrack(AVCC, 640, 480), None), True),
        (init_section(VideoTrack(AVCC, 640, 480), AUDIO), False),
    ):
        assert (b"cmfc" in boxes(init)[0].payload) == single
    with pytest.raises(MediaError):
        init_section(None, None)


def test_libav_reads_sizes_times_and_pictures() -> None:
    clip = Clip(seconds=1.0, width=320, height=180, b_frames=2)
    made = units(clip)
    video = next(unit for unit in made if isinstance(unit, VideoConfig))
    audio = next(unit for unit in made if isinstance(unit, AudioConfig))
    pictures = [unit for unit in made if isinstance(unit, VideoUnit)]
    sounds = [unit for unit in made if isinstance(unit, AudioUnit)]
    movie = init_section(
        VideoTrack(video.extradata, clip.width, clip.height),
        AudioTrack(audio.extradata, audio.sample_rate, audio.channels),
    )
    for begin in range(0, 30, 10):
        movie += fragment(
            begin // 10 + 1,
            [
                Run(VIDEO_TRACK, begin * 3000, [
                    Sample(unit.data, 3000, unit.keyframe, unit.pts - unit.dts)
                    for unit in pictures[begin : begin + 10]
                ]),
                Run(AUDIO_TRACK, begin * 1600, [
                    Sample(unit.data, 1024, True)
                    for unit in sounds[begin * 3 // 2 : begin * 3 // 2 + 15]
                ]),
            ],
        )  # fmt: skip
    with av.open(io.BytesIO(movie), "r") as source:
        assert (source.streams.video[0].width, source.streams.video[0].height) == (320, 180)
        assert source.streams.audio[0].rate == 48_000
        packets = list(source.demux(video=0))
        assert [packet.dts for packet in packets if packet.size] == [3000 * n for n in range(30)]
        assert [p.is_keyframe for p in packets if p.size] == [u.keyframe for u in pictures]
    with av.open(io.BytesIO(movie), "r") as source:
        numbers = [
            read_number(np.asarray(f.to_ndarray()[: clip.height], np.uint8))
            for f in source.decode(video=0)
        ]
    assert numbers == list(range(30))


def _handler(trak: Box) -> bytes:
    return trak.one("mdia/hdlr").payload[8:12]


def _timescale(trak: Box) -> int:
    return int.from_bytes(trak.one("mdia/mdhd").payload[12:16], "big")


def _track(trex: Box) -> int:
    return int.from_bytes(trex.payload[4:8], "big")
