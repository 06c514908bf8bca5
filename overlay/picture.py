"""A product's picture: an untrusted encoded image to a small square of RGB, within bounds."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from overlay.errors import BrokenImage

FORMATS = ("JPEG", "PNG", "WEBP")
MAX_BYTES = 8 * 1024 * 1024
MAX_PIXELS = 25_000_000
"""Stops the small file that decodes to gigabytes; a 24-megapixel photograph passes."""

_SHORTEST_SIDE = 8

# Pillow reports a damaged file by any of these.
_DAMAGED = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    EOFError,
    OverflowError,
    MemoryError,
)


def square(data: bytes, side: int) -> NDArray[np.uint8]:
    """Decode an image and scale its middle square to `side` x `side` RGB.

    Honours the EXIF orientation; transparency is laid over white; of an animation the
    first picture counts. Raises BrokenImage for what is not a JPEG, PNG or WebP, is cut
    short, or lies outside MAX_BYTES, MAX_PIXELS and 8 pixels a side.
    """
    if len(data) > MAX_BYTES:
        raise BrokenImage(f"image has {len(data)} bytes; at most {MAX_BYTES} are taken")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _judge_size(image.width, image.height)
            # JPEG only: scale down while decoding. Never below what is needed.
            image.draft("RGB", (side, side))
            return _cover(_opaque(ImageOps.exif_transpose(image)), side)
    except _DAMAGED as error:
        raise BrokenImage(f"image cannot be decoded: {error}") from error


def _judge_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise BrokenImage(f"image is {width}x{height}; at most {MAX_PIXELS} pixels are taken")
    if min(width, height) < _SHORTEST_SIDE:
        raise BrokenImage(f"image is {width}x{height}; a side has at least {_SHORTEST_SIDE}")


def _opaque(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    pixels = image.convert("RGBA")
    ground = Image.new("RGBA", pixels.size, "white")
    return Image.alpha_composite(ground, pixels).convert("RGB")


def _cover(image: Image.Image, side: int) -> NDArray[np.uint8]:
    short = min(image.size)
    left, top = (image.width - short) / 2, (image.height - short) / 2
    scaled = image.resize(
        (side, side),
        Image.Resampling.LANCZOS,
        box=(left, top, left + short, top + short),
        reducing_gap=3.0,
    )
    return np.asarray(scaled, np.uint8)
