"""Broadcast a file over RTMP at the speed of the clock, as an anchor's encoder would.

Imports PyAV only; runs in a process of its own (`vitrine push`). What RTMP carries, by
codec id or by Enhanced RTMP's FourCC, is copied as it is, anything else is encoded; a
rotated phone video is turned upright.
Times inside are seconds as exact fractions.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.logging
from av.container import InputContainer, OutputContainer
from av.packet import Packet

from server.errors import VitrineError
from server.pushlane import CopyLane, EncodeAudioLane, EncodeVideoLane, Lane, rotation_of

CONNECT_SECONDS = 10.0
STALL_SECONDS = 10.0
_VIDEO_COPIED = frozenset({"h264", "hevc", "av1", "vp9"})
_AUDIO_COPIED = frozenset({"aac", "opus", "mp3", "ac3", "eac3", "flac"})
"""By libav's names, not its decoders'."""
_FLV_OPTIONS = {"flvflags": "no_duration_filesize", "flush_packets": "1"}


class PushError(VitrineError):
    """The file cannot be read or the server did not take it. Its text is one line."""


@dataclass(frozen=True, slots=True)
class Progress:
    seconds: float
    """Media time sent."""
    bytes: int
    passes: int
    """How often the file was begun."""


def push(
    source: Path,
    url: str,
    *,
    loop: bool = False,
    seconds: float | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
) -> Progress:
    """Send `source` to the RTMP `url` until its end, `seconds` of media, or `stop`.

    With `loop` the file is begun again at its end and timestamps go on without a jump.
    Raises PushError.
    """
    if not url.startswith(("rtmp://", "rtmps://")):
        raise PushError(f"not an RTMP address: {_redacted(url)}")
    with _open_input(source) as probe:
        turn = rotation_of(probe)
    with listening() as log:
        try:
            with av.open(
                url, "w", format="flv", options=_FLV_OPTIONS, timeout=STALL_SECONDS
            ) as output:
                return _Broadcast(source, output, turn, stop or threading.Event()).run(
                    loop, seconds, on_progress
                )
        except (av.FFmpegError, OSError) as error:
            raise PushError(_reason(url, error, log)) from error


@contextmanager
def listening() -> Iterator[list[tuple[int, str, str]]]:
    """Hear what libav says: the server's reason for a refusal is nowhere else."""
    before = av.logging.get_level()
    av.logging.set_level(av.logging.ERROR)
    try:
        with av.logging.Capture(local=False) as log:
            yield log
    finally:
        av.logging.set_level(before)


class _Broadcast:
    """One connection: the lanes, the clock they are paced by, what was sent."""

    def __init__(
        self, source: Path, output: OutputContainer, turn: int, stop: threading.Event
    ) -> None:
        self._source = source
        self._output = output
        self._turn = turn
        self._stop = stop
        self._lanes: dict[str, Lane] = {}
        self._began: tuple[float, Fraction] | None = None
        self._end = Fraction(0)
        self._sent = Progress(0.0, 0, 0)

    def run(
        self, loop: bool, seconds: float | None, on_progress: Callable[[Progress], None] | None
    ) -> Progress:
        limit = Fraction(seconds).limit_denominator(1000) if seconds is not None else None
        base = Fraction(0)
        while True:
            self._sent = Progress(self._sent.seconds, self._sent.bytes, self._sent.passes + 1)
            for packet in self._pass(base):
                if not self._send(packet, limit):
                    return self._sent
                if on_progress is not None:
                    on_progress(self._sent)
            if self._end <= base:
                raise PushError(f"{self._source.name} holds no audio or video to send")
            base = self._end
            if not loop:
                return self._sent

    def _pass(self, base: Fraction) -> Iterator[Packet[Any]]:
        """Give the whole file once, its first instant at `base`."""
        with _open_input(self._source) as container:
            streams = [s for s in (_first(container, "video"), _first(container, "audio")) if s]
            for stream in streams:
                if stream.type not in self._lanes:
                    self._lanes[stream.type] = self._lane(stream)
                self._lanes[stream.type].begin(stream)
            if not streams:
                raise PushError(f"{self._source.name} holds no audio or video to send")
            start = Fraction(container.start_time or 0, av.time_base)
            for packet in container.demux(streams):
                yield from self._lanes[packet.stream.type].take(packet, base - start)

    def _lane(self, stream: av.VideoStream | av.AudioStream) -> Lane:
        codec = stream.codec_context.codec.canonical_name
        if isinstance(stream, av.VideoStream):
            if codec in _VIDEO_COPIED and not self._turn:
                return CopyLane(self._output, stream)
            return EncodeVideoLane(self._output, stream, self._turn)
        if codec in _AUDIO_COPIED:
            return CopyLane(self._output, stream)
        return EncodeAudioLane(self._output)

    def _send(self, packet: Packet[Any], limit: Fraction | None) -> bool:
        """Wait for the packet's moment and send it; False when the broadcast is over."""
        base = packet.time_base
        if packet.dts is None or packet.pts is None or base is None:
            return True
        at = packet.dts * base
        if limit is not None and at >= limit:
            return False
        if self._began is None:
            self._began = (time.monotonic(), at)
        due = self._began[0] + float(at - self._began[1])
        if self._stop.wait(max(0.0, due - time.monotonic())):
            return False
        self._end = max(self._end, (packet.pts + (packet.duration or 0)) * base)
        size = packet.size
        self._output.mux_one(packet)
        self._sent = Progress(float(self._end), self._sent.bytes + size, self._sent.passes)
        return True


def _open_input(source: Path) -> InputContainer:
    try:
        return av.open(str(source), "r", timeout=(CONNECT_SECONDS, STALL_SECONDS))
    except (av.FFmpegError, OSError) as error:
        raise PushError(f"cannot read {source}: {error.strerror or error}") from error


def _first(container: InputContainer, kind: str) -> av.VideoStream | av.AudioStream | None:
    for stream in container.streams:
        picture = bool(stream.disposition & av.stream.Disposition.attached_pic)
        if (
            stream.type == kind
            and not picture
            and isinstance(stream, (av.VideoStream, av.AudioStream))
        ):
            return stream
    return None


def server_words(log: list[tuple[int, str, str]]) -> str:
    """Return the reason that the server gave, "" without one."""
    for _level, _name, message in log:
        if "Server error:" in message:
            return message.split("Server error:", 1)[1].strip()
    return ""


def _reason(url: str, error: Exception, log: list[tuple[int, str, str]]) -> str:
    """Say in one line what went wrong, with the server's own words where it gave any."""
    words = server_words(log)
    if words:
        return f"the server refused: {words}"
    what = getattr(error, "strerror", None) or str(error)
    return f"{_redacted(url)}: {what}"


def _redacted(url: str) -> str:
    """Cut the stream key off an address: it is a secret."""
    head, _, _key = url.rpartition("/")
    return f"{head}/…" if head.count("/") >= 2 else url
