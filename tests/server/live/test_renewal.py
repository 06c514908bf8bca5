"""A source that never ends has a session each day; an encoder's is left alone."""

from __future__ import annotations

from dataclasses import dataclass, field

from server.live.renewal import HOUR_MS, Renewal
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

    async def renew(self, channel: str) -> bool:
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
