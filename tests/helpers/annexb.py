"""Samples in the form in which decoders and transport streams take them."""

from __future__ import annotations

from transcode.nal import START_CODE, split_avcc


def annexb(sample: bytes, length_size: int = 4) -> bytes:
    """Turn a length-prefixed sample into Annex B. Raises BitstreamError."""
    return b"".join(b"\x00" + START_CODE + nal for nal in split_avcc(sample, length_size))
