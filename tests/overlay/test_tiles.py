from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from overlay.errors import BadPrice, BrokenImage, MissingGlyph
from overlay.layout import Box
from overlay.scene import Card, Money
from overlay.tiles import KEPT_TILES, ColorSpec, Matrix, Plane, Renderer, check, render
from overlay.typeface import Typeface
from tests.overlay.cards import card, picture

BODY = Box(64, 500, 446, 144)

# Code values as published for 8 bit: BT.601-7 and BT.709-6 colour bars, and JFIF's (full).
RED, GREEN, BLUE, WHITE, BLACK = (
    (255, 0, 0),
    (0, 255, 0),
    (0, 0, 255),
    (255, 255, 255),
    (0, 0, 0),
)
PUBLISHED = [
    (Matrix.BT601, False, RED, (81, 90, 240)),
    (Matrix.BT601, False, GREEN, (145, 54, 34)),
    (Matrix.BT601, False, BLUE, (41, 240, 110)),
    (Matrix.BT709, False, RED, (63, 102, 240)),
    (Matrix.BT709, False, GREEN, (173, 42, 26)),
    (Matrix.BT709, False, BLUE, (32, 240, 118)),
    (Matrix.BT709, False, WHITE, (235, 128, 128)),
    (Matrix.BT709, False, BLACK, (16, 128, 128)),
    (Matrix.BT601, True, RED, (76, 85, 255)),
    (Matrix.BT601, True, GREEN, (150, 44, 21)),
    (Matrix.BT601, True, BLUE, (29, 255, 107)),
    (Matrix.BT709, True, WHITE, (255, 128, 128)),
]


@pytest.fixture(scope="module")
def typeface() -> Typeface:
    return Typeface()


def value(plane: Plane, row: int, column: int) -> int:
    """Read the sample that an opaque place of a tile puts into the picture."""
    assert plane.keep[row, column] == 0
    return int(plane.add[row, column])


