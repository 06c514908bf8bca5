from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.instant import parse_rfc3339, rfc3339


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1970-01-01T00:00:00.000Z", 0),
        ("2026-01-02T03:04:05.678Z", 1_767_323_045_678),
        ("2026-01-02T05:04:05.6789+02:00", 1_767_323_045_678),
        ("2026-01-02t03:04:05z", 1_767_323_045_000),
    ],
)
def test_instants_are_read(text: str, ms: int) -> None:
    assert parse_rfc3339(text) == ms


@given(st.integers(0, 4_000_000_000_000))
def test_what_is_written_is_read_back(ms: int) -> None:
    assert parse_rfc3339(rfc3339(ms)) == ms
    assert len(rfc3339(ms)) == len("2026-01-02T03:04:05.678Z")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-01-02T03:04:05",
        "2026-01-02",
        "2026-13-02T03:04:05Z",
        "2026-01-02T25:04:05Z",
        "2026-01-02T03:04:05.Z",
        "2026-01-02 03:04:05Z",
        "٢٠٢٦-01-02T03:04:05Z",
        "2026-01-02T03:04:05+99:00",
        "2026-01-02T03:04:05Z" + "0" * 100,
    ],
)
def test_what_is_no_instant_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        parse_rfc3339(text)


@given(st.text(alphabet="0123456789-:.TZ+ ", max_size=35))
def test_nothing_else_escapes(text: str) -> None:
    try:
        assert isinstance(parse_rfc3339(text), int)
    except ValueError:
        return
