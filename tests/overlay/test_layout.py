from __future__ import annotations

import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overlay.layout import CARD_ASPECT, body_box, card_rect
from overlay.scene import MAX_CARDS, Corner, Rect

ASPECTS = st.floats(0.4, 3.0)
CORNERS = st.sampled_from(Corner)


@given(ASPECTS, CORNERS, st.booleans(), st.integers(0, MAX_CARDS - 1))
def test_every_card_keeps_the_safe_margin(
    aspect: float, corner: Corner, rtl: bool, slot: int
) -> None:
    rect = card_rect(slot, aspect, corner, rtl)
    lowest = 0.75 if aspect < 1 else 0.95
    assert rect.x >= 0.05 - 1e-9
    assert rect.y >= 0.05 - 1e-9
    assert rect.x + rect.width <= 0.95 + 1e-9
    assert rect.y + rect.height <= lowest + 1e-9


@given(ASPECTS, CORNERS, st.booleans())
def test_stacked_cards_never_overlap(aspect: float, corner: Corner, rtl: bool) -> None:
    rects = sorted(
        (card_rect(slot, aspect, corner, rtl) for slot in range(MAX_CARDS)), key=lambda r: r.y
    )
    for above, below in itertools.pairwise(rects):
        assert above.y + above.height < below.y
        assert (above.x, above.width) == (below.x, below.width)


@given(ASPECTS, CORNERS, st.integers(0, MAX_CARDS - 1))
def test_right_to_left_is_the_mirror_image(aspect: float, corner: Corner, slot: int) -> None:
    rect, mirrored = card_rect(slot, aspect, corner), card_rect(slot, aspect, corner, rtl=True)
    assert mirrored.x == pytest.approx(1 - rect.x - rect.width)
    assert (mirrored.y, mirrored.width, mirrored.height) == (rect.y, rect.width, rect.height)


@given(ASPECTS, CORNERS)
def test_cards_have_one_shape_in_every_picture(aspect: float, corner: Corner) -> None:
    rect = card_rect(0, aspect, corner)
    assert rect.width * aspect / rect.height == pytest.approx(CARD_ASPECT)


def test_slot_0_stands_in_its_corner() -> None:
    wide = Fraction(16, 9)
    bottom, top = card_rect(0, wide, Corner.BOTTOM_LEFT), card_rect(0, wide, Corner.TOP_RIGHT)
    assert (bottom.x, bottom.y + bottom.height) == pytest.approx((0.05, 0.95))
    assert (top.x + top.width, top.y) == pytest.approx((0.95, 0.05))
    assert card_rect(1, wide, Corner.BOTTOM_LEFT).y < bottom.y
    assert card_rect(1, wide, Corner.TOP_RIGHT).y > top.y


@pytest.mark.parametrize("size", [(1920, 1080), (1280, 720), (854, 480), (640, 360)])
@pytest.mark.parametrize("corner", Corner)
def test_the_body_is_the_rectangle_to_two_pixels_and_even(
    size: tuple[int, int], corner: Corner
) -> None:
    width, height = size
    rect = card_rect(2, Fraction(16, 9), corner)
    body = body_box(rect, width, height)
    assert not any(length % 2 for length in (body.x, body.y, body.width, body.height))
    assert body.x == pytest.approx(rect.x * width, abs=1)
    assert body.bottom == pytest.approx((rect.y + rect.height) * height, abs=2)
    assert body.right == pytest.approx((rect.x + rect.width) * width, abs=2)


def test_the_body_has_the_same_size_in_every_slot() -> None:
    for aspect, (width, height) in ((1.779, (854, 480)), (0.5639, (406, 720))):
        sizes = {
            (box.width, box.height)
            for slot in range(MAX_CARDS)
            for corner in Corner
            for box in [body_box(card_rect(slot, aspect, corner), width, height)]
        }
        assert len(sizes) == 1


def test_a_body_is_never_empty() -> None:
    body = body_box(Rect(0.1, 0.1, 0.3, 0.1), 4, 4)
    assert (body.width, body.height) == (2, 2)


@pytest.mark.parametrize("slot", [-1, MAX_CARDS])
def test_a_slot_outside_is_refused(slot: int) -> None:
    with pytest.raises(ValueError, match="slot"):
        card_rect(slot, 1.0)


@pytest.mark.parametrize("aspect", [0.0, -1.0, float("nan")])
def test_an_aspect_that_is_none_is_refused(aspect: float) -> None:
    with pytest.raises(ValueError, match="aspect"):
        card_rect(0, aspect)
