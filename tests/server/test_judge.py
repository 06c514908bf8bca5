"""What is asked of the auth webhook, and what its answers mean."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.instant import parse_rfc3339
from server.judge import MAX_REASON, NOT_ALLOWED, Attempt, Verdict, question, read_verdict

ATTEMPT = Attempt(
    id="pub_1",
    at_ms=1_767_225_600_000,
    channel="tea",
    protocol="rtmp",
    app="live",
    peer="192.0.2.7",
    encoder="FMLE/3.0 \ud800",
    key_id="0123456789ab",
    key="sk-secret",
)


def test_the_question_tells_all_but_the_key() -> None:
    asked = json.loads(question(ATTEMPT, with_key=False))
    assert asked == {
        "event": "publish",
        "attempt": "pub_1",
        "at": "2026-01-01T00:00:00.000Z",
        "channel": "tea",
        "protocol": "rtmp",
        "app": "live",
        "peer": "192.0.2.7",
        "encoder": "FMLE/3.0 \ud800",
        "key_id": "0123456789ab",
    }
    assert json.loads(question(ATTEMPT, with_key=True))["key"] == "sk-secret"
    assert "sk-secret" not in repr(ATTEMPT)


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, b"", Verdict(True)),
        (204, b"", Verdict(True)),
        (200, b"OK", Verdict(True)),
        (201, b'{"allow": true, "reason": "welcome"}', Verdict(True)),
        (200, b"{}", Verdict(True)),
        (200, b'{"allow": false}', Verdict(allowed=False, reason=NOT_ALLOWED)),
        (200, b'\xef\xbb\xbf {"allow": false, "reason": "No."}', Verdict(False, "No.")),
        (
            200,
            '{"allow": false, "reason": "今日は休み"}'.encode("utf-16"),
            Verdict(False, "今日は休み"),
        ),
        (401, b"", Verdict(allowed=False, reason=NOT_ALLOWED)),
        (403, b'{"reason": "Pay first.\\r\\n\\u0007"}', Verdict(False, "Pay first.")),
        (403, b'{"reason": 5}', Verdict(allowed=False, reason=NOT_ALLOWED)),
        (403, b'{"broken', Verdict(allowed=False, reason=NOT_ALLOWED)),
        (403, b'{"allow": true, "reason": "No."}', Verdict(False, "No.")),
    ],
)
def test_what_an_answer_means(status: int, body: bytes, verdict: Verdict) -> None:
    assert read_verdict(status, body) == verdict


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, b'{"allow": "false"}', "neither true nor false"),
        (200, b'{"allow": null}', "neither true nor false"),
        (200, b'{"allow": fal', "broken JSON"),
        (200, b'{"a":' + b"[" * 100_000, "broken JSON"),
        (200, b'{"a": 1' + b"0" * 5_000 + b"}", "broken JSON"),
        (302, b"", "status 302"),
        (404, b'{"allow": true}', "status 404"),
        (500, b"", "status 500"),
    ],
)
def test_what_is_no_answer(status: int, body: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_verdict(status, body)


@given(st.sampled_from([200, 204, 302, 401, 403, 500]), st.binary())
def test_any_bytes_are_a_verdict_or_a_value_error(status: int, body: bytes) -> None:
    try:
        verdict = read_verdict(status, body)
    except ValueError:
        assert status not in {401, 403}
    else:
        assert verdict.allowed == (200 <= status < 300)


@given(st.text(st.characters()), st.sampled_from(["utf-8", "utf-16", "utf-32"]))
def test_a_reason_is_one_line_that_can_be_sent(reason: str, coding: str) -> None:
    body = json.dumps({"allow": False, "reason": reason}).encode(coding)
    verdict = read_verdict(200, body)
    assert not verdict.allowed
    assert 0 < len(verdict.reason) <= MAX_REASON
    assert verdict.reason.isprintable()
    assert verdict.reason.encode()


def test_the_documented_question_is_the_one_that_is_asked() -> None:
    text = (Path(__file__).parents[2] / "docs" / "auth.md").read_text("utf-8")
    shown = re.search(r"^\{\"event\".*?\}$", text, re.DOTALL | re.MULTILINE)
    assert shown is not None
    asked = json.loads(shown[0])
    attempt = Attempt(
        id=asked["attempt"],
        at_ms=parse_rfc3339(asked["at"]),
        channel=asked["channel"],
        protocol=asked["protocol"],
        app=asked["app"],
        peer=asked["peer"],
        encoder=asked["encoder"],
        key_id=asked["key_id"],
        key="",
    )
    assert json.loads(question(attempt, with_key=False)) == asked
