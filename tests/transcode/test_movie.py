"""Plain MP4s made of recorded segments: read back by libav, ffmpeg and a reader of our own."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from struct import pack

import av
import numpy as np
import pytest

from tests.helpers.clips import Clip, read_number, units
from tests.helpers.footage import shifted
from tests.helpers.mp4_boxes import boxes as read_boxes
from tests.helpers.mp4_boxes import runs
from tests.helpers.rendered import beeps, parts, track
from tests.helpers.worker_run import Run as WorkerRun
from transcode.chunks import first_fragment, first_sample, read_chunks, read_init
from transcode.errors import MediaError
from transcode.fmp4 import (
    AUDIO_TRACK,
    VIDEO_TRACK,
    AudioTrack,
    Sample,
    VideoTrack,
    fragment,
    init_section,
)
from transcode.fmp4 import Run as FragmentRun
from transcode.message import Up
from transcode.movie import Movie
from transcode.nal import avcc

RUNG = "90p"
SPS = bytes.fromhex("6742c01e95a0280bfe54")
AVCC = avcc((SPS,), (b"\x68\xce\x3c\x80",))
INIT = init_section(VideoTrack(AVCC, 640, 360), AudioTrack(b"\x11\x90", 48_000, 2))


@dataclass(frozen=True)
class Made:
    """What a worker made of some clip: the segments of one rung, epoch by epoch."""

    init: bytes
    epochs: list[list[bytes]]

    @property
    def segments(self) -> list[bytes]:
        return [segment for epoch in self.epochs for segment in epoch]


def segments(messages: list[Up], rendition: str, epoch: int = 0) -> list[bytes]:
    found: dict[int, bytes] = {}
    for part in parts(messages, rendition, epoch):
        found[part.segment] = found.get(part.segment, b"") + part.data
    return list(found.values())


@pytest.fixture(scope="module")
def show() -> Made:
    """Six seconds, then the encoder comes back for four: two epochs of the same format."""
    run = WorkerRun()
    run.feed(units(Clip(seconds=6.0)))
    run.pipeline.splice()
    run.feed(shifted(units(Clip(seconds=4.0), first=1000), 90_000 * 3600), 1_700_000_060_000)
    made = run.close()
    return Made(track(made, RUNG).init, [segments(made, RUNG, n) for n in (0, 1)])


def film(made: Iterable[bytes], anew: Iterable[int] = (), init: bytes = INIT) -> Movie:
    """Collect segments; those numbered in `anew` begin an epoch."""
    movie, marks = Movie(read_init(init)), set(anew)
    for number, segment in enumerate(made):
        movie.add(read_chunks(segment), len(segment), anew=number in marks)
    return movie


def whole(show: Made) -> bytes:
    joined = film(show.segments, [0, len(show.epochs[0])], show.init)
    return joined.head() + b"".join(show.segments)


def shown(file: bytes) -> list[tuple[float, int]]:
    """Decode a file as players do, edit list and all: when is which picture."""
    with av.open(io.BytesIO(file), "r") as container:
        frames = [(frame.time or 0.0, frame.to_ndarray()) for frame in container.decode(video=0)]
    cut = [(at, planes[: planes.shape[0] * 2 // 3]) for at, planes in frames]
    return [(at, read_number(luma.astype(np.uint8))) for at, luma in cut]


def heard(file: bytes) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Decode the sound, each block where its time says, and silence where there is none."""
    with av.open(io.BytesIO(file), "r") as container:
        blocks = [(frame.time or 0.0, frame.to_ndarray()[0]) for frame in container.decode(audio=0)]
    end = max(round(at * 48_000) + len(block) for at, block in blocks)
    wave = np.zeros(end, np.float32)
    for at, block in blocks:
        begin = max(round(at * 48_000), 0)
        wave[begin : begin + len(block)] = block[-(end - begin) :][: end - begin]
    return wave


