"""The generated anchor: `python -m server.demo.anchor RTMP_URL`.

An encoder like any other: it publishes H.264 and AAC over RTMP and knows nothing of the
server. With `-` for the address it reads it from standard input, so that the stream key
stands in no process list, and ends when standard input ends.
"""

from __future__ import annotations

import sys
import threading
import time
from fractions import Fraction

import av
import cv2
from av.container import OutputContainer

from server.demo.backdrop import Backdrop
from server.demo.darkroom import HEIGHT, WIDTH
from server.demo.tones import SAMPLE_RATE, Tones
from server.push import listening, server_words

RATE = 30
_BITRATE = 3_000_000
_STALL_SECONDS = 10.0
_BT601, _LIMITED = 6, 1
_AAC_FRAME = 1024
_LATE_FRAMES = 15


def broadcast(url: str, stop: threading.Event) -> None:
    """Publish until `stop`. Raises av.FFmpegError or OSError when the connection fails."""
    backdrop = Backdrop()
    options = {"flvflags": "no_duration_filesize", "flush_packets": "1"}
    with av.open(url, "w", format="flv", options=options, timeout=_STALL_SECONDS) as output:
        _Anchor(output, backdrop).run(stop)


class _Anchor:
    def __init__(self, output: OutputContainer, backdrop: Backdrop) -> None:
        self._output = output
        self._backdrop = backdrop
        self._tones = Tones()
        self._video = output.add_stream("libx264", rate=RATE)
        context = self._video.codec_context
        context.width, context.height, context.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        context.time_base = Fraction(1, RATE)
        context.gop_size = 2 * RATE
        context.bit_rate = _BITRATE
        context.colorspace = _BT601
        context.color_range = _LIMITED
        context.thread_count = 1
        context.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "maxrate": str(_BITRATE),
            "bufsize": str(_BITRATE),
        }
        self._audio = output.add_stream("aac", rate=SAMPLE_RATE, layout="stereo")
        self._audio.codec_context.bit_rate = 128_000
        self._frame = 0
        self._sample = 0

    def run(self, stop: threading.Event) -> None:
        """Keep in step with the clock; after a stall go on with the present."""
        began_ms = time.time_ns() // 1_000_000
        began = time.monotonic()
        while not stop.wait(max(0.0, began + self._frame / RATE - time.monotonic())):
            behind = int((time.monotonic() - began) * RATE) - self._frame
            if behind > _LATE_FRAMES:
                self._frame += behind
            wall_ms = began_ms + self._frame * 1000 // RATE
            self._picture(wall_ms)
            self._sound(began_ms)
            self._frame += 1
        self._output.mux(self._video.encode(None))
        self._output.mux(self._audio.encode(None))

    def _picture(self, wall_ms: int) -> None:
        frame = av.VideoFrame.from_ndarray(self._backdrop.frame(wall_ms), format="yuv420p")
        frame.pts, frame.time_base = self._frame, Fraction(1, RATE)
        self._output.mux(self._video.encode(frame))

    def _sound(self, began_ms: int) -> None:
        """Send what has sounded up to the picture's end."""
        until = (self._frame + 1) * SAMPLE_RATE // RATE
        start = began_ms * SAMPLE_RATE // 1000
        while self._sample + _AAC_FRAME <= until:
            data = self._tones.samples(start + self._sample, _AAC_FRAME)
            frame = av.AudioFrame.from_ndarray(data, format="fltp", layout="stereo")
            frame.sample_rate = SAMPLE_RATE
            frame.pts, frame.time_base = self._sample, Fraction(1, SAMPLE_RATE)
            self._output.mux(self._audio.encode(frame))
            self._sample += _AAC_FRAME


def _until_input_ends(stop: threading.Event) -> None:
    for _line in sys.stdin:
        pass
    stop.set()


def main(url: str) -> int:
    stop = threading.Event()
    if url == "-":
        url = sys.stdin.readline().strip()
        threading.Thread(target=_until_input_ends, args=(stop,), daemon=True).start()
    cv2.setNumThreads(1)
    with listening() as log:
        try:
            broadcast(url, stop)
        except (av.FFmpegError, OSError) as error:
            why = (server_words(log) or str(error.strerror or error)).rstrip(".")
            sys.stderr.write(f"The demo's anchor lost its connection: {why}.\n")
            return 1
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
