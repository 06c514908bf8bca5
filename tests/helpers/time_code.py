"""A broadcast that tells its own time: `python -m tests.helpers.time_code TARGET SECONDS [--live]`.

Every picture carries its number in black and white blocks along the top edge; in the first two
pictures of every second a square lights up, and at the same instant a beep begins. All else is
one flat colour, so that whatever is drawn on the picture can be told from it. The target is a
file or an RTMP address; `--live` sends at the speed of the clock.
"""

from __future__ import annotations

import sys
import time
from fractions import Fraction

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from tests.helpers.clips import BLACK, STAMP_BITS, WHITE, sound

WIDTH, HEIGHT, RATE = 1280, 720, 30
SAMPLE_RATE = 48_000
AAC_FRAME = 1024
FLAT = (110, 104, 146)
"""Y, U and V of the background: unlike a card's white, black or grey."""
FLASH = (0.80, 0.30, 0.15, 0.25)
"""Left, top, width and height of the square that lights up, in fractions of the picture."""
FLASH_PICTURES = 2
_STALL_SECONDS = 20.0


def picture(number: int, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """Draw picture `number`: I420 planes as one array of height * 3 / 2 rows."""
    planes = np.empty((height * 3 // 2, width), np.uint8)
    planes[:height] = FLAT[0]
    planes[height : height + height // 4] = FLAT[1]
    planes[height + height // 4 :] = FLAT[2]
    block = width // STAMP_BITS
    for bit in range(STAMP_BITS):
        level = WHITE if number >> bit & 1 else BLACK
        planes[:block, bit * block : (bit + 1) * block] = level
    if number % RATE < FLASH_PICTURES:
        left, top, wide, high = FLASH
        rows = slice(int(top * height), int((top + high) * height))
        planes[rows, int(left * width) : int((left + wide) * width)] = WHITE
    return planes


def flash(luma: NDArray[np.uint8]) -> bool:
    """Tell from a luma plane of any size whether the square is lit."""
    height, width = luma.shape
    left, top, wide, high = FLASH
    rows = slice(int((top + high * 0.25) * height), int((top + high * 0.75) * height))
    square = luma[rows, int((left + wide * 0.25) * width) : int((left + wide * 0.75) * width)]
    return float(square.mean()) > (FLAT[0] + WHITE) / 2


def broadcast(
    target: str, seconds: int, *, live: bool, size: tuple[int, int] = (WIDTH, HEIGHT)
) -> None:
    """Write or send `seconds` of it as H.264 and AAC in FLV."""
    options = {"flvflags": "no_duration_filesize", "flush_packets": "1"} if live else {}
    with av.open(target, "w", format="flv", options=options, timeout=_STALL_SECONDS) as output:
        video = output.add_stream("libx264", rate=RATE)
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        video.options = {
            "preset": "ultrafast", "tune": "zerolatency", "g": str(RATE), "crf": "20",
            "sc_threshold": "0",
        }  # fmt: skip
        audio = output.add_stream("aac", rate=SAMPLE_RATE, layout="stereo", bit_rate=128_000)
        began, samples = time.monotonic(), 0
        for number in range(seconds * RATE):
            if live:
                time.sleep(max(0.0, began + number / RATE - time.monotonic()))
            frame = VideoFrame.from_ndarray(picture(number, *size), "yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            output.mux(video.encode(frame))
            while samples * RATE < (number + 1) * SAMPLE_RATE:
                heard = AudioFrame.from_ndarray(
                    sound(samples, AAC_FRAME, SAMPLE_RATE, 2), "fltp", "stereo"
                )
                heard.sample_rate, heard.pts = SAMPLE_RATE, samples
                heard.time_base = Fraction(1, SAMPLE_RATE)
                output.mux(audio.encode(heard))
                samples += AAC_FRAME
        output.mux(video.encode(None))
        output.mux(audio.encode(None))


if __name__ == "__main__":
    broadcast(sys.argv[1], int(sys.argv[2]), live="--live" in sys.argv[3:])
