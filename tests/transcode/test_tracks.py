"""Tracks that begin apart, die, come back or never come: ingest.md, media."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from ingest.unit import AudioConfig, AudioUnit, Unit, VideoConfig, VideoUnit
from overlay.scene import Card, Money, Scene
from tests.helpers.clips import read_number
from tests.helpers.footage import Footage, Soundtrack, film, record, together
from tests.helpers.promises import end_ms, hold
from tests.helpers.rendered import beeps, pictures, skews, sound
from tests.helpers.worker_run import START_MS, Run, transcode
from transcode.message import Health, Shown, Up

SYNC = 0.040
SECOND = 90_000
LONG = film(Footage(seconds=9.0))
LONG_SOUND = record(Soundtrack(seconds=9.0))
MOMENTS = Footage(seconds=9.0).moments
NAMES = ["180p", "90p", "audio"]


def names(made: list[Up]) -> list[list[str]]:
    return [[track.name for track in epoch.tracks] for epoch in hold(made)]


def between(media: list[Unit], begin: float, end: float) -> list[Unit]:
    """Keep what opens the track, and the media of a span of seconds."""
    return [
        unit
        for unit in media
        if not isinstance(unit, VideoUnit | AudioUnit) or begin * SECOND <= unit.pts < end * SECOND
    ]


def without(media: list[Unit], begin: float, end: float) -> list[Unit]:
    return [
        unit
        for unit in media
        if not isinstance(unit, VideoUnit | AudioUnit)
        or not begin * SECOND <= unit.pts < end * SECOND
    ]


@pytest.mark.parametrize("later", [0.3, 1.0, 2.5, 5.0])
def test_sound_that_starts_later_than_the_picture_is_in_sync(later: float) -> None:
    made = transcode(together(LONG, between(LONG_SOUND, later, 9)))
    assert names(made) == [NAMES]
    for name in ("180p", "90p"):
        found = skews(made, name, MOMENTS)
        assert len(found) >= 3
        assert max(map(abs, found)) <= SYNC
    assert np.abs(sound(made, "180p")[: int(later * 47_000)]).max() < 0.01


@pytest.mark.parametrize("later", [0.3, 1.0, 2.5, 5.0])
def test_pictures_that_start_later_than_the_sound_are_in_sync(later: float) -> None:
    start = Fraction(later).limit_denominator(10)
    video = film(Footage(seconds=9.0 - later, begin=start))
    made = transcode(together(video, LONG_SOUND))
    assert names(made) == [NAMES]
    moments = Footage(seconds=9.0 - later, begin=start).moments
    found = skews(made, "180p", moments)
    assert len(found) >= 3
    assert max(map(abs, found)) <= SYNC


@pytest.mark.parametrize("track", ["sound", "picture"])
@pytest.mark.parametrize("late", [1.0, 5.0])
def test_a_track_that_arrives_late_is_in_sync_all_the_same(track: str, late: float) -> None:
    """Stamps agree, but one track's packets come seconds after the other's."""

    def due(unit: Unit) -> float:
        held = isinstance(unit, AudioUnit) == (track == "sound")
        return float(getattr(unit, "dts", getattr(unit, "pts", -SECOND * 9))) + SECOND * late * held

    media = sorted([*LONG, *LONG_SOUND], key=due)
    run = Run()
    for unit in media:
        run.pipeline.feed(unit, START_MS + round(max(0, due(unit)) / 90))
    made = run.close()
    hold(made)
    last = len(hold(made)) - 1
    found = skews(made, "180p", MOMENTS, last)
    assert len(found) >= 2
    assert max(map(abs, found)) <= SYNC


def test_sound_that_dies_becomes_silence_and_holds_nothing_up() -> None:
    run = Run()
    run.feed(together(LONG, between(LONG_SOUND, 0, 3)))
    assert names(run.close()) == [NAMES]
    numbers = [read_number(p.luma) for p in pictures(run.messages, "180p")]
    assert numbers == list(range(270))
    assert np.abs(sound(run.messages, "180p")[int(3.2 * 48_000) :]).max() < 0.001


def test_sound_that_dies_and_comes_back_is_in_sync() -> None:
    made = transcode(together(LONG, without(LONG_SOUND, 2.5, 5.5)))
    assert names(made) == [NAMES]
    found = skews(made, "180p", MOMENTS)
    assert len(found) >= 5
    assert max(map(abs, found)) <= SYNC
    assert [read_number(p.luma) for p in pictures(made, "180p")] == list(range(270))


def test_a_picture_that_dies_stands_while_the_sound_goes_on() -> None:
    run = Run()
    run.feed(together(between(LONG, 0, 2), LONG_SOUND))
    assert names(run.close()) == [NAMES]
    numbers = [read_number(p.luma) for p in pictures(run.messages, "180p")]
    assert numbers[:60] == list(range(60))
    assert set(numbers[60:]) == {59}
    assert len(beeps(sound(run.messages, "180p"))) >= 8
    (epoch,) = hold(run.messages)
    assert end_ms(run.messages, epoch) >= START_MS + 8_400


def test_a_picture_that_dies_and_comes_back_is_in_sync() -> None:
    made = transcode(together(without(LONG, 2, 5), LONG_SOUND))
    assert names(made) == [NAMES]
    numbers = [read_number(p.luma) for p in pictures(made, "180p")]
    assert numbers[:60] == list(range(60))
    assert numbers[-90:] == list(range(180, 270))
    found = skews(made, "180p", MOMENTS)
    assert max(map(abs, (*found[:2], *found[-3:]))) <= SYNC


def test_pictures_alone_have_silence_for_sound() -> None:
    made = transcode(LONG)
    assert names(made) == [NAMES]
    wave = sound(made, "audio")
    assert len(wave) >= 8.9 * 48_000
    assert np.abs(wave).max() < 0.001


def test_sound_alone_goes_on_the_air_from_its_beginning() -> None:
    run = Run()
    run.feed(between(LONG_SOUND, 0, 2.9))
    assert run.messages == [] or all(isinstance(one, Health) for one in run.messages)
    run.feed(between(LONG_SOUND, 2.9, 9)[1:])
    (epoch,) = hold(run.close())
    assert [track.name for track in epoch.tracks] == ["audio"]
    assert (epoch.tracks[0].width, epoch.tracks[0].codecs) == (0, "mp4a.40.2")
    assert abs(epoch.pdt_ms - START_MS) <= 25
    assert beeps(sound(run.messages, "audio"))[-9:] == pytest.approx(range(1, 10), abs=0.025)
    health = [one for one in run.messages if isinstance(one, Health)][-1]
    assert (health.width, health.fps, health.nominal_fps) == (0, 0, 0)
    assert health.audio == "AAC 48000 Hz 2"


def test_announced_pictures_are_waited_for_longer() -> None:
    video = [unit for unit in LONG if not isinstance(unit, VideoUnit)]
    sounds = record(Soundtrack(seconds=12.0))
    run = Run()
    run.feed([*video, *between(sounds, 0, 7.5)])
    assert not [one for one in run.messages if not isinstance(one, Health)]
    run.feed(between(sounds, 7.5, 12)[1:])
    assert names(run.close()) == [["audio"]]


def test_pictures_that_come_after_all_begin_the_full_ladder_with_their_sound() -> None:
    start = Fraction(5)
    video = film(Footage(seconds=4.0, begin=start))
    opening = [unit for unit in video if not isinstance(unit, VideoUnit)]
    media = [unit for unit in together(video, LONG_SOUND) if unit not in opening]
    first = next(n for n, unit in enumerate(media) if isinstance(unit, VideoUnit))
    made = transcode([*media[:first], *opening, *media[first:]])
    assert names(made) == [["audio"], NAMES]
    numbers = [read_number(p.luma) for p in pictures(made, "180p", 1)]
    assert numbers == list(range(120))
    found = skews(made, "180p", Footage(seconds=4.0, begin=start).moments, 1)
    assert len(found) >= 3
    assert max(map(abs, found)) <= SYNC


def test_pictures_that_arrive_late_begin_with_the_sound_that_was_theirs() -> None:
    """Sound went on the air alone; then pictures come of five seconds ago."""
    run = Run()
    run.feed(between(LONG_SOUND, 0, 5))
    rest = together(LONG, between(LONG_SOUND, 5, 9)[1:])

    def due(unit: Unit) -> int:
        late = 5 * SECOND if isinstance(unit, VideoUnit) else 0
        return getattr(unit, "dts", getattr(unit, "pts", 5 * SECOND)) + late

    for unit in sorted(rest, key=due):
        run.pipeline.feed(unit, START_MS + due(unit) // 90)
    made = run.close()
    assert names(made)[:2] == [["audio"], NAMES]
    found = skews(made, "180p", MOMENTS, 1)
    assert len(found) >= 6
    assert max(map(abs, found)) <= SYNC


def test_one_picture_and_then_only_sound() -> None:
    video = LONG[:3]
    assert isinstance(video[-1], VideoUnit)
    made = transcode(together([u for u in video if not hasattr(u, "width")], LONG_SOUND))
    assert names(made)[-1] == NAMES
    assert {read_number(p.luma) for p in pictures(made, "180p", len(hold(made)) - 1)} == {0}


def test_a_scene_is_told_as_shown_even_where_nobody_can_see_it() -> None:
    run = Run()
    run.feed(between(LONG_SOUND, 0, 5))
    run.pipeline.show(Scene("on", (Card("pin", "Honey", Money(1, "EUR")),)), START_MS + 6_000)
    run.pipeline._epochs._drawing.submit(lambda: None).result(timeout=10)
    run.feed(between(LONG_SOUND, 5, 9)[1:])
    hold(run.close())
    (shown,) = [one for one in run.messages if isinstance(one, Shown)]
    assert (shown.scene_id, shown.rects, shown.problems) == ("on", (), ())
    assert 0 <= shown.at_ms - (START_MS + 6_000) <= 25


@pytest.mark.parametrize("hours", [-3, 3])
def test_a_jump_where_there_is_only_sound(hours: int) -> None:
    media = between(LONG_SOUND, 0, 5)
    run = Run()
    run.feed(media)
    moved = [
        AudioUnit(u.pts + hours * 3600 * SECOND, u.data)
        for u in between(LONG_SOUND, 5, 9)
        if isinstance(u, AudioUnit)
    ]
    run.feed(moved, START_MS - hours * 3_600_000)
    made = run.close()
    first, second = hold(made)
    assert [track.name for track in second.tracks] == ["audio"]
    assert second.pdt_ms - end_ms(made, first) <= 60
    assert len(beeps(sound(made, "audio", 1))) >= 3


def test_the_configuration_of_the_sound_changes_on_air() -> None:
    changed = record(Soundtrack(seconds=5.0, begin=4.0, sample_rate=44_100, layout="mono"))
    config = next(unit for unit in changed if isinstance(unit, AudioConfig))
    media = together(LONG, between(LONG_SOUND, 0, 4), [u for u in changed if u is not config])
    at = next(n for n, u in enumerate(media) if isinstance(u, AudioUnit) and u.pts >= 4 * SECOND)
    made = transcode([*media[:at], config, *media[at:]])
    assert names(made) == [NAMES]
    found = skews(made, "180p", MOMENTS)
    assert len(found) >= 7
    assert max(map(abs, found)) <= SYNC


def test_a_video_configuration_without_pictures_does_not_keep_the_sound_off_the_air() -> None:
    config = next(unit for unit in LONG if isinstance(unit, VideoConfig))
    made = transcode([config, *record(Soundtrack(seconds=12.0))])
    assert names(made) == [["audio"]]
