"""Real senders against the real listener: ffmpeg, GStreamer (both sinks), PyAV."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from fractions import Fraction

import av
import pytest

from ingest.limits import Limits
from ingest.rtmp.listener import RtmpListener
from ingest.unit import (
    TICKS_PER_MS,
    TICKS_PER_SECOND,
    AudioConfig,
    AudioUnit,
    StreamInfo,
    VideoConfig,
    VideoUnit,
)
from tests.helpers.recording_gate import KEY, RecordingGate, RecordingSink, until

pytestmark = pytest.mark.interop

SECONDS = 2
RATE = 30
DEADLINE = 60
MUXER_JITTER_MS = 50
"""On a busy machine flvmux delays the times of a track that comes late."""


@pytest.fixture
def gate() -> RecordingGate:
    return RecordingGate()


@pytest.fixture
async def url(gate: RecordingGate) -> AsyncIterator[str]:
    listener = RtmpListener(gate, Limits(), "127.0.0.1", 0)
    await listener.start()
    yield f"rtmp://127.0.0.1:{listener.port}/live/"
    await listener.close()


async def run(*command: str) -> tuple[int | None, str]:
    """Run a sender to its end; return its exit status and what it printed."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(DEADLINE):
            printed, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode, printed.decode(errors="replace")


async def only_sink(gate: RecordingGate) -> RecordingSink:
    await until(lambda: bool(gate.sinks and gate.sinks[0].closed))
    (sink,) = gate.sinks
    assert len(sink.closed) == 1
    return sink


def check_video(sink: RecordingSink, *, frames: int, jitter_ms: int = 2) -> None:
    """Configured first, a keyframe first, in decode order, on the grid that was sent."""
    kinds = [type(unit) for unit in sink.units]
    assert kinds.index(VideoConfig) < kinds.index(VideoUnit)
    video = sink.of(VideoUnit)
    assert len(video) == frames
    assert video[0].keyframe
    assert all(unit.pts >= unit.dts for unit in video)
    check_grid([unit.dts for unit in video], Fraction(TICKS_PER_SECOND, RATE), jitter_ms)
    shown = sorted(unit.pts for unit in video)
    check_grid(shown, Fraction(TICKS_PER_SECOND, RATE), jitter_ms)
    assert decoded(sink) == frames


def check_grid(times: list[int], period: Fraction, jitter_ms: int) -> None:
    """Each time is its place on a grid, to the jitter: no drift, no lost delta."""
    off = [round(time - times[0] - n * period) for n, time in enumerate(times)]
    assert all(abs(ticks) <= jitter_ms * TICKS_PER_MS for ticks in off), off


def decoded(sink: RecordingSink) -> int:
    """Decode what arrived, without any container; return the number of pictures."""
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    decoder.extradata = sink.of(VideoConfig)[0].extradata
    pictures = 0
    for unit in sink.of(VideoUnit):
        pictures += len(decoder.decode(av.Packet(unit.data)))
    return pictures + len(decoder.decode(None))


def check_audio(sink: RecordingSink, *, rate: int, channels: int, jitter_ms: int = 2) -> None:
    kinds = [type(unit) for unit in sink.units]
    assert kinds.index(AudioConfig) < kinds.index(AudioUnit)
    (config,) = sink.of(AudioConfig)
    assert (config.sample_rate, config.channels) == (rate, channels)
    audio = sink.of(AudioUnit)
    check_grid([unit.pts for unit in audio], Fraction(1024 * TICKS_PER_SECOND, rate), jitter_ms)
    length = Fraction(audio[-1].pts - audio[0].pts, TICKS_PER_SECOND)
    assert abs(length - SECONDS) < Fraction(1, 2)
    assert abs(audio[0].pts - sink.of(VideoUnit)[0].pts) < TICKS_PER_SECOND // 4


def ffmpeg(url: str, *encoding: str) -> tuple[str, ...]:
    return (
        "ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-re",
        "-f", "lavfi", "-i", f"testsrc2=size=320x240:rate={RATE}:duration={SECONDS}",
        "-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={SECONDS}",
        *encoding, "-f", "flv", url,
    )  # fmt: skip


BOTH = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "60", "-c:a", "aac", "-ac", "2")


