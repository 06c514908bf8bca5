from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from overlay.compositor import Compositor
from overlay.layout import Box, body_box, card_rect
from overlay.motion import DURATION
from overlay.scene import Card, Corner, Money, Motion, Scene
from overlay.tiles import ColorSpec, Matrix
from tests.overlay.cards import Planes, card, drawn, frame, picture

WIDTH, HEIGHT = 640, 360
AT = 900_000


@pytest.fixture
def compositor() -> Compositor:
    return Compositor(WIDTH, HEIGHT, ColorSpec())


@pytest.fixture(scope="module")
def clean() -> Planes:
    return frame(WIDTH, HEIGHT)


def scene(*cards: Card, motion: Motion = Motion.NONE, corner: Corner = Corner.BOTTOM_LEFT) -> Scene:
    return Scene("scene", cards, corner=corner, motion=motion)


def show(compositor: Compositor, shown: Scene, at: int = AT) -> None:
    prepared = compositor.prepare(shown)
    assert prepared.problems == ()
    compositor.change(prepared, at)


def body(slot: int = 0, corner: Corner = Corner.BOTTOM_LEFT) -> Box:
    return body_box(card_rect(slot, Fraction(WIDTH, HEIGHT), corner), WIDTH, HEIGHT)


def inside(plane: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    return plane[box.y : box.bottom, box.x : box.right]


def same(one: Planes, other: Planes) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("motion", Motion)
def test_nothing_is_drawn_before_its_time(
    compositor: Compositor, clean: Planes, motion: Motion
) -> None:
    show(compositor, scene(card(), motion=motion))
    assert same(drawn(compositor, clean, AT - 1), clean)
    assert not same(drawn(compositor, clean, AT), clean)


@pytest.mark.parametrize("motion", Motion)
def test_it_is_idle_until_a_card_comes_and_after_the_last_has_gone(
    compositor: Compositor, clean: Planes, motion: Motion
) -> None:
    idle = [compositor.idle]
    show(compositor, scene(card(), motion=motion))
    drawn(compositor, clean, AT)
    idle.append(compositor.idle)
    show(compositor, scene(motion=motion), AT + 90_000)
    drawn(compositor, clean, AT + 90_000 + DURATION)
    idle.append(compositor.idle)
    assert idle == [True, False, True]


@pytest.mark.parametrize("motion", Motion)
def test_the_first_frame_is_visibly_changed(compositor: Compositor, motion: Motion) -> None:
    show(compositor, scene(card(), motion=motion))
    black = tuple(np.full_like(plane, 16) for plane in frame(WIDTH, HEIGHT))
    y, _, _ = drawn(compositor, (black[0], black[1], black[2]), AT)
    place = inside(y, body())
    # Clear of the travel of a slide.
    assert place[:, place.shape[1] // 4 : -place.shape[1] // 4].mean() > 16 + 0.12 * 200


def test_without_motion_the_first_frame_is_the_last(compositor: Compositor, clean: Planes) -> None:
    show(compositor, scene(card()))
    assert same(drawn(compositor, clean, AT), drawn(compositor, clean, AT + 10**7))


@pytest.mark.parametrize("motion", [Motion.FADE, Motion.SLIDE])
def test_an_animation_ends_in_the_same_pixels(
    compositor: Compositor, clean: Planes, motion: Motion
) -> None:
    show(compositor, scene(card(), motion=motion))
    still = Compositor(WIDTH, HEIGHT, ColorSpec())
    show(still, scene(card()))
    wanted = drawn(still, clean, AT)
    assert not same(drawn(compositor, clean, AT + DURATION // 2), wanted)
    assert same(drawn(compositor, clean, AT + DURATION), wanted)


@pytest.mark.parametrize("motion", Motion)
@pytest.mark.parametrize("slot", [0, 1, 2])
@pytest.mark.parametrize("corner", Corner)
def test_only_card_and_shadow_are_touched(
    compositor: Compositor, clean: Planes, motion: Motion, slot: int, corner: Corner
) -> None:
    show(compositor, scene(card(slot=slot), motion=motion, corner=corner))
    box = body(slot, corner)
    shadow = box.height // 4
    travel = box.width // 8 if motion is Motion.SLIDE else 0
    for now in (AT, AT + DURATION // 2, AT + DURATION):
        after = drawn(compositor, clean, now)
        for plane, before, step in zip(after, clean, (1, 2, 2), strict=True):
            changed = np.argwhere(plane != before) * step
            assert changed[:, 0].min() >= box.y - shadow
            assert changed[:, 0].max() <= box.bottom + shadow
            assert changed[:, 1].min() >= box.x - shadow - travel
            assert changed[:, 1].max() <= box.right + shadow + travel


def test_the_rectangle_is_the_visible_body(compositor: Compositor) -> None:
    prepared = compositor.prepare(scene(card(slot=1), corner=Corner.TOP_RIGHT))
    compositor.change(prepared, AT)
    ((name, rect),) = prepared.rects
    assert name == "pin-1"
    assert rect == card_rect(1, Fraction(WIDTH, HEIGHT), Corner.TOP_RIGHT)
    y, _, _ = drawn(compositor, tuple_of(16), AT)
    # The paper is white, the frame black, the shadow darker still.
    rows, columns = np.nonzero(y > 200)
    assert columns.min() == pytest.approx(rect.x * WIDTH, abs=2)
    assert columns.max() + 1 == pytest.approx((rect.x + rect.width) * WIDTH, abs=2)
    assert rows.min() == pytest.approx(rect.y * HEIGHT, abs=2)
    assert rows.max() + 1 == pytest.approx((rect.y + rect.height) * HEIGHT, abs=2)


def tuple_of(level: int) -> Planes:
    y, u, v = frame(WIDTH, HEIGHT)
    return np.full_like(y, level), np.full_like(u, 128), np.full_like(v, 128)


@pytest.mark.parametrize(
    ("spec", "codes"),
    [
        (ColorSpec(Matrix.BT709), (63, 102, 240)),
        (ColorSpec(Matrix.BT601), (81, 90, 240)),
        (ColorSpec(Matrix.BT601, full_range=True), (76, 85, 255)),
    ],
)
@pytest.mark.parametrize("motion", Motion)
def test_colours_in_the_frame_are_exact(
    clean: Planes, spec: ColorSpec, codes: tuple[int, int, int], motion: Motion
) -> None:
    compositor = Compositor(WIDTH, HEIGHT, spec)
    show(compositor, scene(card(image=picture((255, 0, 0))), motion=motion))
    planes = drawn(compositor, clean, AT + DURATION)
    box = body()
    row, column = box.y + int(box.height * 0.7), box.x + box.height // 2
    for plane, step, code in zip(planes, (1, 2, 2), codes, strict=True):
        assert int(plane[row // step, column // step]) == pytest.approx(code, abs=2)


def test_a_fade_is_the_mean_of_before_and_after(compositor: Compositor, clean: Planes) -> None:
    show(compositor, scene(card(), motion=Motion.FADE))
    final = drawn(compositor, clean, AT + DURATION)
    first = drawn(compositor, clean, AT)
    for before, after, mixed in zip(clean, final, first, strict=True):
        wanted = 0.8 * before.astype(float) + 0.2 * after.astype(float)
        assert np.abs(mixed - wanted).max() <= 2


def test_padding_between_rows_is_left_alone(compositor: Compositor) -> None:
    show(compositor, scene(card()))
    wide = [np.full((rows, columns + 64), 77, np.uint8) for rows, columns in SHAPES]
    views = [p[:, :columns] for p, (_, columns) in zip(wide, SHAPES, strict=True)]
    compositor.draw(views[0], views[1], views[2], AT)
    for plane, (_, columns) in zip(wide, SHAPES, strict=True):
        assert (plane[:, columns:] == 77).all()
        assert (plane[:, :columns] != 77).any()


SHAPES = ((HEIGHT, WIDTH), (HEIGHT // 2, WIDTH // 2), (HEIGHT // 2, WIDTH // 2))


def test_three_cards_stand_at_once(compositor: Compositor, clean: Planes) -> None:
    show(compositor, scene(*(card(f"pin-{slot}", slot) for slot in range(3))))
    after = drawn(compositor, clean, AT)
    for slot in range(3):
        assert (inside(after[0], body(slot)) > 200).mean() > 0.5


def test_an_empty_scene_takes_the_cards_away(compositor: Compositor, clean: Planes) -> None:
    show(compositor, scene(card()))
    show(compositor, scene(), AT + 90_000)
    assert not same(drawn(compositor, clean, AT + 89_999), clean)
    assert same(drawn(compositor, clean, AT + 90_000), clean)


def test_a_card_that_stays_is_not_animated_again(compositor: Compositor, clean: Planes) -> None:
    show(compositor, scene(card("one", 0), motion=Motion.SLIDE))
    settled = drawn(compositor, clean, AT + DURATION)
    later = AT + 10 * DURATION
    show(compositor, scene(card("one", 0), card("two", 2), motion=Motion.SLIDE), later)
    after = drawn(compositor, clean, later)
    assert np.array_equal(inside(after[0], body(0)), inside(settled[0], body(0)))
    assert not same(after, settled)


def test_a_card_replaced_in_its_slot_leaves_and_enters(
    compositor: Compositor, clean: Planes
) -> None:
    other = replace(card("two"), title="Wool Scarf")
    show(compositor, scene(card("one"), motion=Motion.FADE))
    show(compositor, scene(other, motion=Motion.FADE), AT + 90_000)
    only = Compositor(WIDTH, HEIGHT, ColorSpec())
    show(only, scene(other))
    end = AT + 90_000 + DURATION
    assert not same(drawn(compositor, clean, end - DURATION // 2), drawn(only, clean, end))
    assert same(drawn(compositor, clean, end), drawn(only, clean, end))


def test_a_card_may_leave_while_it_still_enters(compositor: Compositor, clean: Planes) -> None:
    show(compositor, scene(card(), motion=Motion.FADE))
    show(compositor, scene(motion=Motion.FADE), AT + 3000)
    assert not same(drawn(compositor, clean, AT + 3000), clean)
    assert same(drawn(compositor, clean, AT + 3000 + DURATION), clean)


def test_a_card_taken_back_at_once_never_shows(compositor: Compositor, clean: Planes) -> None:
    show(compositor, scene(card(), motion=Motion.FADE))
    show(compositor, scene(motion=Motion.FADE), AT)
    assert same(drawn(compositor, clean, AT), clean)


def test_scenes_that_change_every_tick_keep_a_bounded_crowd(
    compositor: Compositor, clean: Planes
) -> None:
    scenes = [compositor.prepare(scene(card(f"pin-{n}"), motion=Motion.FADE)) for n in range(2)]
    for tick in range(200):
        compositor.change(scenes[tick % 2], AT + tick)
    assert len(compositor._actors) <= 7
    drawn(compositor, clean, AT + 200)
    compositor.change(compositor.prepare(scene()), AT + 300)
    assert same(drawn(compositor, clean, AT + 300 + DURATION), clean)


def test_a_broken_card_is_left_out_and_told(compositor: Compositor, clean: Planes) -> None:
    good, broken = card("good", 0), replace(card("broken", 1), image=b"no image")
    mute, beyond = replace(card("mute", 2), title="😀"), card("beyond", 9)
    cheap = replace(card("cheap", 1), was=Money(1, "USD"))
    prepared = compositor.prepare(scene(good, broken, mute, beyond, cheap))
    assert [name for name, _ in prepared.rects] == ["good"]
    assert len(prepared.problems) == 4
    for name, problem in zip(("broken", "mute", "beyond", "cheap"), prepared.problems, strict=True):
        assert name in problem
    assert "U+1F600" in prepared.problems[1]
    compositor.change(prepared, AT)
    assert not same(drawn(compositor, clean, AT), clean)


def test_a_right_to_left_locale_mirrors_the_corner(compositor: Compositor) -> None:
    shown = replace(scene(card()), locale="ar-AE")
    ((_, rect),) = compositor.prepare(shown).rects
    assert rect == card_rect(0, Fraction(WIDTH, HEIGHT), Corner.BOTTOM_RIGHT)


@pytest.mark.parametrize("size", [(0, 0), (641, 360), (640, 361), (-2, 2)])
def test_odd_or_empty_pictures_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="even"):
        Compositor(*size, ColorSpec())


def test_planes_of_another_size_are_refused(compositor: Compositor) -> None:
    show(compositor, scene(card()))
    y, u, v = frame(WIDTH, HEIGHT)
    with pytest.raises(ValueError, match="do not fit"):
        compositor.draw(y[:-2], u, v, AT)


@pytest.mark.parametrize("size", [(16, 16), (2, 2), (64, 4), (4, 64), (404, 720), (1920, 800)])
def test_pictures_of_any_size_take_cards(size: tuple[int, int]) -> None:
    compositor = Compositor(*size, ColorSpec())
    show(compositor, scene(card(image=picture()), motion=Motion.SLIDE))
    planes = frame(*size, padding=0)
    for now in (AT, AT + DURATION):
        drawn(compositor, planes, now)
