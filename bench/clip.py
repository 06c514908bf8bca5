"""Source clips for the transcoding benchmarks, made by code: 1080p30 with sound.

Imports OpenCV and NumPy; ffmpeg encodes them as an anchor's encoder would.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.spent import run

WIDTH, HEIGHT, FRAME_RATE = 1920, 1080, 30
DEADLINE = 600.0


class Content(Enum):
    """What is in the picture."""

    PATTERN = "test pattern with noise"
    """Hard edges, flat areas, a running clock."""
    NATURAL = "1/f textures with grain"
    """A moving host before a slowly panned room: surfaces with the spectrum of photographs."""


def make(content: Content, seconds: int, folder: Path) -> Path:
    """Write a clip of `seconds` into `folder`. Raises BenchError when ffmpeg fails."""
    clip = folder / f"{content.name.lower()}.mp4"
    inputs, graph = _picture(content, folder)
    sound = f"{inputs.count('-i')}:a"
    inputs += ["-f", "lavfi", "-i", "sine=frequency=330:beep_factor=4:sample_rate=48000"]
    command = [
        "ffmpeg", "-nostdin", "-y", "-loglevel", "error", *inputs, "-filter_complex", graph,
        "-map", "[v]", "-map", sound, "-t", str(seconds), "-c:v", "libx264", "-preset", "veryfast",
        "-profile:v", "high", "-b:v", "6000k", "-maxrate", "6000k", "-bufsize", "6000k",
        "-g", str(2 * FRAME_RATE), "-bf", "2", "-c:a", "aac", "-b:a", "128k", "-ac", "2",
        str(clip),
    ]  # fmt: skip
    run(command, folder=folder, deadline=DEADLINE)
    return clip


def _picture(content: Content, folder: Path) -> tuple[list[str], str]:
    """Give ffmpeg's inputs and the graph that makes `[v]` of them."""
    if content is Content.PATTERN:
        source = f"testsrc2=size={WIDTH}x{HEIGHT}:rate={FRAME_RATE}"
        return ["-f", "lavfi", "-i", source], "[0:v]noise=alls=8:allf=t,format=yuv420p[v]"
    return _still(folder / "room.png", _room()) + _still(folder / "host.png", _host()), (
        f"[0:v]crop={WIDTH}:{HEIGHT}:x='240+200*sin(t/3)':y='130+100*sin(t/4)'[room];"
        "[room][1:v]overlay=x='700+90*sin(t*1.3)':y='160+30*sin(t*2.1)'[both];"
        "[both]noise=alls=5:allf=t,format=yuv420p[v]"
    )


def _still(path: Path, pixels: NDArray[np.uint8]) -> list[str]:
    cv2.imwrite(str(path), pixels)
    return ["-loop", "1", "-framerate", str(FRAME_RATE), "-i", str(path)]


def _room() -> NDArray[np.uint8]:
    return texture(WIDTH + 480, HEIGHT + 260, seed=1, around=(96, 104, 112), contrast=34)


def _host() -> NDArray[np.uint8]:
    """Draw a soft-edged figure, BGRA."""
    width, height = 560, 920
    picture = texture(width, height, seed=2, around=(120, 140, 190), contrast=22)
    mask = np.zeros((height, width), np.uint8)
    cv2.ellipse(mask, (width // 2, 200), (130, 170), 0, 0, 360, 255, -1)
    cv2.ellipse(mask, (width // 2, 920), (270, 540), 0, 0, 360, 255, -1)
    alpha = cv2.GaussianBlur(mask, (0, 0), 4)
    return np.dstack([picture, np.asarray(alpha, np.uint8)])


def texture(
    width: int, height: int, *, seed: int, around: tuple[int, int, int], contrast: float
) -> NDArray[np.uint8]:
    """Make noise whose amplitude falls with 1/f, as that of photographs does; BGR."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :])
    frequency[0, 0] = 1.0
    shape = (height, width)
    luma, tint = (
        np.fft.irfft2(np.fft.rfft2(rng.standard_normal(shape)) / frequency, shape) for _ in range(2)
    )
    luma, tint = luma / luma.std(), tint / tint.std()
    channels = [
        level + contrast * luma + lean * contrast / 3 * tint
        for level, lean in zip(around, (-1, 0, 1), strict=True)
    ]
    return np.dstack(channels).clip(0, 255).astype(np.uint8)
