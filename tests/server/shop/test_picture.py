from __future__ import annotations

import contextlib
import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from server.errors import Invalid, TooLarge
from server.shop import picture
from server.shop.picture import make_image


def encoded(width: int, height: int, form: str = "PNG", mode: str = "RGB", **more: Any) -> bytes:
    ramp = np.linspace(0, 255, width * height * 3, dtype=np.uint8).reshape(height, width, 3)
    out = io.BytesIO()
    Pillow.fromarray(ramp).convert(mode).save(out, form, **more)
    return out.getvalue()


def opened(data: bytes) -> Pillow.Image:
    image = Pillow.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize(
    ("size", "stored"), [((2000, 1000), (640, 320)), ((30, 50), (30, 50)), ((1, 1), (1, 1))]
)
def test_pictures_are_made_small_never_larger(
    form: str, size: tuple[int, int], stored: tuple[int, int]
) -> None:
    image = make_image(encoded(*size, form=form))
    assert opened(image.data).size == stored
    assert (image.content_type, image.name[64:]) == ("image/jpeg", ".jpg")


def test_the_same_picture_has_the_same_name() -> None:
    assert make_image(encoded(9, 9)) == make_image(encoded(9, 9))
    assert make_image(encoded(9, 9)).name != make_image(encoded(9, 8)).name


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_stays(mode: str) -> None:
    image = make_image(encoded(20, 20, mode=mode))
    assert image.content_type == "image/png"
    assert opened(image.data).mode == "RGBA"


@pytest.mark.parametrize(("form", "mode"), [("JPEG", "CMYK"), ("JPEG", "L"), ("PNG", "P")])
def test_other_colour_models_become_rgb(form: str, mode: str) -> None:
    assert opened(make_image(encoded(20, 20, form, mode)).data).mode == "RGB"


def test_the_cameras_turn_is_applied_and_its_notes_left_behind() -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "where I live"
    image = make_image(encoded(40, 20, "JPEG", exif=exif))
    assert opened(image.data).size == (20, 40)
    assert b"where I live" not in image.data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a" + bytes(100),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        encoded(20, 20, "GIF"),
        encoded(20, 20, "BMP"),
        encoded(200, 200)[:-300],
        encoded(200, 200, "JPEG")[:400],
        encoded(20, 20, "WEBP")[:60],
    ],
)
def test_what_is_no_whole_picture_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        make_image(data)
    assert caught.value.problems[0].field == "image"


def test_a_bomb_is_refused_by_its_header() -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + checksum

    for width, height in ((60_000, 60_000), (9_000, 9_000)):
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        bomb = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000)))
        with pytest.raises(Invalid, match="pixels"):
            make_image(bomb)


def test_too_many_bytes_are_not_even_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "MAX_BYTES", 10)
    with pytest.raises(TooLarge):
        make_image(bytes(11))


_WHOLE = {form: encoded(24, 24, form) for form in ("PNG", "JPEG", "WEBP")}


@settings(max_examples=150)
@given(st.sampled_from(sorted(_WHOLE)), st.integers(0, 10_000), st.binary(min_size=1, max_size=8))
def test_damage_never_raises_anything_else(form: str, place: int, bytes_: bytes) -> None:
    data = bytearray(_WHOLE[form])
    start = place % len(data)
    data[start : start + len(bytes_)] = bytes_
    with contextlib.suppress(Invalid):
        make_image(bytes(data))
