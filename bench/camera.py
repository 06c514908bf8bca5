"""What an anchor shows and says: 720p30, every picture stamped with when it is due, and a tone.

Imports PyAV and NumPy.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from bench import timecode
from bench.clip import texture

WIDTH, HEIGHT, FRAME_RATE = 1280, 720, 30
SAMPLE_RATE, AAC_FRAME = 48_000, 1024
TRAVEL = 512
"""Pixels that the scenery pans over."""


class Camera:
    """Pictures of a slowly panned room."""

    def __init__(self) -> None:
        room = texture(WIDTH + TRAVEL, HEIGHT, seed=3, around=(100, 110, 120), contrast=30)
        self._luma = np.ascontiguousarray(room[..., 1])
        self._chroma = [128 + (room[::2, ::2, n].astype(np.int16) - 110) // 3 for n in (0, 2)]

    def take(self, number: int) -> VideoFrame:
        """Make picture `number`, stamped with its time since the first, in ms."""
        frame = VideoFrame(WIDTH, HEIGHT, "yuv420p")
        x = 2 * abs((number % TRAVEL) - TRAVEL // 2)
        y, u, v = (_view(frame, plane) for plane in range(3))
        y[:] = self._luma[:, x : x + WIDTH]
        for plane, source in zip((u, v), self._chroma, strict=True):
            plane[:] = source[:, x // 2 : (x + WIDTH) // 2]
        timecode.draw(y, number * 1_000 // FRAME_RATE)
        frame.pts, frame.time_base = number, Fraction(1, FRAME_RATE)
        return frame


def _view(frame: VideoFrame, index: int) -> NDArray[np.uint8]:
    plane = frame.planes[index]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: plane.height, : plane.width]


def tone(begin: int) -> AudioFrame:
    """Make AAC_FRAME samples from sample number `begin` on."""
    at = (begin + np.arange(AAC_FRAME)) / SAMPLE_RATE
    wave = (0.2 * np.sin(2 * np.pi * 440 * at)).astype(np.float32)
    frame = AudioFrame.from_ndarray(np.vstack([wave, wave]), "fltp", "stereo")
    frame.sample_rate = SAMPLE_RATE
    frame.pts, frame.time_base = begin, Fraction(1, SAMPLE_RATE)
    return frame
