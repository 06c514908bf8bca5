"""The lanes of a broadcast: how one track of a file becomes packets for RTMP.

Imports PyAV only. A lane is made once and lives through all passes over the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Protocol

import av
import av.filter
from av.container import InputContainer, OutputContainer
from av.packet import Packet

_MAX_SIDE = 1920
_TICK = Fraction(1, 90_000)
_SAMPLE_RATE = 48_000
_MAX_UNDATED = 16
"""Pictures that a codec may hold back for reordering."""


class Lane(Protocol):
    def begin(self, stream: av.VideoStream | av.AudioStream) -> None:
        """Start a pass over the file."""
        ...

    def take(self, packet: Packet[Any], shift: Fraction) -> Iterator[Packet[Any]]:
        """Give what this packet yields, `shift` seconds later. An empty packet ends a pass."""
        ...


class CopyLane:
    """Packets as they are, on a new time line."""

    def __init__(self, output: OutputContainer, template: av.VideoStream | av.AudioStream) -> None:
        # Opaque: no encoder is looked for, which would be by the decoder's name (libdav1d).
        self._stream = output.add_stream_from_template(template, opaque=True)
        self._last_dts: Fraction | None = None
        self._undated: list[Packet[Any]] = []

    def begin(self, stream: av.VideoStream | av.AudioStream) -> None:
        del stream
        self._undated.clear()

    def take(self, packet: Packet[Any], shift: Fraction) -> Iterator[Packet[Any]]:
        if packet.size == 0 or packet.time_base is None:
            return
        if packet.dts is None:
            # Matroska has no decode times: those of the first pictures before B-frames are
            # told by the first that can be reckoned.
            if len(self._undated) < _MAX_UNDATED:
                self._undated.append(packet)
            return
        undated, self._undated = self._undated, []
        for back, early in enumerate(reversed(undated), 1):
            early.dts = packet.dts - back * (early.duration or packet.duration or 1)
        for each in (*undated, packet):
            yield from self._moved(each, shift)

    def _moved(self, packet: Packet[Any], shift: Fraction) -> Iterator[Packet[Any]]:
        base = packet.time_base
        if packet.dts is None or base is None:
            return
        ticks = round(shift / base)
        packet.dts += ticks
        packet.pts = packet.dts if packet.pts is None else packet.pts + ticks
        dts = packet.dts * base
        # A second pass may overlap the first by its decode delay; RTMP time must not go back.
        if self._last_dts is not None and dts < self._last_dts:
            return
        self._last_dts = dts
        packet.stream = self._stream
        yield packet


class EncodeVideoLane:
    """Any picture, upright and at most 1920 on its long side, as H.264."""

    def __init__(self, output: OutputContainer, template: av.VideoStream, turn: int) -> None:
        rate = template.average_rate or Fraction(30)
        rate = min(max(Fraction(rate), Fraction(1)), Fraction(60))
        self._turn = turn
        self._stream = output.add_stream("libx264", rate=rate)
        width, height = template.codec_context.width, template.codec_context.height
        if turn % 180:
            width, height = height, width
        shrink = min(Fraction(1), Fraction(_MAX_SIDE, max(width, height, 1)))
        context = self._stream.codec_context
        context.width = max(2, int(width * shrink) // 2 * 2)
        context.height = max(2, int(height * shrink) // 2 * 2)
        context.pix_fmt = "yuv420p"
        context.time_base = _TICK
        context.gop_size = max(1, round(rate * 2))
        context.options = {"preset": "veryfast", "tune": "zerolatency", "crf": "21"}
        self._size = (context.width, context.height)
        self._graph: av.filter.Graph | None = None
        self._last_pts = -1

    def begin(self, stream: av.VideoStream | av.AudioStream) -> None:
        if not isinstance(stream, av.VideoStream):
            raise TypeError("a video lane takes a video stream")
        self._graph = _upright(stream, self._turn) if self._turn else None

    def take(self, packet: Packet[Any], shift: Fraction) -> Iterator[Packet[Any]]:
        for frame in packet.decode():
            if frame.pts is None or frame.time_base is None:
                continue
            at = frame.pts * frame.time_base
            picture = self._turned(frame).reformat(*self._size, format="yuv420p")
            picture.pts = round((at + shift) / _TICK)
            picture.time_base = _TICK
            picture.pict_type = av.video.frame.PictureType.NONE
            if picture.pts > self._last_pts:
                self._last_pts = picture.pts
                yield from self._stream.encode(picture)

    def _turned(self, frame: av.VideoFrame) -> av.VideoFrame:
        if self._graph is None:
            return frame
        self._graph.vpush(frame)
        return self._graph.vpull()


class EncodeAudioLane:
    """Any sound as stereo AAC at 48 kHz."""

    def __init__(self, output: OutputContainer) -> None:
        self._stream = output.add_stream("aac", rate=_SAMPLE_RATE, layout="stereo")
        self._stream.codec_context.bit_rate = 128_000
        self._resampler: av.AudioResampler | None = None
        self._last_pts = -1

    def begin(self, stream: av.VideoStream | av.AudioStream) -> None:
        del stream
        # What the old one still holds is under one AAC frame: only the last may be short.
        self._resampler = av.AudioResampler(
            format="fltp", layout="stereo", rate=_SAMPLE_RATE, frame_size=1024
        )

    def take(self, packet: Packet[av.AudioStream], shift: Fraction) -> Iterator[Packet[Any]]:
        if self._resampler is None:
            return
        for frame in packet.decode():
            for even in self._resampler.resample(frame):
                if even.pts is None or even.time_base is None or even.samples != 1024:
                    continue
                at = even.pts * even.time_base + shift
                even.time_base = Fraction(1, _SAMPLE_RATE)
                even.pts = round(at * _SAMPLE_RATE)
                if even.pts > self._last_pts:
                    self._last_pts = even.pts
                    yield from self._stream.encode(even)


def rotation_of(container: InputContainer) -> int:
    """Tell by how many degrees, counterclockwise, players turn the picture: 0, 90, 180, 270."""
    if not container.streams.video:
        return 0
    try:
        frame = next(container.decode(video=0), None)
    except av.FFmpegError:
        return 0
    return int(frame.rotation) % 360 // 90 * 90 if frame is not None else 0


def _upright(stream: av.VideoStream, turn: int) -> av.filter.Graph:
    turns: dict[int, list[tuple[str, str | None]]] = {
        90: [("transpose", "cclock")],
        180: [("hflip", None), ("vflip", None)],
        270: [("transpose", "clock")],
    }
    graph = av.filter.Graph()
    nodes = [graph.add_buffer(template=stream)]
    nodes += [graph.add(name, arguments) for name, arguments in turns[turn]]
    nodes.append(graph.add("buffersink"))
    graph.link_nodes(*nodes).configure()
    return graph
