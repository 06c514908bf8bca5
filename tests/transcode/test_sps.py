"""The SPS of real encoders, and of none."""

from __future__ import annotations

from fractions import Fraction

import av
import pytest
from av.codec.context import Flags
from hypothesis import given
from hypothesis import strategies as st

from transcode.errors import BitstreamError
from transcode.nal import avcc_from_annexb, parse_avcc
from transcode.sps import Colour, parse_sps


def encoded_sps(
    width: int, height: int, rate: Fraction = Fraction(30), **options: str | int
) -> bytes:
    """Have x264 write an SPS."""
    context = av.CodecContext.create("libx264", "w")
    context.width, context.height = width, height
    context.pix_fmt = str(options.pop("pix_fmt", "yuv420p"))
    context.framerate = rate
    context.time_base = 1 / rate
    context.flags |= Flags.global_header
    for name in ("colorspace", "color_primaries", "color_trc", "color_range"):
        if name in options:
            setattr(context, name, options.pop(name))
    context.options = {name: str(value) for name, value in options.items()}
    context.open()
    return parse_avcc(avcc_from_annexb(context.extradata or b"")).sps[0]


@pytest.mark.parametrize(
    ("width", "height"), [(1920, 1080), (1080, 1920), (1280, 720), (854, 480), (66, 34), (16, 16)]
)
def test_size_after_cropping(width: int, height: int) -> None:
    sps = parse_sps(encoded_sps(width, height))
    assert (sps.width, sps.height) == (width, height)


@pytest.mark.parametrize("rate", [Fraction(30), Fraction(30000, 1001), Fraction(25), Fraction(60)])
def test_timing(rate: Fraction) -> None:
    assert parse_sps(encoded_sps(640, 360, rate)).frame_rate == rate


@pytest.mark.parametrize(
    ("profile", "told"),
    [("baseline", "Constrained Baseline 3.0"), ("main", "Main 3.0"), ("high", "High 3.0")],
)
def test_profile_and_level(profile: str, told: str) -> None:
    assert parse_sps(encoded_sps(640, 360, profile=profile)).profile == told


@pytest.mark.parametrize(
    ("pix_fmt", "told"),
    [
        ("yuv420p10le", "High 10 3.0"),
        ("yuv422p", "High 4:2:2 3.0"),
        ("yuv444p", "High 4:4:4 Predictive 3.0"),
    ],
)
def test_profiles_beyond_high_have_their_names(pix_fmt: str, told: str) -> None:
    assert parse_sps(encoded_sps(640, 360, pix_fmt=pix_fmt)).profile == told


@pytest.mark.parametrize("pix_fmt", ["yuv422p", "yuv444p", "yuv420p10le"])
def test_other_chroma_formats_and_depths(pix_fmt: str) -> None:
    sps = parse_sps(encoded_sps(642, 362, pix_fmt=pix_fmt))
    assert (sps.width, sps.height) == (642, 362)


def test_interlaced() -> None:
    sps = parse_sps(encoded_sps(720, 484, Fraction(25), **{"x264-params": "interlaced=1"}))
    assert (sps.width, sps.height) == (720, 484)


@pytest.mark.parametrize("sar", ["16/11", "4/3", "1/1", "7/5"])
def test_pixel_shape(sar: str) -> None:
    escaped = sar.replace("/", "\\:")
    encoded = encoded_sps(640, 480, Fraction(30), **{"x264-params": f"sar={escaped}"})
    assert parse_sps(encoded).sar == Fraction(sar)


def test_colour() -> None:
    plain = parse_sps(encoded_sps(640, 360))
    assert plain.colour is None
    told = encoded_sps(640, 360, colorspace=1, color_primaries=1, color_trc=1, color_range=1)
    assert parse_sps(told).colour == Colour(1, 1, 1, full_range=False)
    full = encoded_sps(640, 360, colorspace=6, color_primaries=6, color_trc=6, color_range=2)
    assert parse_sps(full).colour == Colour(6, 6, 6, full_range=True)


def test_the_end_of_an_sps_is_missed() -> None:
    sps = encoded_sps(640, 360)
    assert parse_sps(sps + b"\x00\x00").width == 640
    for cut in range(8):
        with pytest.raises(BitstreamError):
            parse_sps(sps[:cut])


@given(noise=st.binary(max_size=80), profile=st.sampled_from([66, 77, 100, 110, 244]))
def test_noise_is_read_or_refused_and_nothing_else(noise: bytes, profile: int) -> None:
    try:
        sps = parse_sps(bytes((0x67, profile, 0, 31)) + noise)
    except BitstreamError:
        return
    assert 0 < sps.width <= 16384
    assert 0 < sps.height <= 16384
    assert sps.sar > 0
