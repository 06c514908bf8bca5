"""The one track of a publisher's sound that is used, whatever carries it. Pure.

Codecs by their FourCC (Enhanced RTMP v2, AudioFourCc), which legacy sound formats stand for too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ingest.errors import PeerError
from ingest.rtmp.asc import parse_asc
from ingest.rtmp.opus_head import assume_opus, parse_opus_head
from ingest.rtmp.stream_info import parse_stream_info
from ingest.rtmp.sync_frame import begin_ac3, begin_mp3
from ingest.rtmp.video_track import named
from ingest.unit import AudioConfig, AudioUnit, Unit

AAC: Final = "mp4a"
MP3: Final = ".mp3"
ADVICE: Final = "set the encoder to AAC or Opus audio"


@dataclass(frozen=True, slots=True)
class Format:
    header: Callable[[bytes], AudioConfig] | None
    """Reads a sequence header or raises PeerError; None: the codec has none."""
    begin: Callable[[bytes], AudioConfig | None] | None
    """Reads a first frame without header, None if it is no frame; None: nothing can be read."""


FORMATS: Final = {
    AAC: Format(parse_asc, None),
    "Opus": Format(parse_opus_head, assume_opus),
    MP3: Format(None, begin_mp3),
    "ac-3": Format(None, begin_ac3),
    "ec-3": Format(None, begin_ac3),
    "fLaC": Format(parse_stream_info, None),
}


class AudioTrack:
    """Follows the track of the lowest number that was heard of; passes over the others.

    Track 0 is the default one. A sequence header that only repeats the last one is passed
    over; frames are dropped until it is known how to decode them.
    """

    __slots__ = ("_four_cc", "_header", "_number")

    def __init__(self) -> None:
        self._number: int | None = None
        self._four_cc = ""
        self._header: bytes | None = None

    def header(self, number: int, four_cc: str, header: bytes) -> tuple[Unit, ...]:
        """Take a sequence header. Raises PeerError."""
        if self._passes_over(number):
            return ()
        read = format_of(four_cc).header
        if read is None or (number, four_cc, header) == self._now:
            return ()
        return (self._begin(number, four_cc, header, read(header)),)

    def frame(self, number: int, four_cc: str, pts: int, data: bytes) -> tuple[Unit, ...]:
        """Take a coded frame; `pts` in ticks. Raises PeerError."""
        if not data or self._passes_over(number):
            return ()
        unit = AudioUnit(pts, data)
        if number == self._number and four_cc == self._four_cc:
            return (unit,)
        begin = format_of(four_cc).begin
        config = None if begin is None else begin(data)
        if config is None:
            return ()
        return (self._begin(number, four_cc, b"", config), unit)

    def plain(self, config: AudioConfig, pts: int, data: bytes) -> tuple[Unit, ...]:
        """Take sound of a legacy format that is told by every tag, `config`; track 0."""
        if not data:
            return ()
        now = (0, config.codec.value, f"{config.sample_rate} {config.channels}".encode())
        unit = AudioUnit(pts, data)
        return (unit,) if now == self._now else (self._begin(*now, config), unit)

    @property
    def _now(self) -> tuple[int | None, str, bytes | None]:
        return self._number, self._four_cc, self._header

    def _begin(self, number: int, four_cc: str, header: bytes, config: AudioConfig) -> AudioConfig:
        self._number, self._four_cc, self._header = number, four_cc, header
        return config

    def _passes_over(self, number: int) -> bool:
        return self._number is not None and number > self._number


def format_of(four_cc: str) -> Format:
    """Look a codec up. Raises PeerError if it is not taken."""
    try:
        return FORMATS[four_cc]
    except KeyError:
        raise PeerError(f"audio codec {named(four_cc)} is not supported: {ADVICE}") from None
