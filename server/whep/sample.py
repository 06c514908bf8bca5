"""From a publisher's units to what WebRTC sends: H.264 byte streams, one line of time. Pure."""

from __future__ import annotations

from typing import Final

from ingest.unit import (
    TICKS_PER_SECOND,
    AudioCodec,
    AudioConfig,
    VideoCodec,
    VideoConfig,
    VideoUnit,
)
from server.live.echo import Echo, Reordered
from server.whep.errors import OffAir, Unfit
from transcode.errors import BitstreamError
from transcode.nal import NalType, parse_avcc, split_annexb, split_avcc

LEAP: Final = 5 * TICKS_PER_SECOND
"""A step of the publisher's clock that a viewer's is not to make."""
STEP: Final = 9
"""Ticks between pictures that are sent to catch up: all of them in the blink of one."""
_START: Final = b"\x00\x00\x00\x01"
_KEPT: Final = frozenset({*range(NalType.SLICE, NalType.IDR + 1), NalType.SPS, NalType.PPS})
_CODECS: Final = (VideoCodec.H264, VideoCodec.VP8)


def check(echo: Echo | None) -> VideoConfig:
    """Give the configuration of a picture that can be passed on as it is. Raises Unseen."""
    if echo is None or echo.closed or echo.video is None:
        raise OffAir("The channel has no picture now; try again when it is on the air.")
    if echo.video.codec not in _CODECS:
        name = echo.video.codec.upper()
        said = f"The encoder sends {name}; a preview without delay needs H.264 or VP8."
        raise Unfit("codec", said)
    if echo.reordered is Reordered.YES:
        raise Unfit("b-frames", B_FRAMES)
    return echo.video


B_FRAMES: Final = (
    "The encoder sends B frames, which WebRTC cannot show: set them to 0 (in OBS: B-frames 0, or "
    "Tune zerolatency)."
)


def has_sound(audio: AudioConfig | None) -> bool:
    """Tell whether the publisher's sound can be passed on as it is."""
    return audio is not None and audio.codec is AudioCodec.OPUS


def sample(config: VideoConfig, unit: VideoUnit) -> bytes:
    """Give a picture as WebRTC packs it; a keyframe of H.264 has its parameter sets with it.

    Raises BitstreamError.
    """
    if config.codec is not VideoCodec.H264:
        return unit.data
    sets: tuple[bytes, ...] = ()
    if config.extradata[:1] == b"\x01":
        record = parse_avcc(config.extradata)
        nals = list(split_avcc(unit.data, record.length_size))
        sets = (*record.sps, *record.pps)
    else:
        nals = list(split_annexb(unit.data))
        sets = tuple(split_annexb(config.extradata))
    kept = [nal for nal in nals if nal[0] & 0x1F in _KEPT]
    if not kept:
        raise BitstreamError("a picture without a slice")
    if unit.keyframe and not any(nal[0] & 0x1F == NalType.SPS for nal in kept):
        kept = [*(nal for nal in sets if nal), *kept]
    return b"".join(_START + nal for nal in kept)


def profile(config: VideoConfig) -> int | None:
    """Give H.264's profile_idc, where the configuration tells it."""
    record = config.extradata
    return record[1] if len(record) > 3 and record[0] == 1 else None


class Line:
    """The publisher's stamps as one line that neither leaps nor goes back."""

    def __init__(self) -> None:
        self._shift = 0
        self._newest: int | None = None

    def at(self, pts: int) -> int:
        """Place a stamp of either track; 90 kHz ticks."""
        placed = pts + self._shift
        if self._newest is not None and abs(placed - self._newest) > LEAP:
            self._shift = self._newest - pts
            placed = self._newest
        self._newest = placed if self._newest is None else max(self._newest, placed)
        return placed


def hurried(count: int, newest: int, last: int | None) -> list[int]:
    """Stamp `count` pictures that are sent at once, so that the newest is shown now.

    `newest`: where the last of them belongs; `last`: the stamp that was sent before, which all lie
    behind. A receiver that saw their true times would play them in their time, late for ever.
    """
    first = newest - (count - 1) * STEP
    if last is not None:
        first = max(first, last + STEP)
    return [first + STEP * number for number in range(count)]