def test_what_the_writer_wrote_is_read_sample_by_sample() -> None:
    video = [Sample(b"key", 3003, True, 6006), Sample(b"b", 3003, False, -3003)]
    sound = [Sample(bytes([n]) * n, 1024, True) for n in (3, 1, 2)]
    told = [FragmentRun(VIDEO_TRACK, 2**33, video), FragmentRun(AUDIO_TRACK, 7, sound)]
    first, second = fragment(1, told), fragment(2, told[1:])
    segment = first + second
    assert first_fragment(segment) == first
    assert first_sample(segment, VIDEO_TRACK) == b"key"
    found = list(read_chunks(segment))
    assert [(chunk.track, chunk.time) for chunk in found] == [(1, 2**33), (2, 7), (2, 7)]
    wanted = [run for piece in (first, second) for run in runs(piece)]
    for chunk, run in zip(found, wanted, strict=True):
        at = chunk.offset
        for number, sample in enumerate(run.samples):
            size = chunk.sizes[number]
            assert segment[at : at + size] == sample.data
            assert chunk.durations[number] == sample.duration
            assert (number in chunk.syncs) == sample.sync
            assert (chunk.composition[number] if chunk.composition else 0) == sample.cts
            at += size


def test_an_initialization_section_is_read() -> None:
    picture, sound = read_init(INIT)
    assert (picture.id, picture.handler, picture.timescale) == (VIDEO_TRACK, b"vide", 90_000)
    assert (picture.width, picture.height, picture.entry[4:8]) == (640, 360, b"avc1")
    assert AVCC in picture.entry
    assert (sound.id, sound.handler, sound.timescale) == (AUDIO_TRACK, b"soun", 48_000)
    assert sound.entry[4:8] == b"mp4a"


@pytest.mark.parametrize("cut", range(1, 200, 7))
def test_what_is_cut_off_is_refused_not_guessed(cut: int) -> None:
    piece = fragment(1, [FragmentRun(1, 0, [Sample(b"x" * 100, 3000, True)] * 4)])
    with pytest.raises(MediaError):
        list(read_chunks(piece[: len(piece) - cut * 2]))
    with pytest.raises(MediaError):
        read_init(INIT[: len(INIT) - cut])


def test_every_picture_of_both_epochs_is_there_once_and_in_time(show: Made) -> None:
    pictures = shown(whole(show))
    wanted = [*range(180), *range(1000, 1120)]
    assert [number for _, number in pictures] == wanted
    times = np.array([at for at, _ in pictures])
    assert np.diff(times) == pytest.approx(1 / 30, abs=0.025)
    assert times[179] == pytest.approx(179 / 30, abs=0.002)
    assert times[-1] == pytest.approx(299 / 30, abs=0.025)


def test_sound_and_picture_stay_together_across_the_join(show: Made) -> None:
    file = whole(show)
    onsets = beeps(heard(file))
    pictures = shown(file)
    assert len(onsets) >= 8
    for onset in onsets:
        number = [number for at, number in pictures if at <= onset + 0.001][-1]
        assert (number % 1000) % 30 in (0, 1, 2, 29), f"picture {number} at the beep of {onset}"


def test_a_cut_begins_and_ends_at_its_picture_not_at_a_key_picture(show: Made) -> None:
    movie = film(show.epochs[0], [0], show.init)
    start, stop = Fraction(5, 6), Fraction(10, 3)
    file = movie.head(start, stop) + b"".join(show.epochs[0])
    pictures = shown(file)
    assert [number for _, number in pictures] == list(range(25, 100))
    assert pictures[0][0] == pytest.approx(0, abs=0.002)
    with av.open(io.BytesIO(file), "r") as container:
        assert (container.duration or 0) / 1e6 == pytest.approx(2.5, abs=0.03)
    assert beeps(heard(file))[0] == pytest.approx(1 / 6, abs=0.03)


def test_the_length_is_known_before_the_bytes(show: Made) -> None:
    movie = film(show.segments, [0, 3], show.init)
    head = movie.head()
    assert movie.size == sum(map(len, show.segments))
    kinds = [box.kind for box in read_boxes(head + b"".join(show.segments))]
    assert kinds == ["ftyp", "moov", "mdat"]


