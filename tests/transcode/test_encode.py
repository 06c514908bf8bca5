"""The encoder keeps to the grid whatever a profile asks of it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame

from overlay.tiles import ColorSpec
from tests.helpers.annexb import annexb
from transcode import nal
from transcode.encode import VideoEncoder
from transcode.errors import MediaError
from transcode.ladder import resolve
from transcode.profile import Profile, Rung

PROFILE = Profile("test", (Rung(90, 200_000),))
RATE = Fraction(30)


def noise(seed: int) -> VideoFrame:
    """A picture that has nothing in common with any other: a scene cut."""
    pixels = np.random.default_rng(seed).integers(0, 256, (135, 160), np.uint8)
    return VideoFrame.from_ndarray(pixels, "yuv420p")


def encoder(profile: Profile) -> VideoEncoder:
    (rendition,) = resolve(profile, 160, 90, RATE).renditions
    return VideoEncoder(profile, rendition, RATE, ColorSpec())


@pytest.mark.parametrize("options", [(), (("scenecut", "40"), ("bframes", "3"), ("me", "dia"))])
def test_key_pictures_are_where_they_are_asked_for_and_none_is_held_back(
    options: tuple[tuple[str, str], ...],
) -> None:
    made = encoder(replace(PROFILE, options=options))
    for number in range(12):
        (unit,) = made.encode(noise(number), number, key=number % 5 == 0)
        assert unit.key == (number % 5 == 0)
    assert made.flush() == []


def test_captions_of_the_source_are_not_in_one_rung_alone() -> None:
    made = encoder(PROFILE)
    (unit,) = made.encode(noise(0), 0, key=True)
    told = nal.parse_avcc(made.avcc)
    text = b"\xb5\x00\x31GA94\x03\xc1\xff\xfc\x94\x20\xff"
    captions = b"\x06\x04" + bytes([len(text)]) + text + b"\x80"
    stream = b"".join(b"\0\0\0\1" + each for each in (*told.sps, *told.pps, captions))
    decoder = av.CodecContext.create("h264", "r")
    frame, *_ = [
        *decoder.decode(av.Packet(stream + annexb(unit.data))),
        *decoder.decode(None),
    ]
    assert frame.side_data.get("A53_CC") is not None
    (again,) = encoder(PROFILE).encode(frame, 0, key=True)
    assert b"GA94" not in again.data


def test_an_unknown_encoder_is_named() -> None:
    with pytest.raises(MediaError, match="libx999"):
        encoder(replace(PROFILE, encoder="libx999"))
