"""Two pictures and two sounds in one RTMP connection: `python -m tests.helpers.two_tracks URL`.

As fast as the socket takes it. Pictures 0, 1, 2, ... on the first track, others on the second.
"""

from __future__ import annotations

import sys
from fractions import Fraction

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tests.helpers.clips import picture, sound

WIDTH, HEIGHT, RATE = 320, 180, 30
SAMPLE_RATE, AAC_FRAME = 48_000, 1024
SECONDS = 2
OTHER = 1000


def push(url: str) -> None:
    with av.open(url, "w", format="flv") as out:
        videos, audios = [_video(out) for _ in range(2)], [_audio(out) for _ in range(2)]
        samples = 0
        for number in range(SECONDS * RATE):
            for stream, first in zip(videos, (0, OTHER), strict=True):
                pixels = picture(first + number, WIDTH, HEIGHT)
                frame = VideoFrame.from_ndarray(pixels, "yuv420p")
                frame.pts, frame.time_base = number, Fraction(1, RATE)
                out.mux(stream.encode(frame))
            while samples * RATE < (number + 1) * SAMPLE_RATE:
                for track in audios:
                    out.mux(track.encode(_heard(samples)))
                samples += AAC_FRAME
        for stream in videos:
            out.mux(stream.encode(None))
        for track in audios:
            out.mux(track.encode(None))


def _video(out: OutputContainer) -> VideoStream:
    stream = out.add_stream("libx264", rate=RATE)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    stream.options = {"preset": "ultrafast", "crf": "20", "g": str(RATE)}
    return stream


def _audio(out: OutputContainer) -> AudioStream:
    stream = out.add_stream("aac", rate=SAMPLE_RATE, layout="stereo")
    assert isinstance(stream, AudioStream)
    return stream


def _heard(begin: int) -> AudioFrame:
    frame = AudioFrame.from_ndarray(sound(begin, AAC_FRAME, SAMPLE_RATE, 2), "fltp", "stereo")
    frame.sample_rate, frame.pts = SAMPLE_RATE, begin
    frame.time_base = Fraction(1, SAMPLE_RATE)
    return frame


if __name__ == "__main__":
    push(sys.argv[1])
