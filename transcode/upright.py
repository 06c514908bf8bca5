"""Decoded pictures as a viewer is to see them: whole, in SDR, the right way up.

Fields are woven into whole pictures only where the stream flags them; turning costs a copy
and happens only where the stream, or what carried it, says that the camera was turned.
Imports PyAV and OpenCV. Runs in the worker only.
"""

from __future__ import annotations

from fractions import Fraction

import av
import cv2
import numpy as np
from av.filter import Graph
from av.video.frame import VideoFrame

from transcode import scale
from transcode.decode import TIME_BASE
from transcode.tone import Tone

_TURNS = {
    90: cv2.ROTATE_90_COUNTERCLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_CLOCKWISE,
}
_WEAVE = "mode=send_frame:deint=interlaced"


class Upright:
    """One decoder's pictures, in order. Interlaced ones come one later than they went in."""

    def __init__(self, rotation: int = 0) -> None:
        """`rotation`: degrees anticlockwise, a multiple of 90, besides what pictures say."""
        self._given = rotation
        self._turn = rotation % 360
        self._tone = Tone()
        self._weaver: _Weaver | None = None

    @property
    def on_its_side(self) -> bool:
        """The newest picture's width was its height, its pixels' too."""
        return self._turn in (90, 270)

    def take(self, frame: VideoFrame) -> list[VideoFrame]:
        """Give what is ready once `frame` is in."""
        if self._weaver is None and not frame.interlaced_frame:
            return [self._turned(frame)]
        before: list[VideoFrame] = []
        if self._weaver is None or not self._weaver.fits(frame):
            before = self.flush()
            self._weaver = _Weaver(frame)
        return [*before, *map(self._turned, self._weaver.take(frame))]

    def flush(self) -> list[VideoFrame]:
        """Give the picture that is held back."""
        weaver, self._weaver = self._weaver, None
        return [] if weaver is None else [self._turned(frame) for frame in weaver.take(None)]

    def _turned(self, frame: VideoFrame) -> VideoFrame:
        told = frame.rotation
        if told or frame.key_frame:
            # Said once, with a key picture, and for all up to the next (H.264 D.2.27).
            self._turn = round((told + self._given) / 90) * 90 % 360
        turn = _TURNS.get(self._turn)
        frame = self._tone.plain(frame)
        return frame if turn is None else _rotated(frame, turn, self.on_its_side)


class _Weaver:
    """Makes one whole picture of two fields (bwdif); whole ones pass as they are."""

    def __init__(self, frame: VideoFrame) -> None:
        self._kind = _kind(frame)
        self._graph = Graph()
        self._graph.threads = 1
        source = self._graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=TIME_BASE
        )
        weave = self._graph.add("bwdif", _WEAVE)
        sink = self._graph.add("buffersink")
        source.link_to(weave)
        weave.link_to(sink)
        self._graph.configure()

    def fits(self, frame: VideoFrame) -> bool:
        """Tell whether `frame` is of the size and format that this was made for."""
        return _kind(frame) == self._kind

    def take(self, frame: VideoFrame | None) -> list[VideoFrame]:
        """Give what is ready; None: no more pictures come."""
        self._graph.vpush(frame)
        found: list[VideoFrame] = []
        while True:
            try:
                woven = self._graph.vpull()
            except (av.BlockingIOError, av.EOFError):
                return found
            if woven.pts is not None and woven.time_base is not None:
                woven.pts = round(woven.pts * woven.time_base / TIME_BASE)
                woven.time_base = TIME_BASE
            found.append(woven)


def _kind(frame: VideoFrame) -> tuple[int, int, str]:
    return frame.width, frame.height, frame.format.name


def _rotated(frame: VideoFrame, turn: int, on_its_side: bool) -> VideoFrame:
    plain = scale.Scaler(frame.width, frame.height).scale(frame)
    size = (frame.height, frame.width) if on_its_side else (frame.width, frame.height)
    twin = VideoFrame(*size, "yuv420p")
    for target, source in zip(scale.views(twin), scale.views(plain), strict=True):
        np.copyto(target, cv2.rotate(source, turn))
    twin.pts, twin.time_base = frame.pts, frame.time_base
    twin.key_frame = frame.key_frame  # type: ignore[misc]  # PyAV's stub lacks the setter
    twin.colorspace, twin.color_range = plain.colorspace, plain.color_range
    return twin


def turned_shape(pixel_shape: Fraction, on_its_side: bool) -> Fraction:
    """Give the shape of a pixel once its picture is upright."""
    return 1 / pixel_shape if on_its_side else pixel_shape
