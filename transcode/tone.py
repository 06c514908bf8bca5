"""High dynamic range and wide or no matrices become what the ladder carries: SDR, BT.709.

One curve on the luma, one gain on the chroma: not a grading, but nothing is grey, burnt or of
another hue. Sources: ITU-R BT.2100-2 tables 4 and 5, BT.2408-5 (203 cd/m2 is white), BT.1886.
Imports PyAV and NumPy. Runs in the worker only.
"""

from __future__ import annotations

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, ColorTrc, VideoReformatter
from numpy.typing import NDArray

from transcode import scale

WHITE = 203.0
"""cd/m2 of a white sheet of paper; what is brighter is pressed into the rest."""
KNEE = 0.7
"""Of white: below it light is shown as it is."""
_RGB = 0
_WIDE = (9, 10)
"""Matrices of BT.2020, ISO/IEC 23091-2."""
_HDR = {int(ColorTrc.SMPTE2084): "pq", int(ColorTrc.ARIB_STD_B67): "hlg"}
_CHROMA = {"pq": 1.7, "hlg": 1.25}
"""How much weaker colour differences are in these signals, and in the wider primaries."""


class Tone:
    """Converts the pictures that need it; remembers its tables."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()
        self._curves: dict[str, NDArray[np.uint8]] = {}

    def plain(self, frame: VideoFrame) -> VideoFrame:
        """Give `frame` as SDR in a matrix that the ladder has; the same object when it is so."""
        transfer = _HDR.get(int(frame.color_trc))
        matrix = int(frame.colorspace)
        if transfer is None and matrix not in _WIDE and matrix != _RGB:
            return frame
        made = self._reformatter.reformat(
            frame,
            format="yuv420p",
            src_colorspace=int(Colorspace.BT2020) if matrix in _WIDE else None,
            dst_colorspace=int(Colorspace.ITU709),
            dst_color_range=int(ColorRange.MPEG),
            threads=1,
        )
        if made is frame:
            made = scale.copy(frame)
        if transfer is not None:
            self._press(made, transfer)
        made.colorspace, made.color_range = int(Colorspace.ITU709), int(ColorRange.MPEG)
        made.color_trc = int(ColorTrc.BT709)
        made.pts, made.time_base = frame.pts, frame.time_base
        made.key_frame = frame.key_frame  # type: ignore[misc]  # PyAV's stub lacks the setter
        return made

    def _press(self, frame: VideoFrame, transfer: str) -> None:
        y, u, v = scale.views(frame)
        curve = self._curves.get(transfer)
        if curve is None:
            curve = self._curves[transfer] = _curve(transfer)
        cv2.LUT(y, curve, dst=y)
        gain = _CHROMA[transfer]
        for plane in (u, v):
            cv2.convertScaleAbs(plane, dst=plane, alpha=gain, beta=128 * (1 - gain))


def _curve(transfer: str) -> NDArray[np.uint8]:
    """Map limited-range luma codes of `transfer` to those of BT.1886."""
    signal = ((np.arange(256) - 16) / 219).clip(0, 1)
    light = (_pq(signal) if transfer == "pq" else _hlg(signal)) / WHITE
    pressed = KNEE + (1 - KNEE) * (1 - np.exp(-(light - KNEE) / (1 - KNEE)))
    shown = np.where(light <= KNEE, light, pressed)
    return np.rint(16 + 219 * shown ** (1 / 2.4)).clip(16, 235).astype(np.uint8)


def _pq(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give cd/m2 (BT.2100 table 4)."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = signal ** (1 / m2)
    linear = (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)
    return np.asarray(10_000 * linear, np.float64)


def _hlg(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give cd/m2 on a display of 1000 cd/m2 (BT.2100 table 5)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    return np.asarray(1000 * scene**1.2, np.float64)
