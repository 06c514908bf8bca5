"""What is in a source, as Units: demuxed by libav, decoded elsewhere. Imports PyAV."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

import av
from av.audio.stream import AudioStream
from av.codec.context import CodecContext
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard, Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ingest.unit import (
    TICKS_PER_SECOND,
    AudioCodec,
    AudioConfig,
    AudioUnit,
    StreamInfo,
    Unit,
    VideoCodec,
    VideoConfig,
    VideoUnit,
)
from transcode.errors import PullError
from transcode.pull.adts import parse_adts
from transcode.pull.order import Order
from transcode.pull.stamps import Stamped, Stamps
from transcode.pull.words import LOST, NO_MEDIA, REFUSED, SILENT

FORMATS = (
    "aac,ac3,aiff,asf,avi,eac3,flac,flv,hls,live_flv,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mp3,"
    "mpeg,mpegts,ogg,wav,ivf"
)
"""What a resource over HTTP may be. Not among them is what opens further addresses (concat,
sdp, dash, ...) but `hls`, whose addresses come through `io_open`, nor what has no times."""
MAX_RATE: Final = 240
_NEW_EXTRADATA: Final = "new_extradata"

_WORDS: Final = {
    errno.EINVAL: NO_MEDIA,
    errno.EIO: LOST,
    errno.ECONNRESET: LOST,
    errno.EPIPE: LOST,
}
_STATUSES: Final[dict[type[Exception], str]] = {
    av.error.HTTPUnauthorizedError: REFUSED[401],
    av.error.HTTPForbiddenError: REFUSED[403],
    av.error.HTTPNotFoundError: REFUSED[404],
}


@dataclass(frozen=True, slots=True)
class Way:
    """How libav is to open a source."""

    file: Any
    """An address, or an object with `read` and `name`."""
    format: str | None = None
    """None: find out, among FORMATS."""
    protocols: str = ""
    """What libav may open by itself; empty: nothing."""
    options: Mapping[str, str] = field(default_factory=dict)
    io_open: Callable[..., Any] | None = None
    sized: bool = False
    """The resource says how many bytes it has."""


def opened(way: Way, order: Order) -> InputContainer:
    """Open a source and find out what is in it. Raises PullError and what `way` raises."""
    options = {
        "protocol_whitelist": way.protocols or "none",
        "probesize": str(order.probe_bytes),
        "analyzeduration": str(int(order.open_seconds / 2 * 1_000_000)),
        **way.options,
    }
    if way.format is None:
        options["format_whitelist"] = FORMATS
    began = time.monotonic()
    try:
        container: InputContainer = av.open(
            way.file,
            "r",
            format=way.format,
            container_options=options,
            timeout=(order.open_seconds, order.silence_seconds),
            io_open=way.io_open,
        )
        return container
    except (av.FFmpegError, OSError, ValueError) as error:
        # What libav's protocols make of its own deadline differs; the time that went by does not.
        silent = time.monotonic() - began >= order.open_seconds
        raise PullError(SILENT if silent else _words(error)) from error


class Tracks:
    """The best picture and the best sound of an open source."""

    def __init__(self, container: InputContainer, *, sized: bool = False) -> None:
        """Choose; the rest is not even read where libav can leave it. Raises PullError."""
        self._container = container
        self._sized = sized and container.format.name != "hls"  # there it is the playlist's size
        video, audio = container.streams.best("video"), container.streams.best("audio")
        self._video = video if isinstance(video, VideoStream) and _is_film(video) else None
        self._audio = audio if isinstance(audio, AudioStream) else None
        chosen = [stream for stream in (self._video, self._audio) if stream is not None]
        for stream in container.streams:
            if stream not in chosen:
                stream.discard = Discard.all
        self._video_codec = _codec(VideoCodec, self._video)
        self._audio_codec = _codec(AudioCodec, self._audio)
        self._streams = chosen
        if not chosen:
            raise PullError("there is neither picture nor sound in it")
        self._sent: dict[type, Unit] = {}
        self._stamps: dict[int, Stamps[Packet[Any]]] = {}
        self.end: int | None = None
        """Where the newest packet ends, in ticks."""

    @property
    def finite(self) -> bool:
        """Whether its end is an end and no loss: it says how long it is, or that it has ended.

        Of a playlist libav gives the end only when EXT-X-ENDLIST is there.
        """
        duration = self._container.duration
        return self._sized or self._container.format.name == "hls" or bool(duration)

    @property
    def start(self) -> int:
        """Where its time begins, in ticks."""
        return round(Fraction(self._container.start_time or 0, av.time_base) * TICKS_PER_SECOND)

    def info(self) -> StreamInfo:
        """Tell what was found."""
        video, audio = self._video, self._audio
        metadata, kind = self._container.metadata, self._container.format.long_name
        return StreamInfo(
            encoder=(metadata.get("encoder") or kind or "")[:120],
            width=video.codec_context.width if video else 0,
            height=video.codec_context.height if video else 0,
            frame_rate=_rate(video),
            video_bitrate=(video.codec_context.bit_rate or 0) if video else 0,
            audio_bitrate=(audio.codec_context.bit_rate or 0) if audio else 0,
        )

    def units(self, order: Order) -> Iterator[Unit]:
        """Give the source's units in its order, each track's configuration before its first.

        Times are the source's own, in ticks. Raises PullError.
        """
        try:
            for packet in self._container.demux(self._streams):
                if packet.size > order.max_packet:
                    raise PullError(f"a packet of {packet.size} bytes is in it, which is too large")
                if packet.size and not packet.is_discard:
                    yield from self._units(packet)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise PullError(_words(error)) from error

    def _units(self, packet: Packet[Any]) -> Iterator[Unit]:
        dts, pts = _ticks(packet, packet.dts), _ticks(packet, packet.pts)
        duration = _ticks(packet, packet.duration) or 0
        stamps = self._stamps.setdefault(packet.stream.index, Stamps())
        for stamped in stamps.take(packet, dts, pts, duration):
            end = stamped.pts + duration
            self.end = end if self.end is None else max(self.end, end)
            yield from self._unit(stamped)

    def _unit(self, stamped: Stamped[Packet[Any]]) -> Iterator[Unit]:
        packet = stamped.item
        data = bytes(packet)
        if packet.stream is self._video:
            yield from self._news(self._video_config(packet))
            yield VideoUnit(stamped.dts, stamped.pts, packet.is_keyframe, data)
        elif packet.stream is self._audio:
            config, data = self._audio_config(packet, data)
            yield from self._news(config)
            yield AudioUnit(stamped.pts, data)

    def _news(self, config: VideoConfig | AudioConfig) -> Iterator[Unit]:
        if self._sent.get(type(config)) != config:
            self._sent[type(config)] = config
            yield config

    def _video_config(self, packet: Packet[Any]) -> VideoConfig:
        known = self._sent.get(VideoConfig)
        if isinstance(known, VideoConfig) and not packet.has_sidedata(_NEW_EXTRADATA):
            return known
        rotation = known.rotation if isinstance(known, VideoConfig) else _rotation(packet)
        return VideoConfig(VideoCodec(self._video_codec), _extradata(packet), rotation)

    def _audio_config(self, packet: Packet[Any], data: bytes) -> tuple[AudioConfig, bytes]:
        known = self._sent.get(AudioConfig)
        context = packet.stream.codec_context
        codec, extradata = AudioCodec(self._audio_codec), None
        if codec is AudioCodec.AAC and not context.extradata:
            frame = parse_adts(data)
            if frame is not None:
                extradata, data = frame.config, frame.data
        elif isinstance(known, AudioConfig) and not packet.has_sidedata(_NEW_EXTRADATA):
            return known, data
        if extradata is None:
            extradata = _extradata(packet)
        return AudioConfig(codec, extradata, context.sample_rate, context.channels), data


def _is_film(stream: VideoStream) -> bool:
    """Tell a picture that moves from a cover."""
    return not stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails)


def _codec(known: type[VideoCodec | AudioCodec], stream: VideoStream | AudioStream | None) -> str:
    if stream is None:
        return ""
    context: CodecContext | None = stream.codec_context  # None where libav has no decoder
    name = context.codec.canonical_name if context is not None else "(unknown)"
    if name not in list(known):
        raise PullError(f"its codec {name} is not one that Vitrine reads")
    return name


def _rotation(packet: Packet[Any]) -> int:
    """Tell how a file has its pictures turned: a phone held upright says it there only.

    libav shows that nowhere but at a decoded picture, so the first one is decoded; its decoder
    is of no use after, and not used.
    """
    decoder = packet.stream.codec_context
    decoder.thread_count = 1  # else a thread for each processor, for one picture
    try:
        frames = [*decoder.decode(packet), *decoder.decode(None)]
    except av.FFmpegError:
        return 0
    pictures = (frame for frame in frames if isinstance(frame, VideoFrame))
    return next((frame.rotation for frame in pictures), 0)


def _extradata(packet: Packet[Any]) -> bytes:
    if packet.has_sidedata(_NEW_EXTRADATA):
        return bytes(packet.get_sidedata(_NEW_EXTRADATA))
    return bytes(packet.stream.codec_context.extradata or b"")


def _ticks(packet: Packet[Any], stamp: int | None) -> int | None:
    return None if stamp is None else round(stamp * packet.time_base * TICKS_PER_SECOND)


def _rate(stream: VideoStream | None) -> Fraction | None:
    rate = stream.average_rate or stream.guessed_rate if stream else None
    # RTSP has its clock's rate there, where a camera says nothing.
    return Fraction(rate) if rate and 1 <= rate <= MAX_RATE else None


def _words(error: Exception) -> str:
    """Say what libav said, without the address that its own text ends with."""
    if isinstance(error, av.error.ExitError):
        return SILENT
    if isinstance(error, av.error.InvalidDataError):
        return NO_MEDIA
    if type(error) in _STATUSES:
        return _STATUSES[type(error)]
    number = getattr(error, "errno", None)
    if isinstance(number, int) and number in _WORDS:
        return _WORDS[number]
    words = getattr(error, "strerror", None)
    return str(words).lower() if words else "it cannot be opened"
