"""Enhanced RTMP tags and the records that they begin with, as FFmpeg's encoders make them."""

from __future__ import annotations

from ingest.rtmp.ex_tag import AudioPacketType, Multitrack, VideoPacketType

HVCC = bytes.fromhex(
    "0101600000009000000000003cf000fcfdf8f800000f03"
    "200001001840010c01ffff01600000030090000003000003003c959409"
    "210001002a42010101600000030090000003000003003ca00a080c1f3e595952930b9a020000030002000003003c10"
    "22000100064401c073c189"
)
"""Main 2.0, 320x180, from x265; lengths of 4 bytes."""
AV1C = bytes.fromhex("81000c000a0b000000043cfecc02f80040")
"""Main 2.0, 320x180, from SVT-AV1."""
VPCC = bytes.fromhex("01000000000b820202020000")
"""VP9 profile 0, behind its box's version, as FFmpeg sends it."""
OPUS_HEAD = b"OpusHead" + bytes.fromhex("0102380180bb0000000000")
STREAM_INFO = bytes.fromhex("1200120000000e00000e0bb802f000002800ab893875d697a3145af5eed5309bee26")
"""FLAC: 48 kHz, stereo."""
AC3_FRAME = bytes.fromhex("0b775052144043e106f46370808082101010415c")
EAC3_FRAME = bytes.fromhex("0b77017f3487c0002000000045008c0404040101")
MP3_FRAME = bytes.fromhex("fffb9464000ff000006900000008")
"""Heads of frames, all of 48 kHz stereo."""
OPUS_FRAME = b"\xfc\xff\xfe"
COLOUR = bytes.fromhex("020009636f6c6f72496e666f03000b636f6c6f72436f6e66696703000009000009")
"""An AMF0 pair: colorInfo with an empty colorConfig."""


def mod_ex(data: bytes, kind: int = 0) -> tuple[bytes, int]:
    """A modifier: its size and data, and its type."""
    size = len(data) - 1
    short = size < 255
    return (bytes((size,)) if short else b"\xff" + size.to_bytes(2, "big")) + data, kind


def nano(nanoseconds: int) -> tuple[bytes, int]:
    return mod_ex(nanoseconds.to_bytes(3, "big"))


def video(
    kind: int,
    four_cc: str,
    data: bytes = b"",
    *,
    frame_type: int = 1,
    modifiers: tuple[tuple[bytes, int], ...] = (),
) -> bytes:
    head = _head(0x80 | frame_type << 4, kind, modifiers, VideoPacketType.MOD_EX)
    return head + four_cc.encode() + data


def audio(
    kind: int, four_cc: str, data: bytes = b"", *, modifiers: tuple[tuple[bytes, int], ...] = ()
) -> bytes:
    return _head(0x90, kind, modifiers, AudioPacketType.MOD_EX) + four_cc.encode() + data


def video_tracks(
    layout: Multitrack, kind: int, tracks: list[tuple[int, str, bytes]], *, frame_type: int = 1
) -> bytes:
    head = bytes((0x80 | frame_type << 4 | VideoPacketType.MULTITRACK,))
    return head + _tracks(layout, kind, tracks)


def audio_tracks(layout: Multitrack, kind: int, tracks: list[tuple[int, str, bytes]]) -> bytes:
    return bytes((0x90 | AudioPacketType.MULTITRACK,)) + _tracks(layout, kind, tracks)


def avc(composition_ms: int, data: bytes) -> bytes:
    """A coded frame of a codec with NAL units: its composition time goes first."""
    return composition_ms.to_bytes(3, "big", signed=True) + data


def _head(
    first: int, kind: int, modifiers: tuple[tuple[bytes, int], ...], mod_ex_type: int
) -> bytes:
    kinds = [mod_ex_type] * len(modifiers) + [kind]
    out = bytearray((first | kinds[0],))
    for (sized, modifier), following in zip(modifiers, kinds[1:], strict=True):
        out += sized
        out.append(modifier << 4 | following)
    return bytes(out)


def _tracks(layout: Multitrack, kind: int, tracks: list[tuple[int, str, bytes]]) -> bytes:
    many_codecs = layout == Multitrack.MANY_TRACKS_MANY_CODECS
    out = bytearray((layout << 4 | kind,))
    if not many_codecs:
        out += tracks[0][1].encode()
    for number, four_cc, data in tracks:
        out += four_cc.encode() if many_codecs else b""
        out.append(number)
        if layout != Multitrack.ONE_TRACK:
            out += len(data).to_bytes(3, "big")
        out += data
    return bytes(out)
