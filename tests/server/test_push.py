"""Files are broadcast as an encoder would: paced, continuous over passes, refusals told.

The command runs in a process of its own, as it does in life: libav's network calls keep
Python's lock, and the server under test is in this process.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import re
import signal
import struct
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import pytest_asyncio

from ingest.rtmp.listener import RtmpListener
from ingest.unit import (
    TICKS_PER_SECOND,
    AudioCodec,
    AudioConfig,
    AudioUnit,
    VideoCodec,
    VideoConfig,
    VideoUnit,
)
from server.push import PushError, push
from tests.helpers.rare import rare
from tests.helpers.recording_gate import KEY, RecordingGate, RecordingSink, until

pytestmark = pytest.mark.slow  # real processes, in real time

RATE = 25


def write_clip(path: Path, video: str, audio: str, rate: int = 48_000) -> None:
    """Write one second of a moving edge and a tone."""
    with av.open(str(path), "w") as out:
        pictures = out.add_stream(video, rate=RATE)
        assert isinstance(pictures, av.VideoStream)
        context = pictures.codec_context
        context.width, context.height, context.pix_fmt = 160, 90, "yuv420p"
        sounds = out.add_stream(audio, rate=rate, layout="stereo")
        assert isinstance(sounds, av.AudioStream)
        for number in range(RATE):
            luma = np.full((135, 160), 128, np.uint8)
            luma[:90, : 6 * number + 2] = 200
            frame = av.VideoFrame.from_ndarray(luma, format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            out.mux(pictures.encode(frame))
        tone = np.sin(np.arange(rate) * 2 * math.pi * 440 / rate).astype(np.float32) * 0.3
        resampler = av.AudioResampler(
            format=sounds.codec_context.format, layout="stereo", rate=rate, frame_size=960
        )
        source = av.AudioFrame.from_ndarray(np.stack([tone, tone]), format="fltp", layout="stereo")
        source.sample_rate, source.pts = rate, 0
        source.time_base = Fraction(1, rate)
        for piece in resampler.resample(source):
            out.mux(sounds.encode(piece))
        out.mux(pictures.encode(None))
        out.mux(sounds.encode(None))


def decoded(sink: RecordingSink) -> list[av.VideoFrame]:
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    decoder.extradata = sink.of(VideoConfig)[0].extradata
    packets = [av.Packet(unit.data) for unit in sink.of(VideoUnit)]
    return [frame for packet in (*packets, None) for frame in decoder.decode(packet)]


class Server:
    def __init__(self, listener: RtmpListener, gate: RecordingGate) -> None:
        self.listener = listener
        self.gate = gate

    def url(self, key: str = KEY) -> str:
        return f"rtmp://127.0.0.1:{self.listener.port}/live/{key}"

    async def sink(self) -> RecordingSink:
        await until(lambda: bool(self.gate.sinks and self.gate.sinks[-1].closed))
        return self.gate.sinks[-1]


async def begin(clip: Path, url: str, *options: str) -> Process:
    command = (sys.executable, "-m", "server", "push", str(clip), url, *options)
    return await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)


async def finish(process: Process) -> tuple[int | None, str, str]:
    try:
        async with asyncio.timeout(40):
            out, error = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.communicate()
        raise
    return process.returncode, out.decode(), error.decode()


@pytest_asyncio.fixture
async def rtmp() -> AsyncIterator[Server]:
    gate = RecordingGate()
    listener = RtmpListener(gate, host="127.0.0.1", port=0)
    await listener.start()
    yield Server(listener, gate)
    await listener.close()


@pytest.mark.parametrize(
    ("name", "video", "audio", "codecs"),
    [
        ("clip.mp4", "libx264", "aac", (VideoCodec.H264, AudioCodec.AAC)),
        rare("clip.mkv", "libx265", "libopus", (VideoCodec.HEVC, AudioCodec.OPUS)),
        rare("clip.mp4", "libsvtav1", "flac", (VideoCodec.AV1, AudioCodec.FLAC)),
        ("clip.webm", "libvpx-vp9", "libopus", (VideoCodec.VP9, AudioCodec.OPUS)),
    ],
)
async def test_what_rtmp_carries_is_copied_as_it_is(
    rtmp: Server,
    tmp_path: Path,
    name: str,
    video: str,
    audio: str,
    codecs: tuple[VideoCodec, AudioCodec],
) -> None:
    clip = tmp_path / name
    await asyncio.to_thread(write_clip, clip, video, audio)
    status, out, error = await finish(await begin(clip, rtmp.url()))
    assert (status, error) == (0, "")
    assert re.match(r"sent (0\.9|1\.)", out)
    sink = await rtmp.sink()

    def payloads() -> list[bytes]:
        with av.open(str(clip)) as source:
            return [bytes(p) for p in source.demux(video=0) if p.size]

    sent = await asyncio.to_thread(payloads)
    assert len(sent) >= RATE
    assert [unit.data for unit in sink.of(VideoUnit)] == sent
    (config,) = sink.of(VideoConfig)
    sound = sink.of(AudioConfig)[0]
    assert (config.codec, sound.codec, sound.sample_rate) == (*codecs, 48_000)


@pytest.mark.parametrize(
    ("name", "video", "audio", "rate"),
    [("clip.mkv", "libvpx", "mp2", 48_000), ("clip.avi", "mpeg4", "pcm_s16le", 22_050)],
)
async def test_anything_else_becomes_h264_and_aac(
    rtmp: Server, tmp_path: Path, name: str, video: str, audio: str, rate: int
) -> None:
    clip = tmp_path / name
    await asyncio.to_thread(write_clip, clip, video, audio, rate)
    status, _, error = await finish(await begin(clip, rtmp.url()))
    assert (status, error) == (0, "")
    sink = await rtmp.sink()
    frames = decoded(sink)
    assert len(frames) >= RATE - 1
    assert (frames[0].width, frames[0].height) == (160, 90)
    assert sink.of(AudioConfig)[0].sample_rate == 48_000
    assert len(sink.of(AudioUnit)) > 35


def turn_clockwise(clip: Path) -> None:
    """Write a quarter turn into the first track's header (ISO 14496-12 8.3.2), as phones do."""
    data = bytearray(clip.read_bytes())
    matrix = data.index(b"tkhd") + 44
    one = 1 << 16
    data[matrix : matrix + 36] = struct.pack(">9i", 0, one, 0, -one, 0, 0, 0, 0, 1 << 30)
    clip.write_bytes(data)


