from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.duration import parse_duration, write_duration


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


@given(st.integers(1, 10**9))
def test_it_is_read_as_it_was_written(seconds: int) -> None:
    assert parse_duration(write_duration(seconds)) == seconds


@given(st.text())
def test_any_text_is_seconds_or_an_error(text: str) -> None:
    try:
        seconds = parse_duration(text)
    except ValueError:
        return
    assert parse_duration(write_duration(seconds)) == seconds >= 1
