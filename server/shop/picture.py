"""Pictures of products: judged, decoded within bounds, made small. Pillow; no asyncio.

Only JPEG, PNG and WebP are opened, by their bytes and not by what anyone calls them. What is
stored is always our own encoding: metadata, odd colour models and trailing bytes stay behind.
"""

from __future__ import annotations

import hashlib
import io
import struct
import warnings

from PIL import Image as Pillow
from PIL import ImageOps

from server.errors import Invalid, Problem, TooLarge
from server.shop.catalogue import Image

MAX_BYTES = 8 * 1024 * 1024
MAX_PIXELS = 40_000_000
"""A 40-megapixel phone photo; about 160 MB while it is being decoded."""
MAX_SIDE = 640
_FORMATS = ("JPEG", "PNG", "WEBP")
# What Pillow raises on broken input, by its own documentation and by its decoders' code.
_BROKEN = (OSError, ValueError, SyntaxError, EOFError, struct.error, IndexError, TypeError)


def make_image(data: bytes) -> Image:
    """Turn a picture somebody sent into the one that is stored: at most 640 x 640 pixels.

    JPEG, or PNG where it has transparency. The same bytes give the same name. Raises TooLarge
    over MAX_BYTES, Invalid for what is no picture, is broken or has over MAX_PIXELS.
    """
    if len(data) > MAX_BYTES:
        raise TooLarge(f"A picture may have at most {MAX_BYTES} bytes.", MAX_BYTES)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Pillow.DecompressionBombWarning)
            picture = _decoded(data)
    except Invalid:
        raise
    except Pillow.DecompressionBombError as error:
        raise _invalid("has too many pixels") from error
    except _BROKEN as error:
        raise _invalid("is not a whole JPEG, PNG or WebP picture") from error
    return _encoded(picture)


def _decoded(data: bytes) -> Pillow.Image:
    with Pillow.open(io.BytesIO(data), formats=_FORMATS) as opened:
        width, height = opened.size
        if width * height > MAX_PIXELS:
            raise _invalid(f"has {width} x {height} pixels; {MAX_PIXELS} are allowed")
        opened.draft("RGB", (2 * MAX_SIDE, 2 * MAX_SIDE))  # JPEG decodes smaller at once
        upright = ImageOps.exif_transpose(opened)
        clear = "A" in upright.getbands() or "transparency" in upright.info
        picture = upright.convert("RGBA" if clear else "RGB")
    picture.thumbnail((MAX_SIDE, MAX_SIDE), Pillow.Resampling.LANCZOS)
    return picture


def _encoded(picture: Pillow.Image) -> Image:
    out = io.BytesIO()
    if picture.mode == "RGBA":
        extension, content_type = "png", "image/png"
        picture.save(out, "PNG", optimize=True)
    else:
        extension, content_type = "jpg", "image/jpeg"
        picture.save(out, "JPEG", quality=88, optimize=True, progressive=True)
    data = out.getvalue()
    return Image(f"{hashlib.sha256(data).hexdigest()}.{extension}", content_type, data)


def _invalid(problem: str) -> Invalid:
    return Invalid(Problem("image", problem))
