"""Pictures change size and become 8-bit 4:2:0, limited range.

Imports PyAV and NumPy. Runs in the worker only.
"""

from __future__ import annotations

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter
from numpy.typing import NDArray

from overlay.tiles import ColorSpec, Matrix

Planes = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]

_BT601_TAGS = (5, 6)
_BT709_TAG = 1
HD_SHORT_SIDE = 720


def color_of(frame: VideoFrame) -> ColorSpec:
    """Tell the matrix that `frame`'s renditions keep; their range is always limited.

    An untagged picture is BT.709 from 720 lines (short side) up, else BT.601,
    as ITU-R practice and every decoder guess.
    """
    tag = int(frame.colorspace)
    if tag == _BT709_TAG:
        return ColorSpec(Matrix.BT709, full_range=False)
    if tag in _BT601_TAGS:
        return ColorSpec(Matrix.BT601, full_range=False)
    hd = min(frame.width, frame.height) >= HD_SHORT_SIDE
    return ColorSpec(Matrix.BT709 if hd else Matrix.BT601, full_range=False)


def views(frame: VideoFrame) -> Planes:
    """Give writable 2-D views of a yuv420p frame's Y, U and V planes (rows may be padded)."""
    y, u, v = (
        np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[
            : plane.height, : plane.width
        ]
        for plane in frame.planes
    )
    return y, u, v


def copy(frame: VideoFrame) -> VideoFrame:
    """Copy a yuv420p frame, so that it can be drawn on while a decoder still refers to it."""
    twin = VideoFrame(frame.width, frame.height, "yuv420p")
    for target, source in zip(views(twin), views(frame), strict=True):
        np.copyto(target, source)
    return twin


class Scaler:
    """Brings pictures to one size. Keeps its filter tables between pictures of one kind.

    Bicubic from the source; `again` for what was scaled before: averaging, which costs
    a good half and does not sharpen a second time.
    """

    def __init__(self, width: int, height: int, again: bool = False) -> None:
        self.width, self.height = width, height
        self._interpolation = Interpolation.AREA if again else Interpolation.BICUBIC
        self._reformatter = VideoReformatter()

    def scale(self, frame: VideoFrame) -> VideoFrame:
        """Give `frame` at this size as limited-range yuv420p; the same object when it is so."""
        limited = frame.format.name == "yuv420p" and frame.color_range != ColorRange.JPEG
        if limited and (frame.width, frame.height) == (self.width, self.height):
            return frame
        return self._reformatter.reformat(
            frame,
            self.width,
            self.height,
            "yuv420p",
            dst_color_range=None if limited else ColorRange.MPEG,
            interpolation=self._interpolation,
            threads=1,  # the rungs run side by side already
        )
