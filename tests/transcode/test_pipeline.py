"""Units through the real decoder, timeline, compositor, encoders and cutter."""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from ingest.unit import AudioUnit, StreamInfo, Unit, VideoUnit
from overlay.scene import Card, Money, Motion, Scene
from tests.helpers.clips import Clip, read_number, units
from tests.helpers.rendered import epochs, parts, pictures, sound, track
from tests.helpers.worker_run import START_MS, Run, transcode
from transcode.lateness import Lateness
from transcode.message import Health, Shown, Up

CLIP = Clip(seconds=3.0)


def later(media: list[Unit], ticks: int) -> list[Unit]:
    """Shift the units' clock."""
    shifted: list[Unit] = []
    for unit in media:
        if isinstance(unit, VideoUnit):
            shifted.append(replace(unit, dts=unit.dts + ticks, pts=unit.pts + ticks))
        elif isinstance(unit, AudioUnit):
            shifted.append(replace(unit, pts=unit.pts + ticks))
        else:
            shifted.append(unit)
    return shifted


@pytest.fixture(scope="module")
def made() -> list[Up]:
    return transcode(units(CLIP))


def test_every_picture_comes_out_in_every_rung_at_its_time(made: list[Up]) -> None:
    for name in ("180p", "90p"):
        seen = pictures(made, name)
        assert [read_number(picture.luma) for picture in seen] == list(range(CLIP.frames))
        for number, picture in enumerate(seen):
            assert picture.seconds == pytest.approx(number / 30, abs=0.0005)


def test_rungs_share_boundaries_and_parts_are_gapless(made: list[Up]) -> None:
    grids = {
        name: [(part.segment, part.index, part.start, part.duration) for part in parts(made, name)]
        for name in ("180p", "90p")
    }
    assert grids["180p"] == grids["90p"]
    end = 0
    for _, _, start, duration in grids["180p"]:
        assert start == end
        end = start + duration
    assert end == 3 * 90_000
    audio = [(part.segment, part.index) for part in parts(made, "audio")]
    assert audio == [grid[:2] for grid in grids["180p"]]


def test_segments_begin_with_idr_pictures_and_only_they_do(made: list[Up]) -> None:
    keys = [number for number, picture in enumerate(pictures(made, "90p")) if picture.key]
    assert keys == [0, 60]
    assert [part.independent for part in parts(made, "90p")] == [
        part.index == 0 for part in parts(made, "90p")
    ]


def test_sound_stays_with_the_picture(made: list[Up]) -> None:
    for name in ("180p", "audio"):
        wave = np.abs(sound(made, name))
        for second in range(3):
            window = wave[second * 48_000 : (second + 1) * 48_000]
            onset = int(np.argmax(window > 0.1)) / 48_000
            assert onset <= 0.040


def test_epoch_describes_what_was_made(made: list[Up]) -> None:
    (epoch,) = epochs(made)
    assert [one.name for one in epoch.tracks] == ["180p", "90p", "audio"]
    assert epoch.pdt_ms == START_MS + epoch.origin // 90
    assert track(made, "180p").frame_rate == 30
    assert (track(made, "90p").width, track(made, "90p").height) == (160, 90)
    assert track(made, "audio").codecs == "mp4a.40.2"
    assert track(made, "180p").codecs.startswith("avc1.64")
    for part in parts(made, "180p"):
        assert part.duration <= epoch.part_target


def test_pdt_never_begins_before_the_floor() -> None:
    run = Run(floor_ms=START_MS + 5_000)
    run.feed(units(Clip(seconds=0.5)))
    assert epochs(run.close())[0].pdt_ms == START_MS + 5_000


def test_without_sound_there_is_silence() -> None:
    made = transcode(units(Clip(seconds=1.0, audio=False)))
    wave = sound(made, "180p")
    assert len(wave) >= 47_000
    assert np.abs(wave).max() < 0.001
    assert sum(part.duration for part in parts(made, "180p")) == 90_000


def test_b_frames_and_a_late_start_of_the_clock() -> None:
    media = later(units(Clip(seconds=2.0, b_frames=2)), 3_600 * 90_000)
    seen = pictures(transcode(media), "180p")
    assert [read_number(picture.luma) for picture in seen] == list(range(60))
    assert seen[0].seconds == 0


def test_frame_rate_is_measured_when_nobody_tells_it() -> None:
    media: list[Unit] = [
        u for u in units(Clip(frame_rate=Fraction(25))) if not isinstance(u, StreamInfo)
    ]
    made = transcode(media)
    assert track(made, "180p").frame_rate == 25
    assert len(pictures(made, "180p")) == 50


