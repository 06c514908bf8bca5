"""A source that never ends has a session each day; an encoder's is left alone."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from server.errors import Unavailable
from server.live.renewal import HOUR_MS, Renewal
from tests.helpers.eventually import eventually
from tests.helpers.manual_clock import ManualClock


@dataclass
class Show:
    channel: str
    started_ms: int | None
    session: str = "01A"


@dataclass
class Sources:
    pulled: set[str]
    renewed: list[str] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)
    """Raised by the next calls, one each."""

    async def renew(self, channel: str) -> bool:
        if self.faults:
            raise self.faults.pop(0)
        self.renewed.append(channel)
        return channel in self.pulled


async def test_sources_begin_anew_when_their_session_is_long_enough() -> None:
    clock = ManualClock()
    now = clock.wall_ms()
    on_air = [Show("old", now - 2 * HOUR_MS), Show("young", now - HOUR_MS), Show("soon", None)]
    sources = Sources({"old", "young"})
    renewal = Renewal(lambda: on_air, sources, clock, hours=1.5)
    await renewal.look()
    assert sources.renewed == ["old"]
    clock.advance(HOUR_MS // 2)
    on_air[0].started_ms = clock.wall_ms()
    await renewal.look()
    assert sources.renewed == ["old", "young"]


async def test_a_look_that_fails_is_told_and_the_next_one_succeeds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("server.live.renewal.LOOK_SECONDS", 0.0)
    clock = ManualClock()
    show = Show("old", clock.wall_ms() - 2 * HOUR_MS)
    sources = Sources({"old"}, faults=[Unavailable("the store is away"), RuntimeError("a fault")])
    with capture_logs() as lines:
        renewal = Renewal(lambda: [show], sources, clock, hours=1.5)
        renewal.start()
        await eventually(lambda: sources.renewed != [])
        await renewal.close()
    told = [(line["event"], line["log_level"]) for line in lines[:3]]
    assert told == [
        ("a source cannot begin anew", "warning"),
        ("the look for sources that are due failed", "error"),
        ("a pulled channel goes on in a new recording", "info"),
    ]
    assert "the store is away" in lines[0]["reason"]
