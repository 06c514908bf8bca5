"""Publishers whose timestamps cannot be trusted: ingest.md, media."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest

from ingest.unit import AudioUnit, StreamInfo, Unit, VideoUnit
from tests.helpers.clips import read_number
from tests.helpers.footage import Footage, Soundtrack, film, record, shifted, together
from tests.helpers.promises import end_ms, hold
from tests.helpers.rare import rare
from tests.helpers.rendered import pictures, skews, track
from tests.helpers.worker_run import START_MS, Run, transcode
from transcode.message import Health, Up

pytestmark = pytest.mark.slow  # each is short, but there are many

SYNC = 0.040
SECOND = 90_000
FOOTAGE = Footage(seconds=6.0)
SHOW = together(film(FOOTAGE), record(Soundtrack(seconds=6.0)))
MOMENTS = FOOTAGE.moments
HALF = next(n for n, u in enumerate(SHOW) if isinstance(u, VideoUnit) and u.dts >= 3 * SECOND)


def numbers(made: list[Up], epoch: int = 0) -> list[int]:
    return [read_number(one.luma) for one in pictures(made, "90p", epoch)]


def in_sync(made: list[Up], epoch: int = 0, least: int = 2) -> None:
    found = skews(made, "180p", MOMENTS, epoch)
    assert len(found) >= least
    assert max(map(abs, found)) <= SYNC


def live(media: list[Unit], true: list[Unit]) -> list[Up]:
    """Feed `media` as it arrives: at the pace of `true`, the same without the faults."""
    run = Run()
    for unit, real in zip(media, true, strict=True):
        at = getattr(real, "dts", getattr(real, "pts", 0))
        run.pipeline.feed(unit, START_MS + at // 90)
    return run.close()


def leaping(ticks: int, apart: int = 0) -> list[Unit]:
    """Half-way the clock leaps; the sound's `apart` units earlier (below 0: later)."""
    sounds_from = HALF - 3 * apart
    return [
        shifted([unit], ticks)[0]
        if n >= (sounds_from if isinstance(unit, AudioUnit) else HALF)
        else unit
        for n, unit in enumerate(SHOW)
    ]


@pytest.mark.parametrize(
    "seconds",
    [rare(-3600 * 13), -20, rare(-1.5), 9, rare(3600 * 13), rare(2**32 / 1000), -(2**32) / 1000],
    ids=lambda s: f"{s}s",
)
@pytest.mark.parametrize("apart", [0, 4, -4], ids=["together", "sound-first", "picture-first"])
def test_a_leap_begins_an_epoch_and_loses_nothing(seconds: float, apart: int) -> None:
    made = live(leaping(round(seconds * SECOND), apart), SHOW)
    first, second = hold(made)
    assert numbers(made, 0)[:90] == list(range(90))
    assert numbers(made, 1) == list(range(90, 180))
    assert 0 <= second.pdt_ms - end_ms(made, first) <= 34
    in_sync(made, 0)
    in_sync(made, 1)
    assert [one for one in made if isinstance(one, Health)][-1].jumps == 1


@pytest.mark.parametrize("seconds", [rare(0.2), 1.0, rare(3.0), 6.0])
def test_a_small_step_forward_is_a_hole_that_the_last_picture_fills(seconds: float) -> None:
    made = transcode(leaping(round(seconds * SECOND)))
    hold(made)
    seen = numbers(made)
    assert len(seen) == pytest.approx(180 + seconds * 30, abs=2)
    assert seen[:90] == list(range(90))
    assert seen[-90:] == list(range(90, 180))
    assert seen.count(89) == pytest.approx(seconds * 30 + 1, abs=2)


@pytest.mark.parametrize("seconds", [-0.03, -0.2, -0.9])
def test_a_small_step_back_costs_the_pictures_that_it_repeats(seconds: float) -> None:
    made = live(leaping(round(seconds * SECOND)), SHOW)
    assert len(hold(made)) == 1
    seen = numbers(made)
    assert seen == sorted(seen)
    assert seen[-60:] == list(range(120, 180))


