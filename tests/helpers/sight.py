"""What can be seen and heard in a rendition that was taken: pictures and beeps with their dates."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from tests.helpers.clips import read_number
from tests.helpers.hls_client import Taken, TakenSegment
from tests.helpers.mp4_boxes import boxes, runs
from tests.helpers.time_code import FLAT, flash

TICKS_PER_MS = 90
THUMB = (48, 16)
BEEP_LEVEL = 0.1
BEEP_APART_SECONDS = 0.5

Plane = NDArray[np.uint8]
Area = tuple[float, float, float, float]
"""Left, top, width, height in fractions of the picture."""


@dataclass(frozen=True)
class Seen:
    """One decoded picture."""

    date_ms: float
    """On the PDT axis."""
    msn: int
    size: tuple[int, int]
    number: int
    """The time code in it."""
    flash: bool
    drawn: Mapping[str, float]
    """Mean difference (0..255) to the flat background in each area."""
    thumbs: Mapping[str, NDArray[np.int16]] = field(repr=False)
    """Each area's luma, reduced."""


@dataclass(frozen=True)
class Heard:
    """Where each beep begins."""

    dates_ms: tuple[float, ...]
    seconds: float
    """Sound decoded."""


def epochs(taken: Taken) -> Iterator[tuple[bytes, list[TakenSegment]]]:
    """Give each run of whole segments with one initialization section."""
    for uri, run in groupby(taken.whole, lambda segment: segment.map_uri):
        assert uri is not None
        yield taken.inits[uri], list(run)


def pictures(taken: Taken) -> Iterator[tuple[float, int, VideoFrame]]:
    """Decode every picture: its date, the msn it lies in, the frame. Fails on any damage."""
    for init, segments in epochs(taken):
        starts = [_video_start(segment) for segment in segments]
        index = 0
        for frame in _decoded(init, segments):
            assert frame.pts is not None
            while index + 1 < len(starts) and frame.pts >= starts[index + 1]:
                index += 1
            segment = segments[index]
            date = segment.pdt_ms + (frame.pts - starts[index]) / TICKS_PER_MS
            yield date, segment.msn, frame


def watch(taken: Taken, areas: Mapping[str, Area] | None = None) -> list[Seen]:
    """Decode and look at every picture."""
    return [_seen(date, msn, frame, areas or {}) for date, msn, frame in pictures(taken)]


def planes(frame: VideoFrame) -> tuple[Plane, Plane, Plane]:
    """Copy a frame's Y, U and V planes."""
    assert frame.format.name == "yuv420p"
    found = []
    for plane in frame.planes:
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
        found.append(rows[:, : plane.width].copy())
    return found[0], found[1], found[2]


def cut(plane: Plane, area: Area) -> Plane:
    """Cut an area out of a plane of any size."""
    height, width = plane.shape
    left, top, wide, high = area
    rows = slice(round(top * height), round((top + high) * height))
    return plane[rows, round(left * width) : round((left + wide) * width)]


def difference(frame: VideoFrame) -> NDArray[np.uint8]:
    """Give how far each pixel is from the flat background: the most of Y, U and V."""
    luma, *chroma = planes(frame)
    size = (luma.shape[1], luma.shape[0])
    most = cv2.absdiff(luma, np.full_like(luma, FLAT[0]))
    for plane, level in zip(chroma, FLAT[1:], strict=True):
        apart = cv2.absdiff(plane, np.full_like(plane, level))
        most = cv2.max(most, cv2.resize(apart, size, interpolation=cv2.INTER_NEAREST))
    return np.asarray(most, np.uint8)


def listen(taken: Taken) -> Heard:
    """Decode the sound and find where each beep begins."""
    dates: list[float] = []
    seconds = 0.0
    for init, segments in epochs(taken):
        first = segments[0]
        origin = first.pdt_ms - _video_start(first) / TICKS_PER_MS
        with av.open(io.BytesIO(init + b"".join(s.data for s in segments)), "r") as source:
            quiet_since = -BEEP_APART_SECONDS
            for frame in source.decode(audio=0):
                assert frame.pts is not None
                assert frame.time_base is not None
                begin = float(frame.pts * frame.time_base)
                wave = np.abs(frame.to_ndarray()).max(axis=0)
                seconds += frame.samples / frame.sample_rate
                loud = np.flatnonzero(wave > BEEP_LEVEL)
                if loud.size == 0:
                    continue
                if begin - quiet_since >= BEEP_APART_SECONDS:
                    at = begin + float(loud[0]) / frame.sample_rate
                    dates.append(origin + at * 1000)
                quiet_since = begin
    return Heard(tuple(dates), seconds)


def _decoded(init: bytes, segments: Iterable[TakenSegment]) -> Iterator[VideoFrame]:
    with av.open(io.BytesIO(init + b"".join(s.data for s in segments)), "r") as source:
        video = source.streams.video[0]
        video.codec_context.options = {"err_detect": "explode"}
        for packet in source.demux(video):
            for frame in packet.decode():
                assert not frame.is_corrupt
                yield frame


def _video_start(segment: TakenSegment) -> int:
    """Read the video track's decode time of a segment from its first fragment."""
    data = segment.parts[0].data
    found = boxes(data)
    # All of a segment where its parts were listed no more.
    fragment = data[: found[2].offset] if len(found) > 2 else data
    return min(runs(fragment), key=lambda run: run.track).decode_time


def _seen(date: float, msn: int, frame: VideoFrame, areas: Mapping[str, Area]) -> Seen:
    luma = planes(frame)[0]
    drawn, thumbs = {}, {}
    for name, area in areas.items():
        part = cut(luma, area)
        drawn[name] = float(cv2.absdiff(part, np.full_like(part, FLAT[0])).mean())
        thumbs[name] = cv2.resize(part, THUMB, interpolation=cv2.INTER_AREA).astype(np.int16)
    size = (frame.width, frame.height)
    return Seen(date, msn, size, read_number(luma), flash(luma), drawn, thumbs)
