"""What client and server tell each other in `connect` (Enhanced RTMP v2). Pure.

A client that announces nothing is answered as the original protocol has it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import IntFlag
from typing import Final

from ingest.rtmp import audio_track, video_track
from ingest.rtmp.amf0 import Value

_MAX_CODECS: Final = 64
_MAX_NAME: Final = 16


class CapsEx(IntFlag):
    RECONNECT = 0x01
    MULTITRACK = 0x02
    MOD_EX = 0x04
    TIMESTAMP_NANO_OFFSET = 0x08


class FourCcInfo(IntFlag):
    CAN_DECODE = 0x01
    CAN_ENCODE = 0x02
    CAN_FORWARD = 0x04


OURS: Final = CapsEx.RECONNECT | CapsEx.MULTITRACK | CapsEx.MOD_EX | CapsEx.TIMESTAMP_NANO_OFFSET
NONE: Final = CapsEx(0)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a client announced. FourCCs as it spells them, `*` (every codec) among them."""

    codecs: frozenset[str] = frozenset()
    video: dict[str, FourCcInfo] = field(default_factory=dict)
    audio: dict[str, FourCcInfo] = field(default_factory=dict)
    extended: CapsEx = NONE
    announced: bool = False
    """It said something of this at all, be it that it can nothing."""


def read_capabilities(properties: dict[str, Value]) -> Capabilities:
    """Read the command object of `connect`. What makes no sense is taken as not said.

    Lists may come as strict arrays, objects or ECMA arrays; maps as any of the two last, or
    as a bare list of codecs that can be decoded.
    """
    named = ("fourCcList", "videoFourCcInfoMap", "audioFourCcInfoMap", "capsEx")
    said, video, audio, extended = (properties.get(name) for name in named)
    return Capabilities(
        codecs=frozenset(_names(said)),
        video=_info_map(video),
        audio=_info_map(audio),
        extended=CapsEx(_flags(extended)),
        announced=any(name in properties for name in named),
    )


def announce() -> dict[str, Value]:
    """Give what this server can, as properties of an answer."""
    video, audio = list(video_track.FORMATS), list(audio_track.FORMATS)
    return {
        "fourCcList": [*video, *audio],
        "videoFourCcInfoMap": dict.fromkeys(video, float(FourCcInfo.CAN_DECODE)),
        "audioFourCcInfoMap": dict.fromkeys(audio, float(FourCcInfo.CAN_DECODE)),
        "capsEx": float(OURS),
    }


def _names(said: Value) -> list[str]:
    values = said if isinstance(said, list) else said.values() if isinstance(said, dict) else [said]
    names = [value for value in values if isinstance(value, str) and len(value) <= _MAX_NAME]
    return names[:_MAX_CODECS]


def _info_map(said: Value) -> dict[str, FourCcInfo]:
    if isinstance(said, dict):
        pairs = [(name, _flags(value)) for name, value in said.items() if len(name) <= _MAX_NAME]
    else:
        pairs = [(name, int(FourCcInfo.CAN_DECODE)) for name in _names(said)]
    return {name: FourCcInfo(flags) for name, flags in pairs[:_MAX_CODECS]}


def _flags(said: Value) -> int:
    """Give the bits that are defined: all lie in the lowest four."""
    if isinstance(said, bool) or not isinstance(said, float) or not math.isfinite(said):
        return 0
    return int(said) & 0x0F if 0 <= said <= 0xFFFFFFFF else 0
