from __future__ import annotations

import time

import pytest

from server.playback.judge import (
    ELSEWHERE,
    MISSING,
    SKEW_SECONDS,
    UNKNOWN,
    Denied,
    Judge,
    Policy,
    Reason,
    SigningKey,
    opens,
)
from server.playback.token import Claims, mint

NOW = 1_767_225_600
OLD, NEW = "pb_old", "pb_new"
POLICY = Policy(signed=True, keys=(SigningKey(NEW), SigningKey(OLD, 1000 * (NOW + 60))))


def judged(token: str, at: float = NOW, channel: str = "tea", grace: int = 0) -> Claims | Denied:
    return Judge().judge(POLICY, token, channel, int(1000 * at), grace)


def test_a_good_token_opens() -> None:
    claims = Claims("tea", NOW + 5)
    assert judged(mint(claims, NEW)) == claims


def test_none_and_nonsense() -> None:
    assert judged("") == MISSING
    assert judged("hello") == UNKNOWN
    assert judged(mint(Claims("tea", NOW + 5), "pb_other")) == UNKNOWN


def test_its_end_with_the_skew_of_clocks() -> None:
    token = mint(Claims("tea", NOW), NEW)
    assert isinstance(judged(token, NOW + SKEW_SECONDS - 0.001), Claims)
    assert judged(token, NOW + SKEW_SECONDS) == Denied(Reason.EXPIRED, NOW)
    assert isinstance(judged(token, NOW + SKEW_SECONDS, grace=60), Claims)
    assert judged(token, NOW + SKEW_SECONDS + 60, grace=60) == Denied(Reason.EXPIRED, NOW)


def test_its_beginning_with_the_skew_of_clocks() -> None:
    token = mint(Claims("tea", NOW + 500, not_before=NOW + 100), NEW)
    begin = NOW + 100 - SKEW_SECONDS
    assert judged(token, begin - 0.001) == Denied(Reason.EARLY, NOW + 100)
    assert isinstance(judged(token, begin), Claims)


def test_a_token_of_another_channel() -> None:
    token = mint(Claims("tea", NOW + 5), NEW)
    assert judged(token, channel="cup") == ELSEWHERE
    judge = Judge()
    assert isinstance(judge.judge(POLICY, token, "tea", 1000 * NOW), Claims)
    assert judge.judge(POLICY, token, "cup", 1000 * NOW) == ELSEWHERE, "remembered or not"


def test_the_old_key_of_a_rotation_has_its_time() -> None:
    token = mint(Claims("tea", NOW + 600), OLD)
    judge = Judge()
    assert isinstance(judge.judge(POLICY, token, "tea", 1000 * NOW), Claims)
    assert judge.judge(POLICY, token, "tea", 1000 * (NOW + 60)) == UNKNOWN
    assert judge.judge(Policy(True, (SigningKey(NEW),)), token, "tea", 1000 * NOW) == UNKNOWN


def test_a_remembered_token_is_judged_by_the_clock_all_the_same() -> None:
    judge, token = Judge(), mint(Claims("tea", NOW + 5), NEW)
    assert isinstance(judge.judge(POLICY, token, "tea", 1000 * NOW), Claims)
    late = judge.judge(POLICY, token, "tea", 1000 * (NOW + 5 + SKEW_SECONDS))
    assert late == Denied(Reason.EXPIRED, NOW + 5)


def test_what_is_remembered_is_bounded_and_nothing_bad_is() -> None:
    judge = Judge(most=3)
    for number in range(10):
        judge.judge(POLICY, mint(Claims("tea", NOW + 5 + number), NEW), "tea", 1000 * NOW)
        judge.judge(POLICY, mint(Claims("tea", NOW + 5 + number), "no"), "tea", 1000 * NOW)
    assert len(judge._remembered) == 3


def test_a_known_token_costs_a_fraction_of_an_unknown_one() -> None:
    token = mint(Claims("tea", NOW + 5), NEW)

    def seconds(judge: Judge | None) -> float:
        began = time.perf_counter()
        for _ in range(2_000):
            (judge or Judge()).judge(POLICY, token, "tea", 1000 * NOW)
        return time.perf_counter() - began

    known = Judge()
    known.judge(POLICY, token, "tea", 1000 * NOW)
    assert min(seconds(known) for _ in range(3)) < min(seconds(None) for _ in range(3)) / 2


@pytest.mark.parametrize(
    ("named", "asked", "does"),
    [("", "S1", True), ("", None, True), ("S1", "S1", True), ("S1", "S2", False),
     ("S1", None, False)],
)  # fmt: skip
def test_a_session_that_is_named_is_the_only_one(named: str, asked: str | None, does: bool) -> None:
    assert opens(Claims("tea", NOW, named), asked) is does