@pytest.mark.parametrize("b_frames", ["0", "2"])
async def test_ffmpeg(gate: RecordingGate, url: str, b_frames: str) -> None:
    status, printed = await run(*ffmpeg(url + KEY, *BOTH, "-bf", b_frames))
    assert status == 0, printed
    sink = await only_sink(gate)
    info = sink.units[0]
    assert isinstance(info, StreamInfo)
    assert info.encoder.startswith("Lavf")
    assert (info.width, info.height, info.frame_rate) == (320, 240, Fraction(RATE))
    check_video(sink, frames=SECONDS * RATE)
    check_audio(sink, rate=48_000, channels=2)
    delayed = any(unit.pts > unit.dts + 2 * 90 for unit in sink.of(VideoUnit))
    assert delayed == (b_frames != "0")


async def test_ffmpeg_video_only(gate: RecordingGate, url: str) -> None:
    status, printed = await run(*ffmpeg(url + KEY, "-map", "0:v", *BOTH))
    assert status == 0, printed
    sink = await only_sink(gate)
    check_video(sink, frames=SECONDS * RATE)
    assert not sink.of(AudioConfig)


async def test_ffmpeg_past_the_extended_timestamp(gate: RecordingGate, url: str) -> None:
    """A stream that runs into its fifth hour."""
    late = 0xFFFFFF / 1000 - 1
    status, printed = await run(*ffmpeg(url + KEY, *BOTH, "-output_ts_offset", f"{late:.3f}"))
    assert status == 0, printed
    sink = await only_sink(gate)
    check_video(sink, frames=SECONDS * RATE)
    assert sink.of(VideoUnit)[-1].dts > 0x1000000 * 90


async def test_ffmpeg_is_told_why_its_key_is_refused(gate: RecordingGate, url: str) -> None:
    status, printed = await run(*ffmpeg(url + "wrong", *BOTH))
    assert status != 0
    assert "This stream key is not known." in printed


async def test_ffmpeg_is_told_which_codecs_go(gate: RecordingGate, url: str) -> None:
    status, printed = await run(*ffmpeg(url + KEY, "-c:v", "flv1", "-c:a", "aac"))
    assert status != 0, printed
    sink = await only_sink(gate)
    assert "H.263 is not supported" in sink.closed[0]


def gstreamer(element: str, location: str) -> tuple[str, ...]:
    if shutil.which("gst-launch-1.0") is None:
        pytest.fail("gst-launch-1.0 is not installed: make setup-test installs or names it")
    return (
        "gst-launch-1.0", "-q", "flvmux", "name=mux", "streamable=true", "!",
        element, f"location={location}",
        "videotestsrc", f"num-buffers={SECONDS * RATE}", "is-live=true", "!",
        f"video/x-raw,format=I420,width=320,height=240,framerate={RATE}/1", "!",
        "x264enc", "tune=zerolatency", "key-int-max=30", "!", "h264parse", "!", "mux.",
        "audiotestsrc", f"num-buffers={SECONDS * 44_100 // 1024}", "is-live=true", "!",
        "audio/x-raw,rate=44100,channels=2", "!", "voaacenc", "!", "mux.",
    )  # fmt: skip


async def element_exists(element: str) -> bool:
    status, _ = await run("gst-inspect-1.0", "--exists", element)
    return status == 0


@pytest.mark.parametrize("element", ["rtmp2sink", "rtmpsink"])
async def test_gstreamer(gate: RecordingGate, url: str, element: str) -> None:
    command = gstreamer(element, url + KEY)
    if not await element_exists(element):
        pytest.fail(f"GStreamer has no {element}: make setup-test installs or names it")
    status, printed = await run(*command)
    assert status == 0, printed
    sink = await only_sink(gate)
    assert isinstance(sink.units[0], StreamInfo)
    assert sink.units[0].frame_rate == RATE
    check_video(sink, frames=SECONDS * RATE, jitter_ms=MUXER_JITTER_MS)
    check_audio(sink, rate=44_100, channels=2, jitter_ms=MUXER_JITTER_MS)


async def test_gstreamer_is_refused_with_the_reason(gate: RecordingGate, url: str) -> None:
    status, printed = await run(*gstreamer("rtmp2sink", url + "wrong"))
    assert status != 0
    assert "This stream key is not known." in printed


async def test_pyav(gate: RecordingGate, url: str) -> None:
    status, printed = await run(
        sys.executable, "-m", "tests.helpers.pyav_push", url + KEY, str(SECONDS)
    )
    assert status == 0, printed
    sink = await only_sink(gate)
    check_video(sink, frames=SECONDS * RATE)
    check_audio(sink, rate=48_000, channels=2)
