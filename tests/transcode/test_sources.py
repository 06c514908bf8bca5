"""Sources of every rate, size, format and orientation: ingest.md, media."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from ingest.unit import AudioCodec, AudioConfig, AudioUnit, Unit, VideoCodec, VideoConfig, VideoUnit
from tests.helpers.clips import read_number
from tests.helpers.footage import Footage, Soundtrack, film, record, shifted, together
from tests.helpers.promises import end_ms, hold
from tests.helpers.rare import rare
from tests.helpers.rendered import Picture, beeps, parts, pictures, skews, sound, track
from tests.helpers.worker_run import Run, transcode
from transcode.message import Health, Up

pytestmark = pytest.mark.slow  # each is short, but there are many

SYNC = 0.040
SECOND = 90_000
SOUND = record(Soundtrack(seconds=4.0))
AVERAGE = 12.0


def numbers(made: list[Up], epoch: int = 0, name: str = "180p") -> list[int]:
    return [read_number(one.luma) for one in pictures(made, name, epoch)]


def size(made: list[Up], epoch: int = 0, name: str = "180p") -> tuple[int, int]:
    found = track(made, name, epoch)
    first = pictures(made, name, epoch)[0].luma
    assert first.shape == (found.height, found.width)
    return found.width, found.height


@pytest.mark.parametrize(
    ("rate", "out"),
    [
        rare(Fraction(10), Fraction(20)),
        rare(Fraction(15), Fraction(15)),
        (Fraction(24_000, 1001), Fraction(24_000, 1001)),
        rare(Fraction(24), Fraction(24)),
        (Fraction(25), Fraction(25)),
        (Fraction(30_000, 1001), Fraction(30_000, 1001)),
        (Fraction(50), Fraction(50)),
        (Fraction(60_000, 1001), Fraction(60_000, 1001)),
        (Fraction(60), Fraction(60)),
        rare(Fraction(120), Fraction(60)),
    ],
    ids=str,
)
def test_every_frame_rate_keeps_its_pictures_in_sync(rate: Fraction, out: Fraction) -> None:
    footage = Footage(seconds=4.0, rate=rate)
    made = transcode(together(film(footage), SOUND))
    (epoch,) = hold(made)
    assert epoch.tracks[0].frame_rate == out
    seen = numbers(made)
    assert len(seen) == pytest.approx(4 * out, abs=2)
    step = max(1, round(rate / out))
    assert set(seen) >= set(range(0, round(4 * rate), step)) - {round(4 * rate) - 1}
    found = skews(made, "180p", footage.moments)
    assert len(found) >= 3
    assert max(map(abs, found)) <= SYNC


@pytest.mark.parametrize(
    ("width", "height", "out"),
    [
        (180, 320, (180, 320)),
        (1080, 1920, (180, 320)),
        (848, 480, (318, 180)),
        (66, 66, (66, 66)),
        (640, 180, (640, 180)),
        rare(4096, 2160, (342, 180)),
    ],
)
def test_every_size_fits_the_ladder(width: int, height: int, out: tuple[int, int]) -> None:
    made = transcode(together(film(Footage(seconds=1.0, width=width, height=height)), SOUND[:60]))
    (epoch,) = hold(made)
    name = epoch.tracks[0].name
    assert size(made, name=name) == out
    assert all(one.width % 2 == 0 and one.height % 2 == 0 for one in epoch.tracks)
    assert numbers(made, name=name)[:30] == list(range(30))


@pytest.mark.parametrize(
    ("codec", "encoder", "pix_fmt"),
    [
        (VideoCodec.VP9, "libvpx-vp9", "yuv420p"),
        (VideoCodec.H264, "libx264", "yuv444p"),
    ],
)
@pytest.mark.parametrize(("width", "height"), [(853, 480), rare(1279, 719), (97, 161)])
def test_odd_sizes(codec: VideoCodec, encoder: str, pix_fmt: str, width: int, height: int) -> None:
    footage = Footage(
        seconds=1.0, width=width, height=height, codec=codec, encoder=encoder, pix_fmt=pix_fmt
    )
    made = transcode(film(footage))
    (epoch,) = hold(made)
    best = epoch.tracks[0]
    assert (best.width % 2, best.height % 2) == (0, 0)
    assert best.width / best.height == pytest.approx(width / height, rel=0.03)
    assert numbers(made, name=best.name) == list(range(30))


@pytest.mark.parametrize(
    ("shape", "out"),
    [(Fraction(4, 3), (320, 180)), (Fraction(3, 4), (180, 180)), (Fraction(1), (240, 180))],
    ids=["wide-pixels", "tall-pixels", "square-pixels"],
)
def test_pixels_that_are_not_square(shape: Fraction, out: tuple[int, int]) -> None:
    made = transcode(film(Footage(seconds=1.0, width=240, height=180, shape=shape)))
    hold(made)
    assert size(made) == out


def test_the_shape_of_the_pixels_changes_on_air() -> None:
    first = film(Footage(seconds=1.0, width=240, height=180))
    second = film(Footage(seconds=1.0, width=240, height=180, shape=Fraction(4, 3)))
    made = transcode([*first, *shifted(second, SECOND)])
    assert len(hold(made)) == 2
    assert (size(made, 0), size(made, 1)) == ((240, 180), (320, 180))


@pytest.mark.parametrize(
    ("pix_fmt", "encoder", "codec"),
    [
        ("yuv420p10le", "libx264", VideoCodec.H264),
        ("yuv422p", "libx264", VideoCodec.H264),
        ("yuv422p10le", "libx264", VideoCodec.H264),
        ("yuv444p", "libx264", VideoCodec.H264),
        ("yuv420p10le", "libx265", VideoCodec.HEVC),
        ("yuv444p", "libx265", VideoCodec.HEVC),
        ("yuv420p", "libsvtav1", VideoCodec.AV1),
        ("yuv420p10le", "libsvtav1", VideoCodec.AV1),
        ("yuv420p", "libvpx", VideoCodec.VP8),
        ("yuv444p", "libvpx-vp9", VideoCodec.VP9),
        ("yuv420p", "mpeg2video", VideoCodec.MPEG2),
        ("yuvj422p", "mjpeg", VideoCodec.MJPEG),
    ],
    ids=str,
)
def test_every_codec_and_pixel_format_looks_the_same(
    pix_fmt: str, encoder: str, codec: VideoCodec
) -> None:
    footage = Footage(seconds=1.0, pix_fmt=pix_fmt, encoder=encoder, codec=codec)
    if pix_fmt.startswith("yuvj"):
        footage = replace(footage, color_range=2)
    made, plain = transcode(film(footage)), transcode(film(Footage(seconds=1.0)))
    hold(made)
    assert numbers(made) == list(range(30))
    apart = pictures(made, "180p")[20].luma.astype(int) - pictures(plain, "180p")[20].luma
    assert np.abs(apart).mean() < AVERAGE


def flat(level: int) -> Footage:
    def draw(number: int, width: int, height: int) -> NDArray[np.uint8]:
        return np.full((height, width), level + number % 2, np.uint8)

    return Footage(seconds=1.0, draw=draw)


@pytest.mark.parametrize(("level", "out"), [(0, 16), (128, 126), (254, 234)])
def test_full_range_becomes_limited_range(level: int, out: int) -> None:
    made = transcode(film(replace(flat(level), color_range=2)))
    hold(made)
    assert mean(made) == pytest.approx(out, abs=2)


def mean(made: list[Up]) -> float:
    """Give the mean code value of the luma as encoded."""
    return float(np.mean([one.luma.mean() for one in pictures(made, "180p")]))


def marked(number: int, width: int, height: int) -> NDArray[np.uint8]:
    """Draw a picture whose top left quarter is bright, whose bottom left one is grey."""
    luma = np.full((height, width), 30 + number % 4, np.uint8)
    luma[: height // 2, : width // 2] = 220
    luma[height // 2 :, : width // 2] = 120
    return luma


def corners(one: Picture) -> tuple[int, ...]:
    """Give the brightness of the quarters, clockwise from top left, in steps of 100."""
    height, width = one.luma.shape
    top, left = slice(4, height // 2 - 4), slice(4, width // 2 - 4)
    bottom, right = slice(height // 2 + 4, -4), slice(width // 2 + 4, -4)
    quarters = ((top, left), (top, right), (bottom, right), (bottom, left))
    return tuple(round(float(one.luma[quarter].mean()) / 100) for quarter in quarters)


MARKED = Footage(seconds=2.0, width=320, height=180, draw=marked)
TURNED = {
    0: ((320, 180), (2, 0, 0, 1)),
    90: ((180, 320), (0, 0, 1, 2)),
    180: ((320, 180), (0, 1, 2, 0)),
    270: ((180, 320), (1, 2, 0, 0)),
}


def with_orientation(media: list[Unit], degrees: int) -> list[Unit]:
    """Insert a display orientation SEI message in each key picture (H.264 D.2.27)."""
    made: list[Unit] = []
    for unit in media:
        if isinstance(unit, VideoUnit) and unit.keyframe:
            sei = orientation_sei(degrees)
            data = len(sei).to_bytes(4, "big") + sei + unit.data
            made.append(replace(unit, data=data))
        else:
            made.append(unit)
    return made


def orientation_sei(degrees: int) -> bytes:
    """Write the SEI NAL unit: not cancelled, not mirrored, anticlockwise, until cancelled."""
    turn = degrees * 65_536 // 360
    bits = f"0{0:02b}{turn:016b}" + "010" + "0"  # ue(1): repetition period
    bits += "1"
    payload = int(bits.ljust(24, "0"), 2).to_bytes(3, "big")
    escaped = payload.replace(b"\x00\x00\x00", b"\x00\x00\x03\x00")
    return bytes((6, 47, 3)) + escaped + b"\x80"


@pytest.mark.parametrize("degrees", TURNED)
@pytest.mark.parametrize("by", ["sei", "config"])
@pytest.mark.parametrize("pix_fmt", ["yuv420p", rare("yuv422p10le")])
def test_a_camera_on_its_side(degrees: int, by: str, pix_fmt: str) -> None:
    media = film(replace(MARKED, pix_fmt=pix_fmt))
    if by == "sei":
        media = with_orientation(media, degrees)
    else:
        media = [replace(u, rotation=degrees) if isinstance(u, VideoConfig) else u for u in media]
    made = transcode(media)
    (epoch,) = hold(made)
    wanted, quarters = TURNED[degrees]
    assert size(made) == wanted
    assert {corners(one) for one in pictures(made, "180p")} == {quarters}
    health = [one for one in made if isinstance(one, Health)][-1]
    assert (health.width, health.height) == wanted
    assert len(epoch.tracks) == 3


def test_a_camera_that_is_turned_on_air_begins_an_epoch() -> None:
    upright, turned = film(MARKED), with_orientation(film(MARKED), 270)
    made = transcode([*upright, *shifted(turned[2:], 2 * SECOND)])
    assert len(hold(made)) == 2
    assert (size(made, 0), size(made, 1)) == ((320, 180), (180, 320))
    assert len(pictures(made, "180p", 1)) == 60


def test_a_turned_picture_keeps_the_shape_of_its_pixels() -> None:
    footage = replace(MARKED, width=480, height=360, shape=Fraction(4, 3))
    made = transcode(with_orientation(film(footage), 90))
    hold(made)
    assert size(made) == (180, 320)


def comb(number: int, width: int, height: int) -> NDArray[np.uint8]:
    """Draw a bar that moves between the two fields of each picture."""
    luma = np.full((height, width), 40, np.uint8)
    for field in (0, 1):
        at = (number * 2 + field) * 6 % (width - 60)
        luma[field::2, at : at + 60] = 220
    return luma


def test_interlaced_pictures_are_woven() -> None:
    options = (("x264-params", "tff=1:interlaced=1"),)
    footage = Footage(seconds=2.0, rate=Fraction(25), interlaced=True, options=options, draw=comb)
    woven = transcode(together(film(footage), SOUND[:90]))
    left = transcode(film(replace(footage, interlaced=False, options=())))
    (epoch,) = hold(woven)
    assert epoch.tracks[0].frame_rate == 25
    assert len(pictures(woven, "180p")) == 50

    def teeth(one: Picture) -> float:
        rows = one.luma.astype(int)
        return float(np.abs(rows[1:-1] * 2 - rows[:-2] - rows[2:]).mean())

    clean = np.mean([teeth(one) for one in pictures(woven, "180p")[5:45]])
    combed = np.mean([teeth(one) for one in pictures(left, "180p")[5:45]])
    assert clean < combed / 3


@pytest.mark.parametrize(
    ("rate", "layout", "codec", "encoder"),
    [
        (44_100, "mono", AudioCodec.AAC, "aac"),
        (44_100, "stereo", AudioCodec.AAC, "aac"),
        rare(22_050, "stereo", AudioCodec.AAC, "aac"),
        rare(32_000, "mono", AudioCodec.AAC, "aac"),
        rare(96_000, "stereo", AudioCodec.AAC, "aac"),
        (48_000, "5.1", AudioCodec.AAC, "aac"),
        (48_000, "stereo", AudioCodec.OPUS, "libopus"),
        (48_000, "mono", AudioCodec.OPUS, "libopus"),
        (44_100, "stereo", AudioCodec.MP3, "libmp3lame"),
        (48_000, "5.1", AudioCodec.AC3, "ac3"),
        (44_100, "stereo", AudioCodec.FLAC, "flac"),
    ],
)
def test_every_kind_of_sound_is_heard_in_sync(
    rate: int, layout: str, codec: AudioCodec, encoder: str
) -> None:
    footage = Footage(seconds=4.0)
    heard = record(
        Soundtrack(seconds=4.0, sample_rate=rate, layout=layout, codec=codec, encoder=encoder)
    )
    made = transcode(together(film(footage), heard))
    hold(made)
    found = skews(made, "180p", footage.moments)
    assert len(found) >= 3
    assert max(map(abs, found)) <= SYNC
    wave = sound(made, "audio")
    assert len(beeps(wave)) >= 3
    assert 0.2 < np.abs(wave).max() <= 1.1


SWITCHES = [
    Footage(width=320, height=180),
    Footage(width=240, height=180),
    Footage(width=180, height=320),
    Footage(width=320, height=180, codec=VideoCodec.HEVC, encoder="libx265"),
    Footage(width=320, height=180, options=(("profile", "baseline"),)),
]


def test_the_configuration_changes_again_and_again_on_air() -> None:
    run = Run()
    for number, footage in enumerate(SWITCHES):
        video = film(footage, told=number == 0)
        run.feed(shifted(together(video, SOUND[:90]), number * 2 * SECOND))
    made = run.close()
    epochs = hold(made)
    sizes = [(epoch.tracks[0].width, epoch.tracks[0].height) for epoch in epochs]
    assert sizes == [(320, 180), (240, 180), (180, 320), (320, 180)]
    for number in range(3):
        assert numbers(made, number) == list(range(60))
    assert numbers(made, 3) == [*range(60), *range(60)], "another profile is no other epoch"
    for before, after in pairwise(epochs):
        assert after.pdt_ms - end_ms(made, before) <= 1


def test_another_rate_after_a_change_is_measured_anew() -> None:
    first = film(Footage(seconds=1.0, rate=Fraction(30)))
    second = film(Footage(seconds=2.0, width=240, rate=Fraction(60)), told=False)
    made = transcode([*first, *shifted(second, SECOND)])
    hold(made)
    assert track(made, "180p", 1).frame_rate == 60
    assert numbers(made, 1) == list(range(120))


@pytest.mark.parametrize("encoder", ["libx264", "libx265"])
@pytest.mark.parametrize("open_gop", [False, True], ids=["closed-gop", "open-gop"])
def test_b_pictures_come_out_in_the_order_in_which_they_are_shown(
    encoder: str, open_gop: bool
) -> None:
    codec = VideoCodec.H264 if encoder == "libx264" else VideoCodec.HEVC
    footage = Footage(
        seconds=4.0,
        b_frames=3,
        encoder=encoder,
        codec=codec,
        options=((f"{encoder[3:]}-params", f"open-gop={int(open_gop)}:bframes=3:b-adapt=0"),),
    )
    video = film(footage)
    assert any(unit.pts > unit.dts for unit in video if isinstance(unit, VideoUnit))
    made = transcode(together(video, SOUND))
    assert len(hold(made)) == 1
    assert numbers(made) == list(range(120))
    found = skews(made, "180p", footage.moments)
    assert max(map(abs, found)) <= SYNC


def test_joining_an_open_gop_shows_no_broken_picture() -> None:
    options = (("x264-params", "open-gop=1:bframes=3:b-adapt=0"),)
    video = film(Footage(seconds=4.0, b_frames=3, options=options))
    keys = [n for n, u in enumerate(video) if isinstance(u, VideoUnit) and u.keyframe]
    made = transcode([*video[:2], *video[keys[1] :]])
    hold(made)
    seen = numbers(made)
    assert seen == sorted(seen)
    assert seen[-60:] == list(range(60, 120))


def test_damaged_pictures_end_nothing() -> None:
    video = film(Footage(seconds=4.0))
    dice = np.random.default_rng(5)
    harmed: list[Unit] = []
    for number, unit in enumerate(video):
        if isinstance(unit, VideoUnit) and number % 9 == 5:
            noise = bytearray(unit.data)
            for at in dice.integers(4, len(noise), size=max(1, len(noise) // 20)):
                noise[at] ^= int(dice.integers(1, 255))
            unit = replace(unit, data=bytes(noise))  # noqa: PLW2901
        harmed.append(unit)
    made = transcode(together(harmed, SOUND))
    hold(made)
    total = sum(len(pictures(made, "90p", epoch.number)) for epoch in hold(made))
    assert total >= 100


@pytest.mark.parametrize("keep", [0, rare(1), 5, rare(50)])
def test_truncated_units_end_nothing(keep: int) -> None:
    cut = [
        replace(unit, data=unit.data[:keep])
        if isinstance(unit, VideoUnit) and number % 7 == 3
        else unit
        for number, unit in enumerate(film(Footage(seconds=4.0)))
    ]
    made = transcode(together(cut, SOUND))
    assert len(hold(made)) == 1
    assert len(numbers(made)) >= 100


def test_a_burst_of_noise_stays_within_the_rate() -> None:
    dice = np.random.default_rng(9)

    def draw(number: int, width: int, height: int) -> NDArray[np.uint8]:
        if 30 <= number < 60:
            return dice.integers(0, 255, (height, width), dtype=np.uint8)
        return np.full((height, width), 100 + number % 3, np.uint8)

    footage = Footage(seconds=4.0, width=640, height=360, draw=draw, options=(("crf", "4"),))
    video = film(footage)
    biggest = max(len(unit.data) for unit in video if isinstance(unit, VideoUnit))
    assert biggest > 100_000, "the source has such a spike"
    made = transcode(together(video, SOUND))
    (epoch,) = hold(made)
    for one in epoch.tracks[:2]:
        segments: dict[int, int] = {}
        for part in parts(made, one.name):
            segments[part.segment] = segments.get(part.segment, 0) + len(part.data)
        assert max(segments.values()) * 8 / 2 <= one.bandwidth * 1.1


def test_pictures_too_large_to_hold_are_left_out_and_the_sound_goes_on() -> None:
    video = film(Footage(seconds=0.2, width=8192, height=4320))
    made = transcode(together(video, record(Soundtrack(seconds=9.0))))
    (epoch,) = hold(made)
    assert [one.name for one in epoch.tracks] == ["audio"]
    health = [one for one in made if isinstance(one, Health)][-1]
    assert health.damaged >= 1


def test_a_configuration_that_no_decoder_takes_costs_its_track_only() -> None:
    video = film(Footage(seconds=2.0))
    refused = AudioConfig(AudioCodec.OPUS, b"OpusHead\xff", 48_000, 2)
    made = transcode(together([*video, refused], [AudioUnit(0, b"x"), AudioUnit(1800, b"y")]))
    hold(made)
    assert numbers(made) == list(range(60))
    bad = VideoConfig(VideoCodec.H264, b"\x01\x02\x03\x04\x05\x06\x07\x08")
    rest = [unit for unit in film(Footage(seconds=9.0)) if isinstance(unit, VideoUnit)]
    made = transcode(together([bad, *rest], record(Soundtrack(seconds=9.0))))
    assert [one.name for one in hold(made)[0].tracks] == ["audio"]


@pytest.mark.parametrize("side", [2, 14])
def test_a_picture_too_small_to_be_one_is_left_out(side: int) -> None:
    tiny = Footage(
        seconds=9.0, width=side, height=side, codec=VideoCodec.VP8, encoder="libvpx",
        draw=lambda number, width, height: np.full((height, width), number % 200, np.uint8),
    )  # fmt: skip
    made = transcode(together(film(tiny), record(Soundtrack(seconds=9.0))))
    (epoch,) = hold(made)
    assert [one.name for one in epoch.tracks] == ["audio"]


@pytest.mark.parametrize(
    ("transfer", "code", "least", "most"),
    [
        (16, 16, 16, 17),
        (16, 16 + round(219 * 0.58), 195, 235),
        (16, 235, 225, 235),
        (18, 16, 16, 17),
        (18, 16 + round(219 * 0.75), 195, 235),
        (18, 16 + round(219 * 0.38), 90, 150),
    ],
    ids=["pq-black", "pq-white", "pq-sun", "hlg-black", "hlg-white", "hlg-skin"],
)
@pytest.mark.parametrize("pix_fmt", [rare("yuv420p"), "yuv420p10le"])
def test_high_dynamic_range_is_brought_to_what_screens_show(
    transfer: int, code: int, least: int, most: int, pix_fmt: str
) -> None:
    footage = replace(
        flat(code - 1 if code > 16 else code),
        codec=VideoCodec.HEVC, encoder="libx265", pix_fmt=pix_fmt, colorspace=9, transfer=transfer,
    )  # fmt: skip
    made = transcode(film(footage))
    hold(made)
    assert least <= mean(made) <= most
    graded = hold(transcode(film(replace(footage, transfer=1))))
    assert len(graded) == 1


def test_pictures_coded_as_rgb_keep_their_colours() -> None:
    footage = replace(
        Footage(seconds=1.0, width=320, height=180), encoder="libx264rgb", pix_fmt="rgb24",
        colorspace=0, options=(("preset", "ultrafast"), ("qp", "0")), draw=marked,
    )  # fmt: skip
    made = transcode(film(footage))
    hold(made)
    assert {corners(one) for one in pictures(made, "180p")} == {(2, 0, 0, 1)}
