"""Pictures become H.264 access units with key pictures exactly where they are asked for.

Imports PyAV. Runs in the worker only.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple, cast

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame

from overlay.tiles import ColorSpec, Matrix
from transcode import nal
from transcode.errors import MediaError
from transcode.ladder import Profile, Rendition

_SPECIAL = re.compile(r"[\\':\s]")
_MATRIX_TAGS = {Matrix.BT601: 6, Matrix.BT709: 1}
"""ISO/IEC 23091-2 code points: 6 is BT.601 (525), 1 is BT.709."""


def _libx264(profile: Profile, rendition: Rendition) -> dict[str, str]:
    wished = dict(profile.options)
    # With the preset, before all parameters: x264 does not take it for one of them.
    tune = {"tune": wished.pop("tune")} if "tune" in wished else {}
    parameters = {
        # No look-ahead: it holds pictures back. One thread a rendition: the renditions
        # already run side by side, and frame threads hold pictures back.
        "rc-lookahead": "0",
        "sync-lookahead": "0",
        "mbtree": "0",
        "sliced-threads": "0",
        "threads": "1",
        **wished,
        # Not for a profile to change: scene cuts must not move the IDR grid that all
        # renditions share, and pictures are cut in the order in which they are shown.
        "scenecut": "0",
        "bframes": "0",
        "force-cfr": "1",
    }
    return {
        "preset": profile.preset,
        **tune,
        "profile": "high",
        "forced-idr": "1",
        # Captions of the source would be in the rung of its own size alone.
        "a53cc": "0",
        "maxrate": str(rendition.max_rate),
        "bufsize": str(rendition.buffer_size),
        "x264-params": ":".join(f"{key}={_escaped(value)}" for key, value in parameters.items()),
    }


def _escaped(value: str) -> str:
    r"""Keep a value in one piece: libav ends it at a colon (`deblock: "1:1"`)."""
    return _SPECIAL.sub(r"\\\g<0>", value)


ENCODERS: dict[str, Callable[[Profile, Rendition], dict[str, str]]] = {"libx264": _libx264}
"""Encoder name (libav's) to its options. One row an encoder."""


def _words(error: av.FFmpegError | ValueError) -> str:
    """Give what the encoder said; libav's own text quotes the whole call at whoever reads it."""
    if isinstance(error, av.FFmpegError):
        # Level, name, text; PyAV's stub says otherwise.
        said = cast("tuple[int, str, str] | None", error.log)
        return (said[2] if said else str(error.strerror)).strip()
    return str(error)


class AccessUnit(NamedTuple):
    """One encoded picture in decode order, NAL units length-prefixed (4 bytes).

    A tuple and not a dataclass: one is made for every frame of every rung.
    """

    data: bytes
    key: bool


class VideoEncoder:
    """Encodes one rendition at a constant frame rate."""

    def __init__(
        self, profile: Profile, rendition: Rendition, frame_rate: Fraction, color: ColorSpec
    ) -> None:
        """Open the encoder. Raises MediaError when libav or x264 refuses a setting."""
        options = ENCODERS.get(profile.encoder)
        if options is None:
            known = ", ".join(sorted(ENCODERS))
            raise MediaError(f"encoder {profile.encoder!r} is unknown; known: {known}")
        try:
            context = cast("VideoCodecContext", av.CodecContext.create(profile.encoder, "w"))
            context.width, context.height = rendition.width, rendition.height
            context.pix_fmt = "yuv420p"
            context.framerate = frame_rate
            context.time_base = 1 / frame_rate
            context.bit_rate = rendition.bitrate
            context.thread_count = 1
            context.gop_size = 1 << 20
            context.color_range = 2 if color.full_range else 1
            context.colorspace = _MATRIX_TAGS[color.matrix]
            context.color_primaries = _MATRIX_TAGS[color.matrix]
            context.color_trc = _MATRIX_TAGS[color.matrix]
            context.flags |= av.codec.context.Flags.global_header
            context.options = options(profile, rendition)
            context.open()
        except (av.FFmpegError, ValueError) as error:
            said = f"{profile.encoder} refused: {_words(error)}"
            raise MediaError(f"{rendition.name}: {said}") from error
        self._context = context
        self._time_base = 1 / frame_rate
        self.avcc: bytes = nal.avcc_from_annexb(context.extradata or b"")
        """AVCDecoderConfigurationRecord of what is encoded."""

    def encode(self, frame: VideoFrame, number: int, key: bool) -> list[AccessUnit]:
        """Encode frame `number`, as an IDR picture when `key`.

        `frame` is yuv420p of the rendition's size and is read before this returns.
        """
        frame.pts = number
        frame.time_base = self._time_base
        frame.pict_type = PictureType.I if key else PictureType.NONE
        return self._units(frame)

    def flush(self) -> list[AccessUnit]:
        """Give what the encoder still holds. It is spent after."""
        return self._units(None)

    def _units(self, frame: VideoFrame | None) -> list[AccessUnit]:
        return [
            AccessUnit(nal.avcc_sample(bytes(packet)), packet.is_keyframe)
            for packet in self._context.encode(frame)
        ]
