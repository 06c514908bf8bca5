"""Headers of audio frames that describe themselves: MPEG audio, AC-3, E-AC-3. Pure.

These codecs have no sequence header; a track is opened by the first frame.
"""

from __future__ import annotations

from typing import Final

from ingest.unit import AudioCodec, AudioConfig

_MPEG_RATES: Final = (44_100, 48_000, 32_000)
_MPEG_SHIFTS: Final = {3: 0, 2: 1, 0: 2}
"""MPEG-1, MPEG-2 and MPEG-2.5 by the header's version: each halves the rates again."""
_LAYER_3: Final = 1
_MONO: Final = 3

_AC3_SYNC: Final = b"\x0b\x77"
_AC3_RATES: Final = (48_000, 44_100, 32_000)
_AC3_CHANNELS: Final = (2, 1, 2, 3, 3, 4, 4, 5)
"""By acmod (ATSC A/52, table 5.8), without the low frequency channel."""
_EAC3_FROM: Final = 11


def begin_mp3(frame: bytes) -> AudioConfig | None:
    """Read an MPEG audio header of layer III (ISO 11172-3, 2.4.1.3); None if it is none."""
    if len(frame) < 4 or frame[0] != 0xFF or frame[1] & 0xE0 != 0xE0:
        return None
    version, layer = frame[1] >> 3 & 3, frame[1] >> 1 & 3
    bitrate, rate = frame[2] >> 4, frame[2] >> 2 & 3
    if version not in _MPEG_SHIFTS or layer != _LAYER_3 or bitrate == 15 or rate == 3:
        return None
    channels = 1 if frame[3] >> 6 == _MONO else 2
    return AudioConfig(AudioCodec.MP3, b"", _MPEG_RATES[rate] >> _MPEG_SHIFTS[version], channels)


def begin_ac3(frame: bytes) -> AudioConfig | None:
    """Read an AC-3 or E-AC-3 sync frame (ATSC A/52, 5.3 and E.1.2); None if it is none."""
    if len(frame) < 7 or not frame.startswith(_AC3_SYNC):
        return None
    bsid = frame[5] >> 3
    if bsid >= _EAC3_FROM:
        return _eac3(frame) if bsid <= 16 else None
    rate = frame[4] >> 6
    if rate == 3:
        return None
    acmod = frame[6] >> 5
    # Levels of 2 bits each stand before lfeon, by acmod: centre, surround, Dolby Surround.
    skip = 2 * ((acmod in {3, 5, 7}) + (acmod >= 4) + (acmod == 2))
    lfe = frame[6] >> (4 - skip) & 1
    return AudioConfig(
        AudioCodec.AC3, b"", _AC3_RATES[rate] >> max(bsid - 8, 0), _AC3_CHANNELS[acmod] + lfe
    )


def _eac3(frame: bytes) -> AudioConfig | None:
    rate = frame[4] >> 6
    if rate == 3:
        half = frame[4] >> 4 & 3
        if half == 3:
            return None
        rate_hz = _AC3_RATES[half] // 2
    else:
        rate_hz = _AC3_RATES[rate]
    channels = _AC3_CHANNELS[frame[4] >> 1 & 7] + (frame[4] & 1)
    return AudioConfig(AudioCodec.EAC3, b"", rate_hz, channels)
