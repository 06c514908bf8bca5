from __future__ import annotations

import numpy as np
import pytest

from overlay.errors import MissingGlyph
from overlay.typeface import TextMask, Typeface, Weight, clean


@pytest.fixture(scope="module")
def typeface() -> Typeface:
    return Typeface()


def ink(line: TextMask) -> tuple[int, int, int, int]:
    """Give the first and last column and row that carry ink."""
    rows, columns = np.nonzero(line.mask > 0.2)
    return int(columns.min()), int(columns.max()), int(rows.min()), int(rows.max())


@pytest.mark.parametrize(
    "text",
    [
        "Silk Blouse, 100% — “new” ½ €£$¥ äöüßçñøÅŁğİ",
        "Шёлковая блузка №5",
        "Μεταξωτή μπλούζα",
        "夏季新款真丝衬衫，长袖「通勤」",
        "なめらかシルクブラウス ￥1,980",
        "실크 블라우스 ₩12,900",
        "Áo lụa tơ tằm ₫",
    ],
)
def test_latin_cyrillic_greek_cjk_and_hangul_are_drawn(typeface: Typeface, text: str) -> None:
    typeface.check(text)
    assert typeface.draw(text, 20, Weight.MEDIUM).mask.max() > 0.9


@pytest.mark.parametrize(
    ("character", "script"),
    [
        ("😀", "emoji"),
        ("ก", "Thai"),
        ("क", "Devanagari"),
        ("ا", "Arabic"),
        ("א", "Hebrew"),
        ("\ue000", "private use"),
        ("\u0378", "unassigned"),
        ("𠮷", "a rare ideograph"),
        ("\u20dd", "an enclosing mark"),
        ("℃", "blank in the font"),
    ],
)
def test_what_no_font_draws_right_is_an_error_that_names_it(
    typeface: Typeface, character: str, script: str
) -> None:
    with pytest.raises(MissingGlyph) as caught:
        typeface.check(f"Silk {character} Blouse")
    assert caught.value.character == character, script
    assert f"U+{ord(character):04X}" in str(caught.value)
    with pytest.raises(MissingGlyph):
        typeface.draw(f"Silk {character}", 20, Weight.REGULAR)


def test_a_real_question_mark_is_no_missing_glyph(typeface: Typeface) -> None:
    typeface.check("What? ？")


def test_texts_are_reduced_to_what_is_drawn() -> None:
    assert clean("  e\u0301te\u0301\u200b \n\t 2\u00a0000\u202f€\ufe0f ") == "été 2 000 €"


@pytest.mark.parametrize("text", ["Silk Blouse", "$100.20", "夏季新款", "¥100 真丝 00"])
@pytest.mark.parametrize("size", [11, 13.3, 40])
def test_a_line_measures_what_it_draws(typeface: Typeface, text: str, size: float) -> None:
    line = typeface.draw(text, size, Weight.BOLD)
    first, last, top, bottom = ink(line)
    assert line.width == pytest.approx(typeface.width(text, size, Weight.BOLD), rel=0.05)
    assert first >= line.left - 0.15 * size
    assert last <= line.left + line.width + 0.15 * size
    assert line.baseline - size <= top < line.baseline
    assert bottom <= line.baseline + 0.3 * size


def test_widths_scale_with_the_size(typeface: Typeface) -> None:
    small = typeface.width("Silk Blouse 2000", 12, Weight.MEDIUM)
    assert typeface.width("Silk Blouse 2000", 48, Weight.MEDIUM) == pytest.approx(
        4 * small, rel=0.05
    )


@pytest.mark.parametrize("text", ["Silk", "真丝", "실크"])
def test_a_heavier_weight_puts_down_more_ink_in_both_faces(typeface: Typeface, text: str) -> None:
    light = typeface.draw(text, 40, Weight.REGULAR).mask.sum()
    assert typeface.draw(text, 40, Weight.BOLD).mask.sum() > 1.05 * light


def test_the_zero_is_open(typeface: Typeface) -> None:
    line = typeface.draw("0", 100, Weight.REGULAR)
    first, last, top, bottom = ink(line)
    middle = line.mask[(top + bottom) // 2, first : last + 1]
    strokes = np.count_nonzero(np.diff((middle > 0.5).astype(np.int8)) == 1)
    assert middle[len(middle) // 2] < 0.1
    assert strokes == 1, "left stroke starts at the edge, only the right one begins inside"


def test_nothing_is_drawn_for_nothing(typeface: Typeface) -> None:
    assert typeface.width("", 20, Weight.REGULAR) == 0
    assert not typeface.draw(" ", 20, Weight.REGULAR).mask.any()
