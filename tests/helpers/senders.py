"""Foreign programs that publish over RTMP, each a process that is ended with its block."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

END_SECONDS = 15.0


@asynccontextmanager
async def sending(*command: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a sender until the block ends."""
    assert shutil.which(command[0]), f"{command[0]} is not installed: see `make setup-test`"
    process = await asyncio.create_subprocess_exec(
        *command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        await end(process)


async def end(process: asyncio.subprocess.Process) -> None:
    """Let a sender say goodbye; by force when it does not end. Again is harmless."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), END_SECONDS)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def ffmpeg_file(file: Path, url: str, *, loop: bool = False) -> tuple[str, ...]:
    """ffmpeg sends a file as it is, at the speed of the clock."""
    again = ("-stream_loop", "-1") if loop else ()
    return (
        "ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", *again, "-re",
        "-i", str(file), "-c", "copy", "-f", "flv", url,
    )  # fmt: skip


def ffmpeg(*arguments: str) -> tuple[str, ...]:
    """ffmpeg with its inputs at the speed of the clock, and else as told."""
    return ("ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-re", *arguments)


def ffmpeg_live(url: str) -> tuple[str, ...]:
    """ffmpeg makes a moving picture and a tone, and encodes them with B-frames."""
    return (
        "ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-re",
        "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30",
        "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000",
        "-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "60", "-b:v", "2500k",
        "-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "2", "-f", "flv", url,
    )  # fmt: skip


def ffmpeg_size(url: str, width: int, height: int) -> tuple[str, ...]:
    """ffmpeg makes a small moving picture of this size and a tone: little work for everybody."""
    return (
        "ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-re",
        "-f", "lavfi", "-i", f"testsrc2=size={width}x{height}:rate=30",
        "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000",
        "-c:v", "libx264", "-preset", "ultrafast", "-g", "60", "-b:v", "800k",
        "-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "2", "-f", "flv", url,
    )  # fmt: skip


def ffmpeg_made(url: str, picture: str, sound: str, keyframe_seconds: int) -> tuple[str, ...]:
    """ffmpeg makes what libavfilter's sources `picture` (30 a second) and `sound` describe."""
    frames = str(30 * keyframe_seconds)
    return (
        "ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin",
        "-re", "-f", "lavfi", "-i", picture, "-re", "-f", "lavfi", "-i", sound,
        "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-b:v", "800k",
        "-g", frames, "-keyint_min", frames, "-sc_threshold", "0", "-pix_fmt", "yuv420p",
        "-c:a", "aac", "-ac", "2", "-f", "flv", url,
    )  # fmt: skip


def ffmpeg_dead(url: str) -> tuple[str, ...]:
    """Black and silent, with a key picture every 8 s."""
    return ffmpeg_made(url, "color=black:size=640x360:rate=30", "anullsrc=sample_rate=48000", 8)


def ffmpeg_well(url: str) -> tuple[str, ...]:
    """Nothing that an anchor could mend."""
    picture, sound = "testsrc2=size=640x360:rate=30", "sine=frequency=440:sample_rate=48000"
    return ffmpeg_made(url, picture, sound, 2)


def gstreamer_live(url: str) -> tuple[str, ...]:
    """GStreamer's rtmp2sink, with sound at 44.1 kHz."""
    return (
        "gst-launch-1.0", "-q", "flvmux", "name=mux", "streamable=true", "!",
        "rtmp2sink", f"location={url}",
        "videotestsrc", "is-live=true", "pattern=ball", "!",
        "video/x-raw,format=I420,width=1280,height=720,framerate=30/1", "!",
        "x264enc", "tune=zerolatency", "speed-preset=ultrafast", "key-int-max=30", "!",
        "h264parse", "!", "mux.",
        "audiotestsrc", "is-live=true", "!", "audio/x-raw,rate=44100,channels=2", "!",
        "voaacenc", "!", "mux.",
    )  # fmt: skip


def vitrine_push(file: Path, url: str, *, loop: bool = False) -> tuple[str, ...]:
    """`vitrine push`, whose FFmpeg knows Enhanced RTMP, sends a file as it is."""
    again = ("--loop",) if loop else ()
    return (sys.executable, "-m", "server", "push", str(file), url, *again)


def pyav_live(url: str, seconds: int) -> tuple[str, ...]:
    """PyAV makes and encodes the time-coded picture."""
    return (sys.executable, "-m", "tests.helpers.time_code", url, str(seconds), "--live")