async def test_a_phones_upright_video_arrives_upright(rtmp: Server, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    await asyncio.to_thread(write_clip, clip, "libx264", "aac")
    await asyncio.to_thread(turn_clockwise, clip)
    status, _, error = await finish(await begin(clip, rtmp.url()))
    assert (status, error) == (0, "")
    frames = decoded(await rtmp.sink())
    luma = frames[12].to_ndarray(format="gray")
    assert luma.shape == (160, 90)
    # The bright edge grows from the left; turned clockwise, from the top.
    assert luma[:40].mean() > luma[120:].mean() + 30


async def test_a_loop_goes_on_without_a_jump(rtmp: Server, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    await asyncio.to_thread(write_clip, clip, "libx264", "aac")
    status, _, error = await finish(await begin(clip, rtmp.url(), "--loop", "--seconds", "2.5"))
    assert (status, error) == (0, "")
    sink = await rtmp.sink()
    stamps = [unit.dts for unit in sink.of(VideoUnit)]
    steps = [(b - a) / TICKS_PER_SECOND for a, b in itertools.pairwise(stamps)]
    assert min(steps) >= 0
    assert max(steps) < 0.2
    assert stamps[-1] - stamps[0] > 2 * TICKS_PER_SECOND


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_the_broadcast_in_order(
    rtmp: Server, tmp_path: Path, told: signal.Signals
) -> None:
    clip = tmp_path / "clip.mp4"
    await asyncio.to_thread(write_clip, clip, "libx264", "aac")
    process = await begin(clip, rtmp.url(), "--loop")
    await until(lambda: bool(rtmp.gate.sinks and rtmp.gate.sinks[0].of(VideoUnit)), 30)
    process.send_signal(told)
    status, _, error = await finish(process)
    assert status == 130
    assert "Traceback" not in error
    assert (await rtmp.sink()).goodbyes == [True]


async def test_a_refused_key_is_one_clear_line(rtmp: Server, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    await asyncio.to_thread(write_clip, clip, "libx264", "aac")
    status, _, error = await finish(await begin(clip, rtmp.url("wrong-secret")))
    assert status == 1
    assert "This stream key is not known." in error
    assert "wrong-secret" not in error
    assert error.count("\n") == 1


def test_what_cannot_be_sent_is_told(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not media\n")
    clip = tmp_path / "clip.mp4"
    write_clip(clip, "libx264", "aac")
    for file, url, words in (
        (tmp_path / "none.mp4", "rtmp://127.0.0.1:1/live/k", "cannot read"),
        (text, "rtmp://127.0.0.1:1/live/k", "cannot read"),
        (clip, "http://127.0.0.1/secret", "not an RTMP address"),
        (clip, "rtmp://127.0.0.1:1/live/secret", "rtmp://127.0.0.1:1/live/"),
    ):
        with pytest.raises(PushError, match=words) as told:
            push(file, url)
        assert "secret" not in str(told.value)