def test_pictures_before_the_first_key_picture_are_left_out() -> None:
    media = units(Clip(seconds=2.0))
    first = next(n for n, unit in enumerate(media) if isinstance(unit, VideoUnit))
    made = transcode(media[:first] + media[first + 1 :])
    assert read_number(pictures(made, "180p")[0].luma) == 30


def test_a_hole_is_filled_by_the_picture_before_it() -> None:
    media = [
        unit
        for unit in units(Clip(seconds=2.0))
        if not (isinstance(unit, VideoUnit) and 60_000 < unit.dts < 90_000)
    ]
    seen = pictures(transcode(media), "180p")
    assert len(seen) == 60
    numbers = [read_number(picture.luma) for picture in seen]
    assert numbers[:20] == list(range(20))
    assert numbers[30:] == list(range(30, 60))
    assert set(numbers[20:30]) <= {19, 20}


def test_a_jump_of_the_clock_begins_an_epoch() -> None:
    media = units(Clip(seconds=2.0))
    run = Run()
    run.feed(media)
    configs = 3
    run.feed(later(media[configs:], 1_000 * 90_000), START_MS - 1_000_000 + 2_000)
    made = run.close()
    first, second = epochs(made)
    assert second.pdt_ms >= first.pdt_ms + 2_000
    assert parts(made, "180p", 0)[-1].last
    assert sum(part.duration for part in parts(made, "180p", 0)) == 2 * 90_000
    numbers = [read_number(picture.luma) for picture in pictures(made, "180p", 1)]
    assert numbers == list(range(60))


def test_another_size_begins_an_epoch_with_its_own_ladder() -> None:
    run = Run()
    run.feed(units(Clip(seconds=1.0)))
    run.feed(later(units(Clip(seconds=1.0, width=160, height=90)), 90_000))
    made = run.close()
    assert [one.name for one in epochs(made)[1].tracks] == ["90p", "audio"]
    assert len(pictures(made, "90p", 1)) == 30


def test_splice_begins_an_epoch_even_when_the_clock_fits() -> None:
    run = Run()
    run.feed(units(Clip(seconds=1.0)))
    run.pipeline.splice()
    run.feed(later(units(Clip(seconds=1.0)), 95_000))
    made = run.close()
    assert len(epochs(made)) == 2
    assert len(pictures(made, "180p", 0)) == len(pictures(made, "180p", 1)) == 30


def test_damaged_pictures_and_sounds_are_counted_and_end_nothing() -> None:
    media: list[Unit] = []
    harm = 0
    for unit in units(Clip(seconds=2.0)):
        if isinstance(unit, VideoUnit) and unit.dts == 45_000:
            unit = replace(unit, data=b"\x00\x00\x00\x04\xff\xff\xff\xff")  # noqa: PLW2901
            harm += 1
        if isinstance(unit, AudioUnit) and 45_000 <= unit.pts < 50_000:
            unit = replace(unit, data=b"\xff" * 8)  # noqa: PLW2901
            harm += 1
        media.append(unit)
    run = Run()
    run.feed(media)
    run.pipeline.splice()
    run.feed(later(units(Clip(seconds=2.0)), 3 * 90_000))
    made = run.close()
    assert len(pictures(made, "180p", 0)) == len(pictures(made, "180p", 1)) == 60
    assert [one for one in made if isinstance(one, Health)][-1].damaged == harm > 2


def test_health_tells_what_arrives() -> None:
    health = [one for one in transcode(units(CLIP)) if isinstance(one, Health)][-1]
    assert (health.width, health.height) == (320, 180)
    assert health.fps == pytest.approx(30, abs=1.5)
    assert health.keyframe_interval == 1.0
    assert health.video.startswith("H.264")
    assert health.audio == "AAC 48000 Hz 2"


class Sparing(Lateness):
    """Spares two of three pictures of the second second."""

    count = 0

    def spares(self) -> bool:
        self.count += 1
        return 30 <= self.count < 60 and self.count % 3 != 0


def test_pictures_that_are_spared_show_the_one_before_in_every_rung() -> None:
    run = Run()
    run.pipeline._lateness = Sparing()
    run.feed(units(CLIP))
    made = run.close()
    wanted = [n if not 30 <= n < 60 else n - (n + 1) % 3 for n in range(90)]
    for name in ("180p", "90p"):
        seen = [read_number(picture.luma) for picture in pictures(made, name)]
        assert seen[:29] + seen[61:] == wanted[:29] + wanted[61:]
        assert len(set(seen[29:61])) == pytest.approx(11, abs=1)
        assert seen == sorted(seen)