@pytest.mark.interop
def test_ffprobe_and_ffmpeg_find_nothing_to_complain_of(show: Made, tmp_path: Path) -> None:
    path = tmp_path / "show.mp4"
    path.write_bytes(whole(show))
    told = subprocess.run(
        ["ffprobe", "-v", "error", "-of", "json", "-show_format", "-show_streams", str(path)],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    assert told.stderr == b""
    found = json.loads(told.stdout)
    assert [stream["codec_name"] for stream in found["streams"]] == ["h264", "aac"]
    assert int(found["streams"][0]["nb_frames"]) == 300
    assert float(found["format"]["duration"]) == pytest.approx(10.0, abs=0.06)
    done = subprocess.run(
        ["ffmpeg", "-v", "warning", "-xerror", "-i", str(path), "-f", "null", "-"],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    assert done.stderr == b""


def piece(time: int, count: int = 30, cts: int = 0, sound: int | None = None) -> bytes:
    """Make a segment of a second by hand, its samples one byte each."""
    pictures = [Sample(b"p", 3000, n == 0, cts) for n in range(count)]
    sounds = [Sample(b"s", 1024, True)] * 46
    at = time * 8 // 15 if sound is None else sound
    told = [FragmentRun(VIDEO_TRACK, time, pictures), FragmentRun(AUDIO_TRACK, at, sounds)]
    return fragment(1, told)


def test_a_short_hole_is_waited_out_and_a_long_one_left_out() -> None:
    short = film([piece(0), piece(90_000 + 9_000)])
    assert short.end == pytest.approx(2.1, abs=0.01)
    long = film([piece(0), piece(90_000 * 60)])
    assert long.end == pytest.approx(2.0, abs=0.01)


def test_a_segment_tells_where_it_begins() -> None:
    movie = Movie(read_init(INIT))
    begins = [movie.add(read_chunks(piece(t)), 99) for t in (0, 90_000, 90_000 * 100)]
    assert begins[:2] == [0, 1]
    assert begins[2] == pytest.approx(2, abs=0.01)
    end = movie.end
    assert movie.add(read_chunks(piece(0)), 99, anew=True) == end


def test_time_that_goes_back_and_unknown_tracks_are_refused() -> None:
    movie = film([piece(0), piece(90_000)])
    with pytest.raises(MediaError, match="goes back"):
        movie.add(read_chunks(piece(45_000)), 99)
    alone = Movie(read_init(INIT)[:1])
    with pytest.raises(MediaError, match="has not"):
        alone.add(read_chunks(piece(0)), 99)
    with pytest.raises(MediaError, match="without samples"):
        movie.add([], 0)


def test_pictures_out_of_order_keep_their_offsets() -> None:
    reordered = film([piece(0, cts=6000)])
    moov = read_boxes(reordered.head() + piece(0, cts=6000))[1]
    stbl = moov.all("trak")[0].one("mdia/minf/stbl")
    assert stbl.one("ctts").payload == pack(">IIIi", 1 << 24, 1, 30, 6000)
    assert stbl.one("stss").payload == pack(">III", 0, 1, 1)


def test_a_movie_beyond_four_gigabytes_has_wide_offsets() -> None:
    movie = Movie(read_init(INIT))
    chunks = list(read_chunks(piece(0)))
    movie.add(chunks, 5 << 30)
    movie.add(read_chunks(piece(90_000)), 99)
    head = movie.head()
    moov = next(box for box in read_boxes(head[:-16]) if box.kind == "moov")
    co64 = moov.all("trak")[0].one("mdia/minf/stbl/co64").payload
    assert int.from_bytes(co64[-8:], "big") == len(head) + (5 << 30) + chunks[0].offset
    assert head[-16:] == pack(">I4sQ", 1, b"mdat", 16 + (5 << 30) + 99)
