"""Record what real encoders send: `python -m tests.helpers.record_sessions FOLDER`.

Each publishes a small picture and a tone to the real listener through a proxy that keeps the
encoder's side. A file holds the bytes up to about LIMIT, named by encoder and version. Addresses
in them are loopback's, the key is made up.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import av

from ingest.rtmp.listener import RtmpListener
from tests.helpers.recording_gate import KEY, RecordingGate
from tests.helpers.senders import sending

LIMIT = 24_000
DEADLINE = 30.0
_SIZE, _RATE = "160x90", "15"
_PICTURE = f"testsrc2=size={_SIZE}:rate={_RATE}"
_TONE = "sine=frequency=440:sample_rate=48000"
_X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "15", "-b:v", "60k")


def ffmpeg(url: str, *more: str) -> tuple[str, ...]:
    """ffmpeg, with B-frames."""
    return (
        "ffmpeg", "-loglevel", "error", "-nostdin", "-re", "-f", "lavfi", "-i", _PICTURE,
        "-f", "lavfi", "-i", _TONE, *_X264, "-bf", "2", "-pix_fmt", "yuv420p",
        "-c:a", "aac", "-b:a", "32k", *more, "-f", "flv", url,
    )  # fmt: skip


def gstreamer(url: str, element: str) -> tuple[str, ...]:
    """GStreamer with its own RTMP (rtmp2sink) or with librtmp (rtmpsink)."""
    width, _, height = _SIZE.partition("x")
    return (
        "gst-launch-1.0", "-q", "flvmux", "name=mux", "streamable=true", "!",
        element, f"location={url}", "videotestsrc", "is-live=true", "pattern=ball", "!",
        f"video/x-raw,format=I420,width={width},height={height},framerate={_RATE}/1", "!",
        "x264enc", "tune=zerolatency", "bitrate=60", "key-int-max=15", "!", "h264parse", "!",
        "mux.", "audiotestsrc", "is-live=true", "!", "audio/x-raw,rate=44100,channels=1", "!",
        "voaacenc", "bitrate=32000", "!", "mux.",
    )  # fmt: skip


def pyav(url: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "tests.helpers.pyav_push", url, "2")


def _version(*command: str) -> str:
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=DEADLINE)
    found = re.search(r"version (\d+(?:\.\d+)+)", told.stdout)
    return found[1] if found else "unknown"


async def record(command: list[str], port: int) -> bytes:
    """Run a sender against the listener on `port`; return what it said, up to LIMIT."""
    heard = bytearray()
    full = asyncio.Event()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back_reader, back_writer = await asyncio.open_connection("127.0.0.1", port)

        async def answer() -> None:
            with suppress(ConnectionError):
                while data := await back_reader.read(65_536):
                    writer.write(data)

        answering = asyncio.create_task(answer())
        while data := await reader.read(65_536):
            heard.extend(data)
            back_writer.write(data)
            if len(heard) > LIMIT:
                break
        full.set()
        answering.cancel()
        back_writer.close()
        writer.close()

    proxy = await asyncio.start_server(relay, "127.0.0.1", 0)
    own = proxy.sockets[0].getsockname()[1]
    async with sending(*(word.replace("PORT", str(own)) for word in command)):
        async with asyncio.timeout(DEADLINE):
            await full.wait()
    proxy.close()
    return bytes(heard[:LIMIT])


async def main(folder: Path) -> None:
    """Record every encoder that there is a line for."""
    listener = RtmpListener(RecordingGate(), None, "127.0.0.1", 0)
    await listener.start()
    url = f"rtmp://127.0.0.1:PORT/live/{KEY}"
    of_ffmpeg = await asyncio.to_thread(_version, "ffmpeg", "-version")
    of_gstreamer = await asyncio.to_thread(_version, "gst-launch-1.0", "--version")
    late = ("-output_ts_offset", str(0xFFFFFF // 1000))
    commands = {
        f"ffmpeg-{of_ffmpeg}": ffmpeg(url),
        f"ffmpeg-{of_ffmpeg}-fifth-hour": ffmpeg(url, *late),
        f"gstreamer-{of_gstreamer}-rtmp2sink": gstreamer(url, "rtmp2sink"),
        f"gstreamer-{of_gstreamer}-rtmpsink": gstreamer(url, "rtmpsink"),
        f"pyav-{av.__version__}": pyav(url),
    }
    for name, command in commands.items():
        said = await record(list(command), listener.port)
        await asyncio.to_thread((folder / f"{name}.bin").write_bytes, said)
        sys.stdout.write(f"{name}: {len(said)} bytes\n")
    await listener.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