# Scenes

CARD = Card("pin", "Honey", Money(1450, "EUR"))


def brightness(run_pictures: list[np.ndarray], shown: Shown) -> list[float]:
    ((_, rect),) = shown.rects
    means = []
    for luma in run_pictures:
        height, width = luma.shape
        rows = slice(
            int((rect.y + rect.height * 0.3) * height), int((rect.y + rect.height * 0.7) * height)
        )
        columns = slice(
            int((rect.x + rect.width * 0.9) * width), int((rect.x + rect.width * 0.97) * width)
        )
        means.append(float(luma[rows, columns].mean()))
    return means


@pytest.mark.parametrize("motion", [Motion.NONE, Motion.FADE])
def test_a_card_is_in_every_rung_from_the_frame_that_shown_names(motion: Motion) -> None:
    media = units(Clip(seconds=3.0))
    with_card, without = Run(), Run()
    half = len(media) // 2
    with_card.feed(media[:half])
    with_card.pipeline.show(Scene("on", (CARD,), motion=motion), START_MS + 2_000)
    with_card.pipeline.show(Scene("off", (), motion=motion), START_MS + 2_500)
    _wait_staged(with_card, 2)
    with_card.feed(media[half:])
    without.feed(media)
    made, plain = with_card.close(), without.close()
    on, off = [one for one in made if isinstance(one, Shown)]
    pdt = epochs(made)[0].pdt_ms
    assert (on.scene_id, off.scene_id) == ("on", "off")
    assert on.problems == ()
    for name in ("180p", "90p"):
        drawn = brightness([p.luma for p in pictures(made, name)], on)
        clean = brightness([p.luma for p in pictures(plain, name)], on)
        differs = [abs(a - b) > 6 for a, b in zip(drawn, clean, strict=True)]
        first = differs.index(True)
        assert pdt + first * 1000 // 30 == on.at_ms
        rest = differs[first:]
        assert pdt + (first + rest.index(False)) * 1000 / 30 >= off.at_ms
        if motion is Motion.NONE:
            assert first + rest.index(False) == round((off.at_ms - pdt) * 30 / 1000)
    assert 0 <= on.at_ms - (START_MS + 2_000) < 34
    assert 0 <= off.at_ms - (START_MS + 2_500) < 34


def test_a_scene_asked_for_the_past_is_shown_with_the_next_picture() -> None:
    run = Run()
    media = units(Clip(seconds=2.0))
    half = len(media) // 2
    run.feed(media[:half])
    run.pipeline.show(Scene("late", (CARD,)), START_MS)
    _wait_staged(run, 1)
    run.feed(media[half:])
    (shown,) = [one for one in run.close() if isinstance(one, Shown)]
    assert shown.at_ms > START_MS + 500


def test_a_later_scene_replaces_what_was_to_come() -> None:
    run = Run()
    media = units(Clip(seconds=3.0))
    run.feed(media[:60])
    run.pipeline.show(Scene("never", (CARD,)), START_MS + 2_500)
    run.pipeline.show(Scene("instead", ()), START_MS + 2_000)
    _wait_staged(run, 1)
    run.feed(media[60:])
    assert [one.scene_id for one in run.close() if isinstance(one, Shown)] == ["instead"]


def test_the_scene_on_screen_goes_on_in_the_next_epoch() -> None:
    run = Run()
    run.feed(units(Clip(seconds=1.0)))
    run.pipeline.show(Scene("on", (CARD,)), START_MS)
    _wait_staged(run, 1)
    run.pipeline.splice()
    run.feed(later(units(Clip(seconds=1.0)), 180_000))
    made = run.close()
    shown = [one for one in made if isinstance(one, Shown)]
    assert shown[-1].at_ms == epochs(made)[1].pdt_ms
    for name in ("180p", "90p"):
        drawn = brightness([picture.luma for picture in pictures(made, name, 1)], shown[-1])
        assert drawn[0] == pytest.approx(drawn[15], abs=6), "it stands, and does not enter again"


def _wait_staged(run: Run, scenes: int) -> None:
    """Wait until the drawing thread has put `scenes` scenes on the stage."""
    epochs_made = run.pipeline._epochs
    line = epochs_made.line
    assert line is not None
    deadline = time.monotonic() + 10
    while (
        len(line._renditions.stage._pending) != scenes or epochs_made._drawing._work_queue.qsize()
    ):
        assert time.monotonic() < deadline, "scenes were not drawn up"
        time.sleep(0.005)
