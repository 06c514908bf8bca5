"""What strangers cause is told, and told once a second."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import structlog

from server.calm import MOST_KINDS, Calm
from tests.helpers.manual_clock import ManualClock


class Written:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.lines: list[dict[str, Any]] = []
        self._calm = Calm(self.clock.monotonic)

    def log(self, event: str, **fields: object) -> None:
        with suppress(structlog.DropEvent):
            self.lines.append(dict(self._calm(None, "warning", {"event": event, **fields})))


def test_a_storm_is_one_line_a_second_and_a_count() -> None:
    written = Written()
    for _ in range(30):  # three seconds of a hundred a second
        for _ in range(10):
            written.log("rtmp refused a connection", reason="too many connections")
        written.clock.advance(100)
    assert [line.get("left_out") for line in written.lines] == [None, 99, 99]
    assert written.lines[0]["reason"] == "too many connections"


def test_each_cause_has_its_own_line() -> None:
    written = Written()
    for cause in ("bad-key", "bad-key", "expired", "bad-key"):
        written.log("rtmp publish refused", cause=cause)
    assert [line["cause"] for line in written.lines] == ["bad-key", "expired"]
    written.clock.advance(1_000)
    written.log("rtmp publish refused", cause="bad-key")
    assert written.lines[-1]["left_out"] == 2


def test_everything_else_is_written() -> None:
    written = Written()
    for _ in range(3):
        written.log("rtmp publish started")
        written.log("rtmp session ended", published=True)
        written.log("rtmp session ended", published=False)
    assert len(written.lines) == 7


def test_each_reason_has_its_own_line_whatever_its_numbers() -> None:
    written = Written()
    for size in (70_000, 80_000):
        written.log("rtmp session failed", reason=f"a message of {size} bytes is over the limit")
    written.log("rtmp session failed", reason="no publish in time")
    assert [line["reason"] for line in written.lines] == [
        "a message of 70000 bytes is over the limit",
        "no publish in time",
    ]


def test_the_words_of_strangers_do_not_fill_the_table() -> None:
    written = Written()
    for number in range(MOST_KINDS * 2):
        word = "".join(chr(97 + int(digit)) for digit in str(number))
        written.log("rtmp session failed", reason=f"codec {word} is not supported")
    assert len(written.lines) == MOST_KINDS + 1
