from __future__ import annotations

import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from overlay.errors import BrokenImage
from overlay.picture import MAX_BYTES, square
from tests.overlay.cards import picture


def png_header(width: int, height: int) -> bytes:
    """Make the start of a PNG that promises `width` x `height` pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 64))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("size", [(90, 120), (300, 40), (8, 8)])
def test_any_shape_covers_the_square(kind: str, size: tuple[int, int]) -> None:
    pixels = square(picture((200, 40, 60), size, kind), 50)
    assert pixels.shape == (50, 50, 3)
    assert pixels.dtype == np.uint8
    assert np.abs(pixels.astype(int) - (200, 40, 60)).max() <= 6


def test_the_middle_is_kept() -> None:
    image = Image.new("RGB", (300, 100), (255, 0, 0))
    image.paste((0, 0, 255), (100, 0, 200, 100))
    file = io.BytesIO()
    image.save(file, "PNG")
    pixels = square(file.getvalue(), 40)
    assert (pixels[5:-5, 5:-5] == (0, 0, 255)).all()


def test_transparency_lies_on_white() -> None:
    assert (square(picture((0, 0, 0, 0)), 20) == 255).all()


def test_the_exif_orientation_is_honoured() -> None:
    image = Image.new("RGB", (40, 40), (255, 255, 255))
    image.paste((0, 0, 0), (0, 0, 40, 20))
    exif = Image.Exif()
    exif[0x0112] = 3
    file = io.BytesIO()
    image.save(file, "JPEG", exif=exif)
    pixels = square(file.getvalue(), 40)
    assert pixels[:15].mean() > 240
    assert pixels[25:].mean() < 15


def test_grey_and_palette_pictures_are_taken() -> None:
    for mode in ("L", "P", "LA", "1", "I;16"):
        file = io.BytesIO()
        Image.new(mode, (20, 20)).save(file, "PNG")
        assert square(file.getvalue(), 10).shape == (10, 10, 3)


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"<svg/>", b"\xff\xd8\xff", b"RIFF0000WEBP"])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(BrokenImage):
        square(data, 20)


def test_formats_beyond_the_three_are_refused() -> None:
    with pytest.raises(BrokenImage):
        square(picture(kind="BMP"), 20)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_cut_short_is_refused(kind: str) -> None:
    rng = np.random.default_rng(3)
    file = io.BytesIO()
    Image.fromarray(rng.integers(0, 255, (80, 80, 3), np.uint8)).save(file, kind)
    whole = file.getvalue()
    with pytest.raises(BrokenImage):
        square(whole[: len(whole) // 2], 20)


@pytest.mark.parametrize("size", [(6000, 6000), (10_000, 10_000), (65_000, 65_000), (4, 900)])
def test_sizes_out_of_bounds_are_refused_before_decoding(size: tuple[int, int]) -> None:
    with pytest.raises(BrokenImage):
        square(png_header(*size), 20)


def test_too_many_bytes_are_refused() -> None:
    with pytest.raises(BrokenImage, match="bytes"):
        square(picture() + b"\0" * MAX_BYTES, 20)


@given(st.sampled_from(["PNG", "JPEG", "WEBP"]), st.data())
def test_damage_is_refused_or_survived(kind: str, data: st.DataObject) -> None:
    damaged = bytearray(picture(kind=kind))
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(BrokenImage):
        assert square(bytes(damaged), 16).shape == (16, 16, 3)
