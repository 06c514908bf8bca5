"""What a worker made, put together again: decoded pictures and sound of one rendition."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray

from transcode.message import Up
from transcode.part import Epoch, Part, Track


@dataclass(frozen=True)
class Picture:
    seconds: float
    """From the start of the epoch."""
    luma: NDArray[np.uint8]
    key: bool


def epochs(messages: Iterable[Up]) -> list[Epoch]:
    return [message for message in messages if isinstance(message, Epoch)]


def parts(messages: Iterable[Up], rendition: str, epoch: int = 0) -> list[Part]:
    return [
        message
        for message in messages
        if isinstance(message, Part) and message.rendition == rendition and message.epoch == epoch
    ]


def track(messages: Iterable[Up], rendition: str, epoch: int = 0) -> Track:
    made = next(one for one in epochs(messages) if one.number == epoch)
    return next(one for one in made.tracks if one.name == rendition)


def pictures(messages: list[Up], rendition: str, epoch: int = 0) -> list[Picture]:
    """Decode a rendition's pictures of one epoch."""
    with av.open(_file(messages, rendition, epoch), "r") as container:
        return [
            Picture(
                float(frame.time or 0.0),
                frame.to_ndarray(format="gray").astype(np.uint8),
                frame.key_frame,
            )
            for frame in container.decode(video=0)
        ]


def sound(messages: list[Up], rendition: str, epoch: int = 0) -> NDArray[np.float32]:
    """Decode a rendition's first audio channel of one epoch."""
    with av.open(_file(messages, rendition, epoch), "r") as container:
        blocks = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    return np.concatenate(blocks).astype(np.float32)


def _file(messages: list[Up], rendition: str, epoch: int) -> io.BytesIO:
    media = b"".join(part.data for part in parts(messages, rendition, epoch))
    return io.BytesIO(track(messages, rendition, epoch).init + media)
