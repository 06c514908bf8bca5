"""AudioSpecificConfig (ISO 14496-3, 1.6.2.1): rate and channels. Pure."""

from __future__ import annotations

from typing import Final

from ingest.errors import PeerError
from ingest.unit import AudioCodec, AudioConfig

_RATES: Final = (
    96_000,
    88_200,
    64_000,
    48_000,
    44_100,
    32_000,
    24_000,
    22_050,
    16_000,
    12_000,
    11_025,
    8_000,
    7_350,
)
_CHANNELS: Final = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 8, 11: 7, 12: 8, 14: 8}
_SBR: Final = 5
_PS: Final = 29
_ESCAPE: Final = 31
_TYPES: Final = frozenset((1, 2, 3, 4, _SBR, _PS))
"""Main, LC, SSR, LTP, and LC with SBR or PS: raw access units of 1024 samples."""
_BAD: Final = "AAC sequence header: "


def parse_asc(asc: bytes) -> AudioConfig:
    """Read an AudioSpecificConfig.

    `sample_rate` is the decoder's output rate: with explicit SBR the extension's,
    with parametric stereo 2 `channels`. Raises PeerError.
    """
    bits = _Bits(asc)
    kind = _object_type(bits)
    rate = _rate(bits)
    layout = bits.take(4)
    if kind in {_SBR, _PS}:
        rate = _rate(bits)
    if kind not in _TYPES:
        raise PeerError(_BAD + f"object type {kind} is not supported: use AAC-LC")
    channels = _CHANNELS.get(layout)
    if channels is None:
        raise PeerError(_BAD + f"channel configuration {layout} is not supported: use stereo")
    if kind == _PS:
        channels = 2
    return AudioConfig(AudioCodec.AAC, asc, rate, channels)


def _object_type(bits: _Bits) -> int:
    kind = bits.take(5)
    return 32 + bits.take(6) if kind == _ESCAPE else kind


def _rate(bits: _Bits) -> int:
    index = bits.take(4)
    rate = bits.take(24) if index == 15 else _RATES[index] if index < len(_RATES) else 0
    if not 7_000 <= rate <= 96_000:
        raise PeerError(_BAD + "the sample rate is out of bounds")
    return rate


class _Bits:
    __slots__ = ("_left", "_value")

    def __init__(self, data: bytes) -> None:
        head = data[:16]
        self._value = int.from_bytes(head, "big")
        self._left = len(head) * 8

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise PeerError(_BAD + "too short")
        return self._value >> self._left & ((1 << count) - 1)
