"""Who may publish, judged on a real store with a clock that the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ingest.port import PublishRequest, Refusal, Refused
from server.admission import Admission, Admitted
from server.attempts import Attempts
from server.auth import digest
from server.channel import ChannelDefaults, OverlaySettings
from server.channels import Channels
from server.judge import Attempt, Verdict
from server.store.sqlite import SqliteStore
from tests.helpers.manual_clock import ManualClock

DEFAULTS = ChannelDefaults("default", frozenset({"default"}), OverlaySettings())
PACE = 20


@dataclass
class Encoder:
    peer: str = "192.0.2.7"

    def drop(self, reason: str) -> None:
        raise AssertionError(f"nobody is dropped here: {reason}")


@dataclass
class Oracle:
    """Decides as the test says."""

    verdict: Verdict = field(default_factory=lambda: Verdict(True))
    asked: list[Attempt] = field(default_factory=list)

    async def judge(self, attempt: Attempt) -> Verdict:
        self.asked.append(attempt)
        return self.verdict


@dataclass
class Desk:
    channels: Channels
    clock: ManualClock
    oracle: Oracle
    admission: Admission
    on_air: dict[str, str] = field(default_factory=dict)

    async def judge(self, key: str, peer: str = "192.0.2.7") -> Admitted | Refused:
        request = PublishRequest("rtmp", "live", key, Encoder(peer), "OBS")
        return await self.admission.judge(request, lambda channel: self.on_air.get(channel, ""))

    async def refusal(self, key: str, peer: str = "192.0.2.7") -> Refusal | None:
        judged = await self.judge(key, peer)
        return judged.refusal if isinstance(judged, Refused) else None


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    clock, oracle = ManualClock(), Oracle()
    store = await SqliteStore.open(tmp_path / "a")
    channels = Channels(store, clock, DEFAULTS, Attempts(5, 60))
    pace = Attempts(PACE, 60)
    yield Desk(channels, clock, oracle, Admission(channels, clock, oracle, pace))
    await store.close()


async def test_a_good_key_is_let_in_after_the_judge_was_asked(desk: Desk) -> None:
    made = await desk.channels.add("tea")
    judged = await desk.judge(made.stream_key)
    assert judged == Admitted(made.channel, digest(made.stream_key))
    (attempt,) = desk.oracle.asked
    assert attempt.id.startswith("pub_")
    assert attempt.at_ms == desk.clock.ms
    assert (attempt.channel, attempt.protocol, attempt.app) == ("tea", "rtmp", "live")
    assert (attempt.peer, attempt.encoder) == ("192.0.2.7", "OBS")
    assert digest(made.stream_key).startswith(attempt.key_id)
    assert len(attempt.key_id) == 12
    assert attempt.key == made.stream_key


async def test_a_bad_key_asks_nobody(desk: Desk) -> None:
    made = await desk.channels.add("tea", key_expires_ms=desk.clock.ms + 1_000)
    assert await desk.refusal("wrong") is Refusal.BAD_KEY
    desk.clock.advance(1_000)
    assert await desk.refusal(made.stream_key) is Refusal.EXPIRED
    assert desk.oracle.asked == []


async def test_an_expired_key_is_told_when_and_no_more(desk: Desk) -> None:
    made = await desk.channels.add("tea", "Secret launch", key_expires_ms=desk.clock.ms + 90_000)
    desk.clock.advance(90_000)
    assert await desk.judge(made.stream_key) == Refused(
        Refusal.EXPIRED,
        "This stream key expired on 2026-01-01 at 00:01 UTC; ask for a new one.",
    )


async def test_an_expired_key_comes_back_into_its_own_broadcast(desk: Desk) -> None:
    made = await desk.channels.add("tea", key_expires_ms=desk.clock.ms + 1_000)
    desk.on_air["tea"] = digest(made.stream_key)
    desk.clock.advance(1_000)
    assert await desk.refusal(made.stream_key) is None
    desk.on_air["tea"] = digest("of another encoder")
    assert await desk.refusal(made.stream_key) is Refusal.EXPIRED
    desk.on_air = {"pots": digest(made.stream_key)}
    assert await desk.refusal(made.stream_key) is Refusal.EXPIRED


async def test_a_replaced_key_does_not_come_back(desk: Desk) -> None:
    made = await desk.channels.add("tea")
    desk.on_air["tea"] = digest(made.stream_key)
    new = await desk.channels.rotate_key("tea")
    assert await desk.refusal(made.stream_key) is Refusal.BAD_KEY
    assert await desk.refusal(new) is None, "the new one resumes it"


async def test_a_denial_is_passed_on(desk: Desk) -> None:
    made = await desk.channels.add("tea")
    desk.oracle.verdict = Verdict(allowed=False, reason="Your plan ended yesterday.")
    assert await desk.judge(made.stream_key) == Refused(
        Refusal.DENIED, "Your plan ended yesterday."
    )
    desk.oracle.verdict = Verdict(allowed=False, reason="Nobody answers.", decided=False)
    assert await desk.judge(made.stream_key) == Refused(Refusal.UNAVAILABLE, "Nobody answers.")


async def test_a_stop_is_told_to_good_keys_only_and_before_anybody_is_asked(desk: Desk) -> None:
    made = await desk.channels.add("tea")
    stopped = Refused(Refusal.STOPPED, "Wait.")
    told: list[tuple[str, str]] = []

    def kept_off(channel: str, key: str) -> Refused:
        told.append((channel, key))
        return stopped

    judged = [
        await desk.admission.judge(
            PublishRequest("rtmp", "live", key, Encoder()), lambda channel: "", kept_off
        )
        for key in ("wrong", made.stream_key)
    ]
    assert judged[0] != stopped
    assert judged[1] == stopped
    assert told == [("tea", digest(made.stream_key))]
    assert desk.oracle.asked == []


async def test_without_a_judge_the_key_decides(desk: Desk) -> None:
    made = await desk.channels.add("tea")
    desk.admission = Admission(desk.channels, desk.clock)
    assert await desk.refusal(made.stream_key) is None


async def test_a_storm_of_good_publishes_has_to_wait(desk: Desk) -> None:
    made = await desk.channels.add("tea")
    for _ in range(PACE):
        assert await desk.refusal(made.stream_key) is None
    judged = await desk.judge(made.stream_key)
    assert judged == Refused(
        Refusal.RATE_LIMITED, "Too many broadcasts begun with this stream key; try again in 60 s."
    )
    assert len(desk.oracle.asked) == PACE
    other = await desk.channels.add("pots")
    assert await desk.refusal(other.stream_key) is None, "behind the same address"
    desk.clock.advance(60_000)
    assert await desk.refusal(made.stream_key) is None


async def test_guessing_is_stopped_first(desk: Desk) -> None:
    for _ in range(5):
        assert await desk.refusal("wrong", "2001:db8::1") is Refusal.BAD_KEY
    judged = await desk.judge("wrong", "2001:db8::2")
    assert isinstance(judged, Refused)
    assert judged.refusal is Refusal.RATE_LIMITED
    assert "Too many wrong stream keys" in judged.reason


async def test_a_store_that_is_closed_is_no_verdict_on_the_key(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path / "a")
    clock = ManualClock()
    admission = Admission(Channels(store, clock, DEFAULTS, Attempts()), clock)
    await store.close()
    request = PublishRequest("rtmp", "live", "key", Encoder())
    judged = await admission.judge(request, lambda channel: "")
    assert isinstance(judged, Refused)
    assert judged.refusal is Refusal.UNAVAILABLE


async def test_a_source_without_a_key_is_judged_alike(desk: Desk) -> None:
    channel = (await desk.channels.add("tea")).channel
    request = PublishRequest("pull", "", "", Encoder("cam.example"))
    assert await desk.admission.ask(channel, request) is None
    assert (desk.oracle.asked[0].protocol, desk.oracle.asked[0].key_id) == ("pull", "")
    desk.oracle.verdict = Verdict(allowed=False, reason="No.")
    assert await desk.admission.ask(channel, request) == Refused(Refusal.DENIED, "No.")
