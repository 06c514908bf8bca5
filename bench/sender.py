"""An anchor: 720p30 with sound over RTMP, every picture stamped with the time it was made at.

    python -m bench.sender URL SECONDS

A process of its own, as encoders are. Tells on standard output, in UTC milliseconds, when
it began to connect. Imports PyAV and NumPy.
"""

from __future__ import annotations

import sys
import time
from fractions import Fraction

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from bench import timecode
from bench.clip import texture

WIDTH, HEIGHT, FRAME_RATE = 1280, 720, 30
SAMPLE_RATE, AAC_FRAME = 48_000, 1024
TRAVEL = 512
"""Pixels that the scenery pans over."""
TIMEOUT = 10.0
CONNECTING = "connecting"


class Camera:
    """Pictures of a slowly panned room."""

    def __init__(self) -> None:
        room = texture(WIDTH + TRAVEL, HEIGHT, seed=3, around=(100, 110, 120), contrast=30)
        self._luma = np.ascontiguousarray(room[..., 1])
        self._chroma = [128 + (room[::2, ::2, n].astype(np.int16) - 110) // 3 for n in (0, 2)]

    def take(self, number: int) -> VideoFrame:
        """Make picture `number`, stamped with the present time."""
        frame = VideoFrame(WIDTH, HEIGHT, "yuv420p")
        x = 2 * abs((number % TRAVEL) - TRAVEL // 2)
        y, u, v = (_view(frame, plane) for plane in range(3))
        y[:] = self._luma[:, x : x + WIDTH]
        for plane, source in zip((u, v), self._chroma, strict=True):
            plane[:] = source[:, x // 2 : (x + WIDTH) // 2]
        timecode.draw(y, time.time_ns() // 1_000_000)
        frame.pts, frame.time_base = number, Fraction(1, FRAME_RATE)
        return frame


def _view(frame: VideoFrame, index: int) -> NDArray[np.uint8]:
    plane = frame.planes[index]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: plane.height, : plane.width]


def send(url: str, seconds: float) -> None:
    """Broadcast for `seconds`. Raises av.FFmpegError when the server does not take it."""
    camera = Camera()
    options = {"flvflags": "no_duration_filesize", "flush_packets": "1"}
    with av.open(url, "w", format="flv", options=options, timeout=TIMEOUT) as output:
        video, audio = _streams(output)
        print(CONNECTING, time.time_ns() // 1_000_000, flush=True)
        output.start_encoding()
        began = time.monotonic()
        number = samples = 0
        while number < seconds * FRAME_RATE:
            time.sleep(max(0.0, began + number / FRAME_RATE - time.monotonic()))
            for packet in video.encode(camera.take(number)):
                output.mux_one(packet)
            while samples * FRAME_RATE < (number + 1) * SAMPLE_RATE:
                for packet in audio.encode(tone(samples)):
                    output.mux_one(packet)
                samples += AAC_FRAME
            # A camera that comes late has missed a picture, not slowed the clock down.
            number = max(number + 1, int((time.monotonic() - began) * FRAME_RATE))


def _streams(output: OutputContainer) -> tuple[VideoStream, AudioStream]:
    video = output.add_stream(
        "libx264", rate=FRAME_RATE,
        options={"preset": "ultrafast", "tune": "zerolatency", "maxrate": "4M", "bufsize": "2M"},
    )  # fmt: skip
    video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    video.bit_rate = 4_000_000
    video.codec_context.gop_size = 2 * FRAME_RATE
    audio = output.add_stream("aac", rate=SAMPLE_RATE, layout="stereo")
    audio.bit_rate = 128_000
    return video, audio


def tone(begin: int) -> AudioFrame:
    """Make AAC_FRAME samples from sample number `begin` on."""
    at = (begin + np.arange(AAC_FRAME)) / SAMPLE_RATE
    wave = (0.2 * np.sin(2 * np.pi * 440 * at)).astype(np.float32)
    frame = AudioFrame.from_ndarray(np.vstack([wave, wave]), "fltp", "stereo")
    frame.sample_rate = SAMPLE_RATE
    frame.pts, frame.time_base = begin, Fraction(1, SAMPLE_RATE)
    return frame


def main() -> int:
    """Broadcast until the time is over or the server hangs up."""
    try:
        send(sys.argv[1], float(sys.argv[2]))
    except av.FFmpegError as error:
        sys.stderr.write(f"sender: {error.strerror}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
