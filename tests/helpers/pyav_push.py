"""Push a generated picture and silence with PyAV: `python -m tests.helpers.pyav_push URL SECONDS`.

A program of its own, because PyAV keeps the interpreter's lock while it opens an
output: it would wait for a server in the same process for ever.
"""

from __future__ import annotations

import sys

import av
import numpy as np

RATE = 30
SAMPLE_RATE = 48_000


def push(url: str, seconds: int) -> None:
    """Send as fast as the socket takes it: 320x240, H.264 with B-frames, AAC."""
    with av.open(url, "w", format="flv") as output:
        video = output.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "bf": "2"})
        video.width, video.height, video.pix_fmt = 320, 240, "yuv420p"
        audio = output.add_stream("aac", rate=SAMPLE_RATE, layout="stereo")
        samples = 0
        for n in range(seconds * RATE):
            pixels = np.full((240, 320, 3), n * 4 % 256, np.uint8)
            output.mux(video.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            while samples * RATE < (n + 1) * SAMPLE_RATE:
                silence = np.zeros((2, 1024), np.float32)
                frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout="stereo")
                frame.sample_rate, frame.pts = SAMPLE_RATE, samples
                output.mux(audio.encode(frame))
                samples += 1024
        output.mux(video.encode(None))
        output.mux(audio.encode(None))


if __name__ == "__main__":
    push(sys.argv[1], int(sys.argv[2]))
