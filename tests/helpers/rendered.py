"""What a worker made, put together again: decoded pictures and sound of one rendition."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from tests.helpers.clips import read_number
from transcode.message import Up
from transcode.part import Epoch, Part, Track

BEEP_LEVEL = 0.1


@dataclass(frozen=True)
class Picture:
    seconds: float
    """From the start of the epoch."""
    luma: NDArray[np.uint8]
    """As coded: 16 is black, 235 white."""
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
                _luma(frame),
                frame.key_frame,
            )
            for frame in container.decode(video=0)
        ]


def numbers(messages: list[Up], rendition: str, epoch: int = 0) -> list[int]:
    """Read the numbers of a rendition's pictures of one epoch."""
    return [read_number(one.luma) for one in pictures(messages, rendition, epoch)]


def _luma(frame: VideoFrame) -> NDArray[np.uint8]:
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    return rows[:, : plane.width].copy()


def sound(messages: list[Up], rendition: str, epoch: int = 0) -> NDArray[np.float32]:
    """Decode a rendition's first audio channel of one epoch."""
    with av.open(_file(messages, rendition, epoch), "r") as container:
        blocks = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    return np.concatenate(blocks).astype(np.float32)


def _file(messages: list[Up], rendition: str, epoch: int) -> io.BytesIO:
    media = b"".join(part.data for part in parts(messages, rendition, epoch))
    return io.BytesIO(track(messages, rendition, epoch).init + media)


def skews(
    messages: list[Up], rendition: str, moments: Sequence[Fraction], epoch: int = 0
) -> list[float]:
    """Give by how many seconds the sound is late against the picture, at every beep.

    `moments` tells when the picture of each number was taken; beeps were at whole seconds.
    """
    shown = _first_shown(pictures(messages, rendition, epoch))
    found = []
    for onset in beeps(sound(messages, rendition, epoch)):
        late = [at - float(moments[number]) for at, number in shown if at <= onset]
        if not late:
            continue
        apart = onset - late[-1]
        found.append(apart - round(apart))
    return found


def beeps(wave: NDArray[np.float32], rate: int = 48_000) -> list[float]:
    """Give where beeps begin, in seconds; one cut off by the very beginning is left out."""
    loud = np.flatnonzero(np.abs(wave) > BEEP_LEVEL)
    begins = [
        int(a)
        for a, before in zip(loud, [-rate, *loud[:-1]], strict=True)
        if a - before > rate // 4
    ]
    return [begin / rate for begin in begins if begin > rate // 100]


def _first_shown(seen: list[Picture]) -> list[tuple[float, int]]:
    """Give when each picture came on screen, repeats left out."""
    found: list[tuple[float, int]] = []
    for one in seen:
        number = read_number(one.luma)
        if not found or found[-1][1] != number:
            found.append((one.seconds, number))
    return found
