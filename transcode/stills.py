"""Key pictures of recorded fragments, decoded, scaled and laid on sheets. PyAV, OpenCV.

Source: ISO/IEC 14496-15 5.3.4 (avc1 carries an avcC).
"""

from __future__ import annotations

import av
import cv2
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from transcode.chunks import TrackHead, boxes, first_sample, read_init
from transcode.errors import MediaError

Image = NDArray[np.uint8]
"""Rows of BGR pixels, as OpenCV has them."""
_AVC1_FIELDS = 78
_QUALITY = 78
_POSTER_QUALITY = 86
_POSTER_LONGER = 1280


def use_one_thread() -> None:
    """Leave the other processors to those who are waited for; for the whole process."""
    cv2.setNumThreads(1)


def key_picture(init: bytes, fragment: bytes) -> Image:
    """Decode the first picture of a fragment, a key picture. Raises MediaError."""
    head = next((track for track in read_init(init) if track.handler == b"vide"), None)
    if head is None:
        raise MediaError("a rendition without pictures")
    context = av.CodecContext.create("h264", "r")
    context.extradata = _avcc(head)
    context.thread_count = 1
    try:
        packet = av.Packet(first_sample(fragment, head.id))
        frames = [*context.decode(packet), *context.decode(None)]
        if not frames:
            raise MediaError("a fragment that begins with no picture")
        return np.asarray(frames[0].to_ndarray(format="bgr24"), np.uint8)
    except FFmpegError as error:
        raise MediaError(f"a picture that cannot be decoded: {error}") from error


def _avcc(head: TrackHead) -> bytes:
    for kind, begin, end in boxes(head.entry, 8 + _AVC1_FIELDS):
        if kind == b"avcC":
            return head.entry[begin:end]
    raise MediaError("pictures that are no H.264")


def poster(image: Image) -> bytes:
    """Write a picture as a JPEG, at most 1280 pixels long."""
    height, width = image.shape[:2]
    scale = min(1.0, _POSTER_LONGER / max(width, height))
    return _jpeg(_scaled(image, round(width * scale), round(height * scale)), _POSTER_QUALITY)


class Sheet:
    """Thumbnails side by side, row by row. All are of the first one's shape; others are fitted."""

    def __init__(self, columns: int, rows: int, longer_side: int) -> None:
        self._columns = columns
        self._rows = rows
        self._longer = longer_side
        self._canvas: Image | None = None
        self._count = 0
        self.width = 0
        """Of a thumbnail in pixels; 0 before the first."""
        self.height = 0

    @property
    def full(self) -> bool:
        return self._count == self._columns * self._rows

    def add(self, image: Image | None) -> None:
        """Put a picture in the next place; None: one that is lost, and stays dark."""
        if image is not None and not self.width:
            height, width = image.shape[:2]
            scale = self._longer / max(width, height)
            self.width, self.height = (
                max(2, round(side * scale / 2) * 2) for side in (width, height)
            )
        if self._canvas is None and self.width:
            size = (self._rows * self.height, self._columns * self.width, 3)
            self._canvas = np.full(size, 18, np.uint8)
        row, column = divmod(self._count, self._columns)
        self._count += 1
        if image is None or self._canvas is None:
            return
        fitted = _fitted(image, self.width, self.height)
        top = row * self.height + (self.height - fitted.shape[0]) // 2
        left = column * self.width + (self.width - fitted.shape[1]) // 2
        self._canvas[top : top + fitted.shape[0], left : left + fitted.shape[1]] = fitted

    def take(self) -> bytes:
        """Give the sheet as a JPEG, its empty rows cut off, and begin the next; none when empty."""
        canvas, rows = self._canvas, -(-self._count // self._columns)
        self._canvas, self._count = None, 0
        if canvas is None or not rows:
            return b""
        return _jpeg(canvas[: rows * self.height], _QUALITY)


def _fitted(image: Image, width: int, height: int) -> Image:
    scale = min(width / image.shape[1], height / image.shape[0])
    wide = min(width, max(1, round(image.shape[1] * scale)))
    high = min(height, max(1, round(image.shape[0] * scale)))
    return _scaled(image, wide, high)


def _scaled(image: Image, width: int, height: int) -> Image:
    if image.shape[:2] == (height, width):
        return image
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _jpeg(image: Image, quality: int) -> bytes:
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_PROGRESSIVE, 1]
    made, data = cv2.imencode(".jpg", image, options)
    if not made:
        raise MediaError("a picture that cannot be written")
    return data.tobytes()
