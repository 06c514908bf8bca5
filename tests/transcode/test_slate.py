"""What the worker makes of the time in which nobody publishes."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from overlay.scene import Card, Money, Motion, Scene
from overlay.tiles import ColorSpec
from tests.helpers.clips import read_number
from tests.helpers.footage import Footage, Soundtrack, film, record, shifted, together
from tests.helpers.promises import end_ms, hold
from tests.helpers.rendered import parts, pictures, sound
from tests.helpers.worker_run import START_MS, Run
from transcode.message import Interrupt, Shown
from transcode.profile import Profile, Rung
from transcode.slate import compose

SECOND = 90_000
TITLE = "Honey & Wax"
SLATE = Interrupt(slate=True, title=TITLE)
SHOW = together(film(Footage()), record(Soundtrack()))
SOUND_ALONE = record(Soundtrack(seconds=4.0))
END_MS = START_MS + 2_000
STEP_MS = 200
CARD = Card("pin", "Honey", Money(1450, "EUR"))
BIG = Profile("big", (Rung(360, 900_000), Rung(180, 300_000)))


def ticks(run: Run, begin_ms: int, end: int) -> None:
    for now_ms in range(begin_ms, end + 1, STEP_MS):
        run.pipeline.tick(now_ms)


def detail(luma: NDArray[np.uint8]) -> float:
    """Give the energy of the finest details."""
    return float(cv2.Laplacian(luma.astype(np.float32), cv2.CV_32F).std())


def test_it_goes_on_where_the_picture_ended_and_up_to_each_tick() -> None:
    run = Run()
    run.feed(SHOW)
    run.pipeline.interrupt(SLATE)
    made = len(run.messages)
    assert parts(run.messages, "180p", 0)[-1].last, "what was held went out at once"
    run.pipeline.tick(END_MS + 600)
    run.pipeline.tick(END_MS + 800)
    assert len(run.messages) > made
    for now_ms in range(END_MS + 1_000, END_MS + 3_001, STEP_MS):
        run.pipeline.tick(now_ms)
    first, second = hold(run.close())
    assert second.pdt_ms == end_ms(run.messages, first), "no hole"
    assert [track.name for track in second.tracks] == [track.name for track in first.tracks]
    assert [track.codecs for track in second.tracks] == [track.codecs for track in first.tracks]
    assert END_MS + 3_000 <= end_ms(run.messages, second) <= END_MS + 3_034
    assert np.abs(sound(run.messages, "180p", 1)).max() < 0.001


def test_after_a_long_silence_it_begins_with_the_first_tick() -> None:
    run = Run()
    run.feed(SHOW)
    run.pipeline.interrupt(SLATE)
    ticks(run, END_MS + 9_000, END_MS + 10_000)
    _, second = hold(run.close())
    assert second.pdt_ms == END_MS + 9_000
    assert 30 <= len(pictures(run.messages, "90p", 1)) <= 32


def test_a_pause_of_the_ticks_is_not_made_up_for() -> None:
    run = Run()
    run.feed(SHOW)
    run.pipeline.interrupt(SLATE)
    ticks(run, END_MS, END_MS + 1_000)
    ticks(run, END_MS + 600_000, END_MS + 601_000)
    _, second, third = hold(run.close())
    assert len(pictures(run.messages, "90p", second.number)) <= 32
    assert third.pdt_ms == END_MS + 600_000
    assert len(pictures(run.messages, "90p", third.number)) <= 32


def test_a_clock_that_goes_back_encodes_nothing() -> None:
    run = Run()
    run.feed(SHOW)
    run.pipeline.interrupt(SLATE)
    ticks(run, END_MS, END_MS + 1_000)
    count = len(run.messages)
    ticks(run, END_MS - 60_000, END_MS - 59_000)
    assert len(run.messages) == count
    hold(run.close())


def test_it_does_not_begin_before_the_picture_has_ended() -> None:
    run = Run()
    run.feed(SHOW)
    run.pipeline.interrupt(SLATE)
    ticks(run, END_MS - 1_000, END_MS)
    run.feed(SHOW, END_MS - 500)
    assert [epoch.slate for epoch in hold(run.close())] == [False, False]


def test_without_a_slate_nothing_is_made() -> None:
    run = Run()
    run.feed(SHOW)
    run.pipeline.interrupt(Interrupt(slate=False, title=TITLE))
    made = len(run.messages)
    assert parts(run.messages, "180p")[-1].last
    ticks(run, END_MS, END_MS + 2_000)
    assert len(run.messages) == made
    run.feed(SHOW, END_MS + 4_000)
    _, second = hold(run.close())
    assert second.pdt_ms == END_MS + 4_000


def test_a_tick_without_an_interruption_means_nothing() -> None:
    run = Run()
    run.feed(SHOW[:60])
    made = len(run.messages)
    ticks(run, END_MS, END_MS + 2_000)
    assert len(run.messages) == made


@pytest.mark.parametrize("told", [True, False], ids=["rate-told", "rate-measured"])
@pytest.mark.parametrize("splice", [True, False])
def test_the_next_publisher_takes_its_place(told: bool, splice: bool) -> None:
    run = Run()
    run.feed(SHOW)
    run.pipeline.interrupt(SLATE)
    ticks(run, END_MS, END_MS + 1_000)
    if splice:
        run.pipeline.splice()
    back = shifted(together(film(Footage(width=180, height=320), told=told), SOUND_ALONE), 77_000)
    run.feed(back, END_MS + 1_500 - 77_000 // 90)
    first, slate, again = hold(run.close())
    assert slate.pdt_ms == end_ms(run.messages, first)
    assert 0 <= again.pdt_ms - end_ms(run.messages, slate) <= 34, "no hole"
    assert abs(again.pdt_ms - (END_MS + 1_500)) <= 34
    assert (again.tracks[0].width, again.tracks[0].height) == (180, 320)
    numbers = [read_number(p.luma) for p in pictures(run.messages, "180p", again.number)]
    assert numbers[:60] == list(range(60))


def test_a_publisher_that_comes_and_goes_without_a_picture() -> None:
    run = Run()
    run.feed(SHOW)
    run.pipeline.interrupt(SLATE)
    ticks(run, END_MS, END_MS + 1_000)
    run.feed(SHOW[:3], END_MS + 1_100)
    run.pipeline.interrupt(SLATE)
    ticks(run, END_MS + 1_200, END_MS + 2_000)
    run.feed(SHOW, END_MS + 2_100)
    made = hold(run.close())
    assert len(made) == 4
    assert len(pictures(run.messages, "180p", 3)) == 60


def test_it_is_blurred_dark_and_bears_the_title() -> None:
    run = Run(profile=BIG)
    run.feed(film(Footage(width=640, height=360)))
    run.pipeline.interrupt(SLATE)
    ticks(run, END_MS, END_MS + 1_000)
    hold(run.close())
    before = pictures(run.messages, "360p", 0)[-1].luma
    slate = [p.luma for p in pictures(run.messages, "360p", 1)]
    for luma in (slate[0], slate[-1]):
        behind = luma[luma.shape[0] * 7 // 10 :]
        assert detail(behind) < detail(before) / 4
        assert luma.mean() < before.mean() * 0.7
        middle = luma[luma.shape[0] * 3 // 10 : luma.shape[0] // 2]
        bright = np.flatnonzero((middle > 200).any(axis=0))
        assert 0.2 < (bright[-1] - bright[0]) / luma.shape[1] < 0.9, "the title"
        assert abs((bright[0] + bright[-1]) / 2 / luma.shape[1] - 0.5) < 0.03, "in the middle"
    other = Run(profile=BIG)
    other.feed(film(Footage(width=640, height=360)))
    other.pipeline.interrupt(Interrupt(slate=True, title=""))
    ticks(other, END_MS, END_MS + 1_000)
    plain = pictures(other.close(), "360p", 1)[-1].luma
    title = np.abs(plain.astype(int) - slate[-1])[100:180].max()
    assert title > 120, "another title is another picture"


@pytest.mark.parametrize(
    "title",
    ["", "   ", "🐝🐝", "Honig 🐝 & Wachs", "شمع وعسل", "手作りの陶器", "w" * 300, "a b " * 100],
)
def test_any_title_makes_a_slate(title: str) -> None:
    for width, height in ((640, 360), (360, 640), (66, 66), (2, 2)):
        frame = compose(None, width, height, ColorSpec(), title)
        assert (frame.width, frame.height, frame.format.name) == (width, height, "yuv420p")
    wide = compose(None, 640, 360, ColorSpec(), title).to_ndarray()
    assert wide[:360, :40].max() < 60, "nothing at the edge"
    assert wide[:360, 200:440].max() > 200, "three dots at least"


def test_cards_stand_on_it() -> None:
    run, bare = Run(profile=BIG), Run(profile=BIG)
    run.pipeline.show(Scene("on", (CARD,), motion=Motion.NONE), START_MS)
    for one in (run, bare):
        one.feed(film(Footage(width=640, height=360)))
        one.pipeline.interrupt(SLATE)
        ticks(one, END_MS, END_MS + 1_000)
        hold(one.close())
    shown = [message for message in run.messages if isinstance(message, Shown)]
    assert [one.scene_id for one in shown] == ["on", "on"]
    assert shown[-1].at_ms == END_MS
    ((_, rect),) = shown[-1].rects
    for name in ("360p", "180p"):
        with_card, without = (pictures(one.messages, name, 1) for one in (run, bare))
        for number in (0, 15):
            apart = np.abs(with_card[number].luma.astype(int) - without[number].luma)
            height, width = apart.shape
            rows = slice(int(rect.y * height), int((rect.y + rect.height) * height))
            columns = slice(int(rect.x * width), int((rect.x + rect.width) * width))
            assert apart[rows, columns].mean() > 60
            assert apart[: height // 2].mean() < 2


def test_a_card_pinned_while_it_stands_is_drawn() -> None:
    run = Run()
    run.feed(SHOW)
    run.pipeline.interrupt(SLATE)
    ticks(run, END_MS, END_MS + 1_000)
    run.pipeline.show(Scene("on", (CARD,)), END_MS + 1_200)
    run.pipeline._epochs._drawing.submit(lambda: None).result(timeout=10)
    ticks(run, END_MS + 1_200, END_MS + 2_000)
    hold(run.close())
    (shown,) = [message for message in run.messages if isinstance(message, Shown)]
    assert END_MS + 1_200 <= shown.at_ms <= END_MS + 1_234


@pytest.mark.parametrize(
    ("told", "size"),
    [(SLATE, (320, 180)), (Interrupt(True, TITLE, 1080, 1920), (180, 320))],
    ids=["unknown", "told"],
)
def test_a_worker_that_never_saw_a_picture_shows_the_title_alone(
    told: Interrupt, size: tuple[int, int]
) -> None:
    run = Run(floor_ms=END_MS)
    run.pipeline.interrupt(told)
    ticks(run, END_MS + 1_000, END_MS + 3_000)
    (only,) = hold(run.close())
    assert only.pdt_ms == END_MS, "where the worker before it ended"
    assert [track.name for track in only.tracks] == ["180p", "90p", "audio"]
    assert (only.tracks[0].width, only.tracks[0].height) == size
    luma = pictures(run.messages, "180p")[-1].luma
    assert np.median(luma) < 60
    assert luma.max() > 180


def test_the_same_ladder_even_at_an_unusual_rate() -> None:
    run = Run()
    run.feed(film(Footage(rate=Fraction(50))))
    run.pipeline.interrupt(SLATE)
    ticks(run, END_MS, END_MS + 2_000)
    first, second = hold(run.close())
    assert second.tracks[0].frame_rate == first.tracks[0].frame_rate == 50
    assert 100 <= len(pictures(run.messages, "90p", 1)) <= 102


def test_after_sound_alone_it_is_silence() -> None:
    run = Run()
    run.feed(SOUND_ALONE)
    run.pipeline.interrupt(SLATE)
    ticks(run, START_MS + 4_200, START_MS + 6_000)
    _, second = hold(run.close())
    assert [track.name for track in second.tracks] == ["audio"]
    assert np.abs(sound(run.messages, "audio", 1)).max() < 0.001
    assert end_ms(run.messages, second) == pytest.approx(START_MS + 6_000, abs=22)


def test_sound_alone_takes_its_place_when_no_picture_comes() -> None:
    run = Run()
    run.feed(SHOW)
    run.pipeline.interrupt(SLATE)
    ticks(run, END_MS, END_MS + 400)
    run.feed(SOUND_ALONE, END_MS + 500)
    made = hold(run.close())
    assert [[track.name for track in epoch.tracks] for epoch in made] == [
        ["180p", "90p", "audio"],
        ["180p", "90p", "audio"],
        ["audio"],
    ]