@pytest.mark.soak
def test_the_clock_leaps_again_and_again() -> None:
    run, media = Run(), [u for u in SHOW if isinstance(u, VideoUnit | AudioUnit)]
    run.feed([u for u in SHOW if not isinstance(u, VideoUnit | AudioUnit)])
    for number, hours in enumerate((0, 7, -3, 2, -100)):
        ticks = hours * 3600 * SECOND
        run.feed(shifted(media, ticks), START_MS + number * 6_000 - ticks // 90)
    made = run.close()
    assert len(hold(made)) == 5
    for epoch in range(5):
        assert numbers(made, epoch) == list(range(180))


def slip(kind: type, ticks: Callable[[int], int], every: int) -> list[Unit]:
    """Stamp every so many units of one kind wrong, far from its neighbours."""
    media, count = [], 0
    for unit in SHOW:
        if isinstance(unit, kind):
            count += 1
            if count % every == every // 2:
                media += shifted([unit], ticks(count))
                continue
        media.append(unit)
    return media


@pytest.mark.parametrize(
    "ticks", [5 * SECOND, rare(50_000 * SECOND), rare(-2 * SECOND), -50_000 * SECOND]
)
@pytest.mark.parametrize("kind", [VideoUnit, AudioUnit])
def test_a_stamp_that_slipped_costs_nothing(kind: type, ticks: int) -> None:
    made = live(slip(kind, lambda _: ticks, 20), SHOW)
    assert len(hold(made)) == 1
    assert numbers(made) == list(range(180))
    in_sync(made, least=4)


@pytest.mark.parametrize("kind", [VideoUnit, AudioUnit])
def test_stamps_that_are_all_nonsense_play_all_the_same(kind: type) -> None:
    dice = random.Random(7)
    media = [
        shifted([unit], dice.randrange(-(2**40), 2**40))[0] if isinstance(unit, kind) else unit
        for unit in SHOW
    ]
    made = live(media, SHOW)
    epochs = hold(made)
    assert len(epochs) <= 2
    seen = numbers(made, len(epochs) - 1)
    assert len(seen) >= 150
    assert len(set(seen)) >= 150


@pytest.mark.parametrize("dts", ["zero", "random"])
def test_decoding_times_may_be_anything(dts: str) -> None:
    dice = random.Random(3)
    media = [
        replace(unit, dts=0 if dts == "zero" else dice.randrange(-(2**40), 2**40))
        if isinstance(unit, VideoUnit)
        else unit
        for unit in SHOW
    ]
    made = live(media, SHOW)
    assert len(hold(made)) == 1
    assert numbers(made) == list(range(180))
    in_sync(made, least=4)


@pytest.mark.parametrize("sound", [True, False], ids=["and-sound", "pictures-alone"])
def test_a_clock_that_stands_still(sound: bool) -> None:
    kinds = (VideoUnit, AudioUnit)
    media = [
        unit if not isinstance(unit, kinds) else shifted([unit], -unit.pts)[0]
        for unit in SHOW
        if sound or not isinstance(unit, AudioUnit)
    ]
    true = [unit for unit in SHOW if sound or not isinstance(unit, AudioUnit)]
    made = live(media, true)
    assert len(hold(made)) == 1
    assert len(set(numbers(made))) >= 160


def test_pictures_that_share_a_time_are_shown_once() -> None:
    media = [
        replace(unit, pts=unit.pts // 6000 * 6000, dts=unit.dts // 6000 * 6000)
        if isinstance(unit, VideoUnit)
        else unit
        for unit in SHOW
    ]
    made = live(media, SHOW)
    assert len(hold(made)) == 1
    assert len(numbers(made)) == pytest.approx(180, abs=2)
    in_sync(made, least=4)


@pytest.mark.parametrize("told", [True, False], ids=["told", "measured"])
@pytest.mark.parametrize("seed", [1, rare(2)])
def test_a_phone_between_22_and_31_pictures_a_second(told: bool, seed: int) -> None:
    dice, moments, at = random.Random(seed), [], Fraction(0)
    while at < 8:
        moments.append(at)
        at += Fraction(1000, dice.randrange(22, 32)) / 1000
    video = film(Footage(times=tuple(moments), seconds=8.0), told=told)
    made = transcode(together(video, record(Soundtrack(seconds=8.0))))
    assert len(hold(made)) == 1
    assert 25 <= (track(made, "180p").frame_rate or 0) <= 31
    found = skews(made, "180p", moments)
    assert len(found) >= 6
    assert max(map(abs, found)) <= SYNC


@pytest.mark.parametrize("sound", [True, False], ids=["with-sound", "pictures-alone"])
@pytest.mark.parametrize("told", [rare(True), False], ids=["told", "measured"])
def test_a_screen_share_that_moves_only_sometimes(told: bool, sound: bool) -> None:
    moments = [Fraction(n) / 2 for n in range(10)]
    moments += [5 + Fraction(n, 30) for n in range(90)]
    moments += [8 + Fraction(n) for n in range(3)]
    video = film(Footage(times=tuple(moments), seconds=11.0), told=told)
    tracks = [video, record(Soundtrack(seconds=11.0))] if sound else [video]
    made = transcode(together(*tracks))
    assert len(hold(made)) == 1
    assert track(made, "180p").frame_rate == 30
    seen = pictures(made, "90p")
    shown = [read_number(one.luma) for one in seen]
    assert shown == sorted(shown)
    assert set(shown) >= set(range(10, 98))
    assert len(shown) >= (310 if sound else 300)
    for a, b in pairwise(seen):
        assert b.seconds - a.seconds == pytest.approx(1 / 30, abs=0.001)


def test_weeks_on_one_clock() -> None:
    """Past the 32-bit wrap of RTMP's milliseconds, which the ingest takes out."""
    begin = (2**32 - 2_000) * 90
    media = shifted(SHOW, begin)
    run = Run()
    run.feed(media, START_MS - begin // 90)
    made = run.close()
    (epoch,) = hold(made)
    assert epoch.pdt_ms == START_MS
    assert numbers(made) == list(range(180))
    in_sync(made, least=4)


def test_a_stream_that_is_joined_between_two_key_pictures() -> None:
    footage = Footage(seconds=6.0, key_seconds=4.0)
    media = together(film(footage), record(Soundtrack(seconds=6.0)))
    key = next(n for n, unit in enumerate(media) if isinstance(unit, VideoUnit))
    made = transcode([*media[:key], *media[key + 1 :]])
    epochs = hold(made)
    assert numbers(made, len(epochs) - 1) == list(range(120, 180))


def test_key_pictures_twelve_seconds_apart() -> None:
    footage = Footage(seconds=14.0, key_seconds=12.0)
    made = transcode(together(film(footage), record(Soundtrack(seconds=14.0))))
    assert len(hold(made)) == 1
    assert numbers(made) == list(range(420))


def test_the_clock_of_a_rate_that_nobody_tells() -> None:
    media: list[Unit] = [unit for unit in SHOW if not isinstance(unit, StreamInfo)]
    made = live(media, media)
    assert len(hold(made)) == 1
    assert numbers(made) == list(range(180))
    in_sync(made, least=4)