@pytest.mark.parametrize(("matrix", "full", "colour", "codes"), PUBLISHED)
def test_colours_have_their_published_code_values(
    typeface: Typeface,
    matrix: Matrix,
    full: bool,
    colour: tuple[int, int, int],
    codes: tuple[int, int, int],
) -> None:
    shown = card(image=picture(colour))
    tile = render(shown, BODY, "en", ColorSpec(matrix, full), typeface)
    # Low in the middle of the picture, clear of the badge.
    row = tile.margin + int(BODY.height * 0.7)
    column = tile.margin + BODY.height // 2
    got = (
        value(tile.y, row, column),
        value(tile.u, row // 2, column // 2),
        value(tile.v, row // 2, column // 2),
    )
    assert got == pytest.approx(codes, abs=2)


def test_a_tile_is_even_and_as_large_as_body_and_shadow(typeface: Typeface) -> None:
    tile = render(card(), BODY, "en", ColorSpec(), typeface)
    assert (tile.width, tile.height) == (
        BODY.width + 2 * tile.margin,
        BODY.height + 2 * tile.margin,
    )
    assert not any(length % 2 for length in (tile.width, tile.height, tile.margin))
    assert tile.y.keep.shape == tile.y.add.shape == (tile.height, tile.width)
    assert tile.u.keep.shape == tile.v.add.shape == (tile.height // 2, tile.width // 2)


def test_the_body_covers_and_the_shadow_fades_out(typeface: Typeface) -> None:
    tile = render(card(), BODY, "en", ColorSpec(), typeface)
    keep, margin = tile.y.keep, tile.margin
    radius = BODY.height // 6
    assert not keep[margin : -margin or None, margin + radius : -margin - radius].any()
    edge = np.concatenate([keep[0], keep[-1], keep[:, 0], keep[:, -1]])
    assert edge.min() >= 248
    assert keep[margin, margin] > 128, "corners are round"


@pytest.mark.parametrize("full", [False, True])
def test_blending_never_overflows_16_bits(typeface: Typeface, full: bool) -> None:
    tile = render(card(image=picture(WHITE)), BODY, "en", ColorSpec(full_range=full), typeface)
    for plane in (tile.y, tile.u, tile.v):
        assert (plane.keep.astype(np.int64) + plane.add).max() <= 255


def test_blacks_and_whites_stay_in_limited_range(typeface: Typeface) -> None:
    tile = render(card(image=picture(BLACK)), BODY, "en", ColorSpec(), typeface)
    covered = tile.y.add[tile.y.keep == 0]
    assert covered.min() >= 16
    assert covered.max() <= 235


def columns_of_ink(shown: Card, typeface: Typeface, locale: str = "en") -> NDArray[np.bool_]:
    tile = render(shown, BODY, locale, ColorSpec(), typeface)
    body = slice(tile.margin, -tile.margin)
    levels = np.where(tile.y.keep == 0, tile.y.add, 235)[body, body]
    return np.asarray((levels < 200).any(axis=0))


@pytest.mark.parametrize(
    ("title", "price", "was", "locale"),
    [
        ("Silk", Money(100, "USD"), None, "en"),
        ("A very long title of many words " * 8, Money(10**14, "KWD"), None, "en"),
        ("W" * 300, Money(10**14, "IDR"), Money(2 * 10**14, "IDR"), "id"),
        ("夏季新款真丝衬衫女士长袖宽松显瘦" * 5, Money(19_900, "CNY"), Money(39_900, "CNY"), "zh"),
        ("", Money(1980, "JPY"), Money(2980, "JPY"), "ja"),
    ],
)
@pytest.mark.parametrize("image", [None, picture(WHITE)])
@pytest.mark.parametrize("size", [(446, 144), (224, 72), (124, 40)])
def test_text_stays_inside_the_card(
    typeface: Typeface,
    title: str,
    price: Money,
    was: Money | None,
    locale: str,
    image: bytes | None,
    size: tuple[int, int],
) -> None:
    shown = Card("pin", title, price, was, image)
    tile = render(shown, Box(0, 0, *size), locale, ColorSpec(), typeface)
    rim = round(size[1] * 0.05)
    body = slice(tile.margin, -tile.margin)
    levels = np.where(tile.y.keep == 0, tile.y.add, 235)[body, body]
    middle = slice(size[1] // 3, -size[1] // 3)
    assert levels[middle, -rim:-1].min() > 200
    assert levels[middle, 1:rim].min() > 200
    assert (levels < 120).any(), "something is written"


def test_right_to_left_cards_are_mirrored(typeface: Typeface) -> None:
    shown = replace(card(image=picture(BLACK)), was=None)
    ltr = columns_of_ink(shown, typeface)
    rtl = columns_of_ink(shown, typeface, "ar-AE")
    assert ltr[20:100].all()
    assert not rtl[20:100].all()
    assert rtl[-100:-20].all()


@pytest.mark.parametrize("text", ["title", "price", "was", "image"])
def test_every_part_of_a_card_is_visible(typeface: Typeface, text: str) -> None:
    whole = card(image=picture())
    less = {
        "title": replace(whole, title=""),
        "price": replace(whole, price=Money(10_321, "USD")),
        "was": replace(whole, was=None),
        "image": replace(whole, image=None),
    }[text]
    one, other = (render(c, BODY, "en", ColorSpec(), typeface).y.add for c in (whole, less))
    assert np.count_nonzero(one != other) > 20


def test_a_discount_under_one_percent_has_no_badge(typeface: Typeface) -> None:
    shown = Card("pin", "Silk", Money(9_999, "USD"), Money(10_000, "USD"), picture(BLACK))
    tile = render(shown, BODY, "en", ColorSpec(), typeface)
    corner = slice(tile.margin + 20, tile.margin + 40)
    assert (tile.y.add[corner, corner] == 16).all()


def test_a_symbol_without_a_glyph_gives_way_to_the_iso_code(typeface: Typeface) -> None:
    turkish = Card("pin", "Silk", Money(12_900, "TRY"))
    check(turkish, "tr")
    assert render(turkish, BODY, "tr", ColorSpec(), typeface).y.keep.min() == 0


def test_check_passes_what_can_be_drawn() -> None:
    check(card(image=picture(kind="JPEG")), "en")
    check(replace(card(), title="真丝衬衫"), "ar-AE")


def test_check_names_the_missing_character() -> None:
    with pytest.raises(MissingGlyph, match="U\\+1F600"):
        check(replace(card(), title="Silk 😀"), "en")


def test_check_refuses_a_broken_image() -> None:
    with pytest.raises(BrokenImage):
        check(card(image=b"not a picture"), "en")


def test_check_refuses_an_old_price_that_is_lower() -> None:
    with pytest.raises(BadPrice):
        check(replace(card(), was=Money(1, "USD")), "en")


def test_a_tile_is_rendered_once_for_the_same_content() -> None:
    renderer = Renderer(ColorSpec())
    tile = renderer.tile(card("one", 0), BODY, "en")
    assert renderer.tile(card("two", 2), BODY, "en") is tile
    assert renderer.tile(card("one", 0), BODY, "de") is not tile
    assert renderer.tile(replace(card(), title="Other"), BODY, "en") is not tile


def test_only_the_last_tiles_are_remembered() -> None:
    renderer = Renderer(ColorSpec())
    small = Box(0, 0, 62, 20)
    first = renderer.tile(card(), small, "en")
    for number in range(KEPT_TILES):
        renderer.tile(replace(card(), title=f"Other {number}"), small, "en")
    assert renderer.tile(card(), small, "en") is not first
