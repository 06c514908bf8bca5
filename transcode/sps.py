"""The H.264 sequence parameter set: size, level, pixel shape, colour, timing.

Pure. Source: ITU-T H.264 7.3.2.1.1 (SPS), 9.1 (Exp-Golomb), Annex E.1 (VUI).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from transcode.errors import BitstreamError
from transcode.nal import NalType

_WITH_CHROMA_FORMAT = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
_PROFILE_NAMES = {
    44: "CAVLC 4:4:4 Intra",
    66: "Baseline",
    77: "Main",
    88: "Extended",
    100: "High",
    110: "High 10",
    122: "High 4:2:2",
    244: "High 4:4:4 Predictive",
}
"""Annex A.2."""
_EXTENDED_SAR = 255
_SAR = (
    (1, 1), (12, 11), (10, 11), (16, 11), (40, 33), (24, 11), (20, 11), (32, 11),
    (80, 33), (18, 11), (15, 11), (64, 33), (160, 99), (4, 3), (3, 2), (2, 1),
)  # fmt: skip
"""Table E-1, from aspect_ratio_idc 1."""
_MAX_MACROBLOCKS = 1024
"""A side of 16,384 pixels: beyond every level."""


@dataclass(frozen=True, slots=True)
class Colour:
    """Code points of ISO/IEC 23091-2; 2 is unspecified."""

    primaries: int = 2
    transfer: int = 2
    matrix: int = 2
    full_range: bool = False


@dataclass(frozen=True, slots=True)
class Sps:
    profile_idc: int
    constraints: int
    """The byte of constraint flags."""
    level_idc: int
    """Ten times the level: 31 is 3.1."""
    width: int
    """Pixels after cropping."""
    height: int
    sar: Fraction
    """Shape of a pixel, width / height; 1 when not told."""
    frame_rate: Fraction | None
    """From the VUI's timing; None when not told or nonsense."""
    colour: Colour | None
    """None when not told."""

    @property
    def profile(self) -> str:
        """The profile and level as people write them, e.g. `High 3.1`."""
        name = _PROFILE_NAMES.get(self.profile_idc, f"profile {self.profile_idc}")
        if self.profile_idc == 66 and self.constraints & 0x40:
            name = "Constrained Baseline"
        return f"{name} {self.level_idc / 10:.1f}"


class _Bits:
    """Reads a NAL unit's payload bit by bit, emulation prevention bytes taken out (7.3.1)."""

    def __init__(self, nal: bytes) -> None:
        rbsp = nal[1:].replace(b"\x00\x00\x03", b"\x00\x00")
        self._value = int.from_bytes(rbsp, "big")
        self._left = len(rbsp) * 8

    def u(self, bits: int) -> int:
        if bits > self._left:
            raise BitstreamError("the SPS ends too early")
        self._left -= bits
        return (self._value >> self._left) & ((1 << bits) - 1)

    def flag(self) -> bool:
        return self.u(1) == 1

    def ue(self) -> int:
        zeros = 0
        while not self.u(1):
            zeros += 1
            if zeros > 31:
                raise BitstreamError("an Exp-Golomb code of the SPS is too long")
        return (1 << zeros) - 1 + self.u(zeros)

    def se(self) -> int:
        code = self.ue()
        return (code + 1) // 2 if code & 1 else -(code // 2)


def parse_sps(nal: bytes) -> Sps:
    """Read an SPS NAL unit (its header byte included). Raises BitstreamError."""
    if not nal or nal[0] & 0x1F != NalType.SPS:
        raise BitstreamError("not an SPS")
    bits = _Bits(nal)
    profile_idc, constraints, level_idc = bits.u(8), bits.u(8), bits.u(8)
    bits.ue()  # seq_parameter_set_id
    chroma = _chroma_format(bits) if profile_idc in _WITH_CHROMA_FORMAT else 1
    bits.ue()  # log2_max_frame_num_minus4
    _skip_order_count(bits)
    bits.ue()  # max_num_ref_frames
    bits.u(1)  # gaps_in_frame_num_value_allowed_flag
    width, height = _size(bits, chroma)
    sar, colour, frame_rate = _vui(bits) if bits.flag() else (Fraction(1), None, None)
    return Sps(profile_idc, constraints, level_idc, width, height, sar, frame_rate, colour)


