from __future__ import annotations

import pytest

from server.hls.request import (
    SERVE,
    WAIT,
    MediaRequest,
    PlaylistRequest,
    Refusal,
    Refuse,
    decide,
    read_directives,
)
from server.hls.window import Window
from tests.server.hls.show import PER_SEGMENT, Show, on_air


def verdict(show: Show, msn: int | None = None, part: int | None = None) -> object:
    decision = decide(show.window, PlaylistRequest("720p", msn, part))
    return decision.refusal if isinstance(decision, Refuse) else decision


def test_plain_reload_is_served_once_a_segment_is_whole() -> None:
    show = on_air()
    assert verdict(show) is WAIT
    show.parts(PER_SEGMENT - 1)
    assert verdict(show) is WAIT
    show.part()
    assert verdict(show) is SERVE


def test_multivariant_waits_for_the_first_part() -> None:
    show = Show(Window("r"))
    request = PlaylistRequest(None)
    assert decide(show.window, request) is WAIT
    show.epoch()
    assert decide(show.window, request) is WAIT
    show.part()
    assert decide(show.window, request) is SERVE


def test_rule_5_msn_alone_waits_for_the_whole_segment() -> None:
    show = on_air(3)
    assert verdict(show, 2) is SERVE
    assert verdict(show, 3) is WAIT
    show.parts(5)
    assert verdict(show, 3) is WAIT
    show.part()
    assert verdict(show, 3) is SERVE


def test_rule_5_msn_and_part_wait_for_the_part() -> None:
    show = on_air(3)
    assert verdict(show, 3, 0) is WAIT
    show.part()
    assert verdict(show, 3, 0) is SERVE
    assert verdict(show, 3, 1) is WAIT


def test_rule_5_a_part_past_the_last_is_the_next_segments_first() -> None:
    show = on_air(3)
    assert verdict(show, 2, PER_SEGMENT - 1) is SERVE
    assert verdict(show, 2, PER_SEGMENT) is WAIT
    assert verdict(show, 2, 1000) is WAIT
    assert verdict(show, 1, PER_SEGMENT) is SERVE
    show.part()
    assert verdict(show, 2, PER_SEGMENT) is SERVE
    assert verdict(show, 2, 1000) is SERVE


def test_rule_5_a_waiter_for_a_part_that_an_early_end_took_away_goes_on_with_the_next() -> None:
    show = on_air(3)
    show.parts(2)
    assert verdict(show, 3, 2) is WAIT
    show.epoch(after_ms=100)
    assert verdict(show, 3, 2) is WAIT
    show.part()
    assert verdict(show, 3, 2) is SERVE


def test_rule_5_part_alone_is_a_bad_request() -> None:
    assert verdict(on_air(3), None, 0) is Refusal.BAD_REQUEST


def test_rule_5_more_than_two_ahead_is_a_bad_request() -> None:
    show = on_air(3)
    assert verdict(show, 4) is WAIT
    assert verdict(show, 4, 0) is WAIT
    assert verdict(show, 5) is Refusal.BAD_REQUEST
    assert verdict(show, 5, 0) is Refusal.BAD_REQUEST
    show.part()
    assert verdict(show, 5) is Refusal.BAD_REQUEST


def test_rule_5_a_part_beyond_the_advance_limit_is_a_bad_request() -> None:
    show = on_air(3)
    show.part()
    assert verdict(show, 3, 8) is WAIT
    assert verdict(show, 3, 9) is Refusal.BAD_REQUEST
    assert verdict(show, 4, 100) is Refusal.BAD_REQUEST


def test_rule_5_an_msn_that_left_the_window_gets_everything_at_once() -> None:
    show = on_air(10, listed=6)
    assert verdict(show, 0) is SERVE
    assert verdict(show, 0, 99) is SERVE


def test_rule_5_after_endlist_directives_are_ignored() -> None:
    show = on_air(3)
    show.window.end()
    for msn, part in ((None, None), (2, 0), (900, None), (None, 4)):
        assert verdict(show, msn, part) is SERVE


@pytest.mark.parametrize("text", ["", "-1", "1.5", "x", "\u0663", " 1", "1" * 16, "0x1", "1e3"])
@pytest.mark.parametrize("directive", ["_HLS_msn", "_HLS_part"])
def test_directives_that_are_no_decimal_integer_are_bad_requests(directive: str, text: str) -> None:
    outcome = read_directives("720p", {"_HLS_msn": "1", directive: text})
    assert isinstance(outcome, Refuse)
    assert outcome.refusal is Refusal.BAD_REQUEST


def test_other_parameters_are_ignored() -> None:
    query = {"_HLS_msn": "12", "_HLS_part": "3", "_HLS_later": "1", "token": "x"}
    assert read_directives("720p", query) == PlaylistRequest("720p", 12, 3)


def test_rule_7_the_hinted_part_waits_and_any_other_is_not_found() -> None:
    show = on_air(1)
    hint = show.window.renditions["720p"].hint
    assert decide(show.window, MediaRequest("720p", hint)) is WAIT
    for name in ("r1-p7.m4s", "r1-1.m4s", "r0-0.m4s", "init-r1-9.mp4", "", "x"):
        outcome = decide(show.window, MediaRequest("720p", name))
        assert isinstance(outcome, Refuse)
        assert outcome.refusal is Refusal.NOT_FOUND
    show.part()
    assert decide(show.window, MediaRequest("720p", hint)) is SERVE
    next_hint = show.window.renditions["720p"].hint
    show.window.end()
    assert isinstance(decide(show.window, MediaRequest("720p", next_hint)), Refuse)


def test_an_unknown_rendition_is_not_found_once_the_tracks_are_known() -> None:
    assert decide(Window("r"), PlaylistRequest("4k")) is WAIT
    outcome = decide(on_air().window, PlaylistRequest("4k"))
    assert isinstance(outcome, Refuse)
    assert outcome.refusal is Refusal.NOT_FOUND
