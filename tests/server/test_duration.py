from __future__ import annotations

from operator import mul

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.duration import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("8h", 28_800), ("1h30m", 5_400), (" 2D ", 172_800), ("1w1s", 604_801)],
)
def test_as_people_write_it(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "0s", "8", "h", "-1h", "1.5h", "30m1h", "8 h", "٣h", "9999999h"]
)
def test_what_is_no_length_of_time(text: str) -> None:
    with pytest.raises(ValueError, match="must be a length of time like"):
        parse_duration(text)


@given(st.lists(st.integers(0, 999_999), min_size=5, max_size=5).filter(any))
def test_all_that_is_written_counts(counts: list[int]) -> None:
    text = "".join(f"{count}{unit}" for count, unit in zip(counts, "wdhms", strict=True))
    lengths = (604_800, 86_400, 3_600, 60, 1)
    assert parse_duration(text) == sum(map(mul, counts, lengths))


@given(st.text())
def test_any_text_is_seconds_or_an_error(text: str) -> None:
    try:
        seconds = parse_duration(text)
    except ValueError:
        return
    assert seconds >= 1
