"""The one track of a publisher's video that is used, whatever carries it. Pure.

Codecs by their FourCC (Enhanced RTMP v2, VideoFourCc), which legacy codec ids stand for too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ingest.errors import PeerError
from ingest.rtmp.av1c import check_av1c
from ingest.rtmp.avcc import check_avcc
from ingest.rtmp.hvcc import check_hvcc
from ingest.rtmp.vpcc import check_vpcc
from ingest.unit import TICKS_PER_MS, Unit, VideoCodec, VideoConfig, VideoUnit

AVC: Final = "avc1"
HEVC: Final = "hvc1"
ADVICE: Final = "set the encoder to H.264, HEVC, AV1 or VP9 video"


@dataclass(frozen=True, slots=True)
class Format:
    codec: VideoCodec
    check: Callable[[bytes], None]
    """Raises PeerError on a sequence header that no decoder could use."""
    nal_units: bool
    """Coded frames begin with a composition time; nothing decodes without sequence header."""
    extradata: bool
    """The decoder takes the sequence header; else it is only checked."""


FORMATS: Final = {
    AVC: Format(VideoCodec.H264, check_avcc, nal_units=True, extradata=True),
    HEVC: Format(VideoCodec.HEVC, check_hvcc, nal_units=True, extradata=True),
    "av01": Format(VideoCodec.AV1, check_av1c, nal_units=False, extradata=True),
    "vp09": Format(VideoCodec.VP9, check_vpcc, nal_units=False, extradata=False),
    "vp08": Format(VideoCodec.VP8, check_vpcc, nal_units=False, extradata=False),
}


class VideoTrack:
    """Follows the track of the lowest number that was heard of; passes over the others.

    Track 0 is the default one. A sequence header that only repeats the last one is passed
    over; frames before theirs are dropped, where the codec cannot do without.
    """

    __slots__ = ("_four_cc", "_number", "_record")

    def __init__(self) -> None:
        self._number: int | None = None
        self._four_cc = ""
        self._record: bytes | None = None

    def header(self, number: int, four_cc: str, record: bytes) -> tuple[Unit, ...]:
        """Take a sequence header. Raises PeerError."""
        if self._passes_over(number):
            return ()
        form = format_of(four_cc)
        if (number, four_cc, record) == (self._number, self._four_cc, self._record):
            return ()
        form.check(record)
        return (self._begin(number, four_cc, record, form),)

    def frame(
        self, number: int, four_cc: str, *, key: bool, dts: int, composition_ms: int, data: bytes
    ) -> tuple[Unit, ...]:
        """Take a coded picture; `dts` in ticks. Raises PeerError."""
        if not data or self._passes_over(number):
            return ()
        unit = VideoUnit(dts, dts + composition_ms * TICKS_PER_MS, key, data)
        if number == self._number and four_cc == self._four_cc:
            return (unit,)
        form = format_of(four_cc)
        if form.nal_units or not key:
            return ()
        return (self._begin(number, four_cc, b"", form), unit)

    def _begin(self, number: int, four_cc: str, record: bytes, form: Format) -> VideoConfig:
        self._number, self._four_cc, self._record = number, four_cc, record
        return VideoConfig(form.codec, record if form.extradata else b"")

    def _passes_over(self, number: int) -> bool:
        return self._number is not None and number > self._number


def format_of(four_cc: str) -> Format:
    """Look a codec up. Raises PeerError if it is not taken."""
    try:
        return FORMATS[four_cc]
    except KeyError:
        raise PeerError(f"video codec {named(four_cc)} is not supported: {ADVICE}") from None


def named(four_cc: str) -> str:
    """Give a FourCC as it may stand in a log line."""
    return "".join(c for c in four_cc if c.isascii() and c.isprintable()).strip() or "unknown"