def _chroma_format(bits: _Bits) -> int:
    chroma = bits.ue()
    if chroma > 3:
        raise BitstreamError(f"chroma_format_idc {chroma}")
    separate = bits.flag() if chroma == 3 else False
    bits.ue()  # bit_depth_luma_minus8
    bits.ue()  # bit_depth_chroma_minus8
    bits.u(1)  # qpprime_y_zero_transform_bypass_flag
    if bits.flag():
        for index in range(12 if chroma == 3 else 8):
            if bits.flag():
                _skip_scaling_list(bits, 16 if index < 6 else 64)
    return 0 if separate else chroma


def _skip_scaling_list(bits: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.se() + 256) % 256
        last = following or last


def _skip_order_count(bits: _Bits) -> None:
    kind = bits.ue()
    if kind == 0:
        bits.ue()  # log2_max_pic_order_cnt_lsb_minus4
    elif kind == 1:
        bits.u(1)  # delta_pic_order_always_zero_flag
        bits.se()  # offset_for_non_ref_pic
        bits.se()  # offset_for_top_to_bottom_field
        count = bits.ue()
        if count > 255:
            raise BitstreamError("num_ref_frames_in_pic_order_cnt_cycle above 255")
        for _ in range(count):
            bits.se()
    elif kind != 2:
        raise BitstreamError(f"pic_order_cnt_type {kind}")


def _size(bits: _Bits, chroma: int) -> tuple[int, int]:
    across, down = bits.ue() + 1, bits.ue() + 1
    fields = 1 if bits.flag() else 2  # frame_mbs_only_flag
    if fields == 2:
        bits.u(1)  # mb_adaptive_frame_field_flag
    bits.u(1)  # direct_8x8_inference_flag
    if across > _MAX_MACROBLOCKS or down * fields > _MAX_MACROBLOCKS:
        raise BitstreamError("a picture beyond every level")
    width, height = across * 16, down * fields * 16
    if bits.flag():  # frame_cropping_flag, 7-19 to 7-22
        unit_x = 2 if chroma in (1, 2) else 1
        unit_y = (2 if chroma == 1 else 1) * fields
        width -= (bits.ue() + bits.ue()) * unit_x
        height -= (bits.ue() + bits.ue()) * unit_y
    if width <= 0 or height <= 0:
        raise BitstreamError("the SPS crops the whole picture away")
    return width, height


def _vui(bits: _Bits) -> tuple[Fraction, Colour | None, Fraction | None]:
    sar = Fraction(1)
    if bits.flag():  # aspect_ratio_info_present_flag
        idc = bits.u(8)
        if idc == _EXTENDED_SAR:
            across, down = bits.u(16), bits.u(16)
            sar = Fraction(across, down) if across and down else sar
        elif 1 <= idc <= len(_SAR):
            sar = Fraction(*_SAR[idc - 1])
    if bits.flag():  # overscan_info_present_flag
        bits.u(1)
    colour = _colour(bits) if bits.flag() else None
    if bits.flag():  # chroma_loc_info_present_flag
        bits.ue()
        bits.ue()
    frame_rate = None
    if bits.flag():  # timing_info_present_flag; a tick is a field (E.2.1)
        tick, scale = bits.u(32), bits.u(32)
        frame_rate = Fraction(scale, 2 * tick) if tick and scale else None
    return sar, colour, frame_rate


def _colour(bits: _Bits) -> Colour:
    bits.u(3)  # video_format
    full_range = bits.flag()
    if not bits.flag():  # colour_description_present_flag
        return Colour(full_range=full_range)
    return Colour(bits.u(8), bits.u(8), bits.u(8), full_range)
