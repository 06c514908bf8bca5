from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overlay.wrap import ELLIPSIS, wrap


def width(text: str) -> float:
    return float(len(text))


@pytest.mark.parametrize(
    ("text", "room", "lines"),
    [
        ("", 10, []),
        ("   ", 10, []),
        ("Silk", 10, ["Silk"]),
        ("Silk Blouse", 10, ["Silk", "Blouse"]),
        ("Silk Blouse", 11, ["Silk Blouse"]),
        ("Silk  Blouse with pearls", 11, ["Silk", "Blouse…"]),
        ("Wash-and-wear", 9, ["Wash-and-", "wear"]),
        ("Donaudampfschiff", 10, ["Donaudampf", "schiff"]),
        ("夏季新款真丝衬衫", 5, ["夏季新款真", "丝衬衫"]),
        ("夏季新款，真丝衬衫", 4, ["夏季新", "款，真…"]),
        ("新款「真丝」", 3, ["新款", "「真…"]),
        ("실크 블라우스", 5, ["실크", "블라우스"]),
        ("USB-C 充電器 黒", 7, ["USB-C 充", "電器 黒"]),
    ],
)
def test_lines_break_where_a_reader_expects(text: str, room: int, lines: list[str]) -> None:
    assert wrap(text, room, 2, width) == lines


def test_the_ellipsis_follows_a_whole_word_when_that_costs_little() -> None:
    assert wrap("a jacket for women", 16, 1, width) == ["a jacket for…"]
    assert wrap("Donaudampfschifffahrt", 10, 1, width) == ["Donaudamp…"]


def test_no_comma_hangs_before_the_ellipsis() -> None:
    assert wrap("Blouse, silk, white", 9, 1, width) == ["Blouse…"]


@given(st.text(max_size=80), st.integers(1, 20), st.integers(1, 4))
def test_lines_fit_and_lose_nothing_but_spaces(text: str, room: int, lines: int) -> None:
    done = wrap(text, room, lines, width)
    assert len(done) <= lines
    assert all(len(line) <= room for line in done)
    kept = "".join("".join(done).split()).removesuffix(ELLIPSIS)
    assert "".join(text.split()).startswith(kept)
    if not done or not done[-1].endswith(ELLIPSIS):
        assert kept == "".join(text.split())
