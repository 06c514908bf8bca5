"""A numbered clip in any codec that RTMP carries: `python -m tests.helpers.codec_clip FILE V A S`.

V and A are libav's encoders, S is the length in seconds. The file says which picture it is in
every picture (see `clips`) and beeps every second.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from fractions import Fraction

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import VideoFrame

from tests.helpers.clips import picture, sound

WIDTH, HEIGHT, RATE = 320, 180, 30
SAMPLE_RATE = 48_000
_OPTIONS = {
    "libx264": {"preset": "ultrafast", "crf": "20", "bf": "2"},
    "libx265": {"preset": "ultrafast", "crf": "18", "x265-params": "log-level=none"},
    "libsvtav1": {"preset": "12", "crf": "25"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "crf": "20", "b": "0"},
}


def write(target: str, video: str, audio: str, seconds: int, pix_fmt: str = "yuv420p") -> None:
    """Write pictures 0, 1, 2, ... and as much sound, in the container that the name says."""
    with av.open(target, "w") as out:
        pictures = out.add_stream(video, rate=RATE)
        assert isinstance(pictures, av.VideoStream)
        pictures.width, pictures.height, pictures.pix_fmt = WIDTH, HEIGHT, pix_fmt
        pictures.options = {**_OPTIONS[video], "g": str(RATE)}
        sounds = out.add_stream(audio, rate=SAMPLE_RATE, layout="stereo")
        assert isinstance(sounds, AudioStream)
        resampler, heard = _resampler(sounds), 0
        for number in range(seconds * RATE):
            frame = VideoFrame.from_ndarray(picture(number, WIDTH, HEIGHT), "yuv420p")
            frame = frame.reformat(format=pix_fmt)
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            out.mux(pictures.encode(frame))
            _sound(out, sounds, resampler, heard)
            heard += SAMPLE_RATE // RATE
        out.mux(pictures.encode(None))
        for piece in resampler.resample(None):
            out.mux(sounds.encode(piece))
        out.mux(sounds.encode(None))


def tags(flv: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Give a file's tags (FLV 10.1, E.4.1): type, milliseconds, body."""
    at = 13
    while at < len(flv):
        size = int.from_bytes(flv[at + 1 : at + 4], "big")
        stamp = flv[at + 7] << 24 | int.from_bytes(flv[at + 4 : at + 7], "big")
        yield flv[at], stamp, flv[at + 11 : at + 11 + size]
        at += 15 + size


def _resampler(sounds: AudioStream) -> av.AudioResampler:
    """What brings samples to the encoder's format, in frames of its length."""
    context = sounds.codec_context
    context.open()
    return av.AudioResampler(
        format=context.format, layout="stereo", rate=SAMPLE_RATE, frame_size=context.frame_size
    )


def _sound(
    out: OutputContainer, sounds: AudioStream, resampler: av.AudioResampler, begin: int
) -> None:
    samples = sound(begin, SAMPLE_RATE // RATE, SAMPLE_RATE, 2)
    heard = AudioFrame.from_ndarray(samples, "fltp", "stereo")
    heard.sample_rate, heard.pts = SAMPLE_RATE, begin
    heard.time_base = Fraction(1, SAMPLE_RATE)
    for piece in resampler.resample(heard):
        out.mux(sounds.encode(piece))


if __name__ == "__main__":
    write(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
