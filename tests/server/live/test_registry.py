"""The gate, the stage and the life of a broadcast, with real workers and a real store."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ingest.port import PublishRequest, Refusal, Refused
from overlay.scene import Card, Money, Motion, Scene
from server.live.openings import LiveSettings
from tests.helpers.eventually import eventually
from tests.server.live.studio import DEADLINE, PROFILE, Encoder, Studio, last_msn, number

pytestmark = pytest.mark.slow  # real processes, in real time


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    studio = await Studio.begin(tmp_path, LiveSettings({"small": PROFILE}))
    studio.registry.start()
    yield studio
    await studio.end()


async def test_an_unknown_key_is_refused_and_too_many_are_told_to_wait(studio: Studio) -> None:
    for _ in range(5):
        refused = await studio.admit(Encoder(), "wrong")
        assert refused is not None
        assert refused.refusal is Refusal.BAD_KEY
    refused = await studio.admit(Encoder(), "wrong")
    assert refused is not None
    assert refused.refusal is Refusal.RATE_LIMITED
    assert await studio.admit(Encoder()) is None


async def test_a_broadcast_from_first_unit_to_endlist(studio: Studio) -> None:
    encoder = Encoder()
    assert studio.registry.state("tea").state == "offline"
    async with studio.bus.subscribe("tea") as events:
        assert await studio.admit(encoder) is None
        await studio.on_air(encoder)
        await studio.until(encoder, lambda: "width" in studio.registry.state("tea").ingest)
        state = studio.registry.state("tea")
        assert (state.state, state.session) == ("live", studio.diary.lines[0][1])
        assert [one["name"] for one in state.renditions] == ["90p", "audio"]
        assert (state.ingest["width"], state.ingest["video"]) == (160, "h264")
        assert "#EXT-X-ENDLIST" not in await studio.playlist()
        encoder.hang_up()
        told = []
        while (event := await events.next(DEADLINE)) is not None:
            if event.kind == "state":
                told.append(event.data["state"])
                if told[-1] == "offline":
                    break
    assert told == ["live", "offline"]
    assert "#EXT-X-ENDLIST" in await studio.playlist()
    assert [line[0] for line in studio.diary.lines] == ["started", "ended"]
    assert studio.diary.lines[1][2] - studio.diary.lines[0][2] >= 4_000


async def test_only_what_was_on_the_air_is_told_to_leave_it(studio: Studio) -> None:
    encoder, other = Encoder(), Encoder()
    with capture_logs() as lines:
        assert await studio.admit(encoder) is None
        encoder.hang_up()
        await eventually(lambda: not studio.registry.streams(), DEADLINE)
        assert await studio.admit(other) is None
        await studio.on_air(other)
        other.hang_up()
        await eventually(lambda: not studio.registry.streams(), DEADLINE)
    ends = [line["event"] for line in lines if "reason" in line]
    assert ends == ["nothing came of it", "off the air"]


async def test_sequences_never_go_back_over_broadcasts_and_crashes(studio: Studio) -> None:
    first = Encoder()
    assert await studio.admit(first) is None
    await studio.on_air(first)
    used = await studio.playlist()
    saved = await studio.store.sequences("tea")
    assert saved.next_msn > last_msn(used), "a crash now would lead back"
    first.hang_up()
    second = Encoder()
    assert await studio.admit(second) is None
    await studio.on_air(second)
    text = await studio.playlist()
    assert number("MEDIA-SEQUENCE", text) > last_msn(used)
    assert number("DISCONTINUITY-SEQUENCE", text) >= number("DISCONTINUITY-SEQUENCE", used)
    assert "#EXT-X-DISCONTINUITY\n" in text
    assert not set(re.findall(r"\S+\.m4s", text)) & set(re.findall(r"\S+\.m4s", used))


async def test_the_same_key_takes_over_within_the_session(studio: Studio) -> None:
    first, second = Encoder("10.0.0.1"), Encoder("10.0.0.2")
    assert await studio.admit(first) is None
    await studio.on_air(first)
    session = studio.registry.stage.session("tea")
    assert await studio.admit(second) is None
    assert first.dropped is not None
    assert (studio.registry.tally.takeovers, studio.registry.tally.resumes) == (1, 0)
    first.send()  # what still arrives from it is not taken
    edge = studio.registry.edge("tea")
    assert edge is not None
    before = edge.window.discontinuity_sequence
    await studio.until(second, lambda: edge.window.discontinuity_sequence > before)
    used = edge.window.next_msn
    await studio.until(second, lambda: edge.window.next_msn > used + 1)
    assert studio.registry.stage.session("tea") == session
    assert studio.registry.state("tea").ingest["peer"] == "10.0.0.2"
    text = await studio.playlist()
    assert text.count("#EXT-X-DISCONTINUITY\n") == 1
    dates = re.findall(r"PROGRAM-DATE-TIME:(\S+)", text)
    assert dates == sorted(dates)


async def test_a_source_feeds_a_channel_until_an_encoder_comes(studio: Studio) -> None:
    registry, gate = studio.registry, studio.gate
    source, encoder = Encoder("rtsp://camera.example/1"), Encoder()
    verdict = await gate.admit_source("tea", source)
    assert not isinstance(verdict, Refused)
    source.sink = verdict
    await studio.on_air(source)
    session = registry.stage.session("tea")
    assert (registry.state("tea").ingest["protocol"], registry.is_taken("tea")) == ("pull", False)
    assert await studio.admit(encoder) is None
    assert source.dropped is not None
    assert registry.stage.session("tea") == session
    assert registry.is_taken("tea")
    refused = await gate.admit_source("tea", Encoder())
    assert isinstance(refused, Refused)
    assert refused.refusal is Refusal.BUSY
    await registry.stop("tea")
    assert not registry.is_taken("tea")
    assert not isinstance(await gate.admit_source("tea", Encoder()), Refused)
    assert isinstance(await gate.admit_source("none", Encoder()), Refused)


async def test_a_scene_is_shown_where_the_worker_says(studio: Studio) -> None:
    encoder = Encoder()
    assert await studio.registry.stage.show("tea", Scene("none"), 0) is None
    assert await studio.admit(encoder) is None
    await studio.on_air(encoder)
    scene = Scene("on", (Card("pin", "Tea", Money(500, "EUR")),), motion=Motion.NONE)
    now = studio.registry.stage.media_now("tea")
    assert now is not None
    showing = asyncio.create_task(studio.registry.stage.show("tea", scene, now))
    await studio.until(encoder, showing.done)
    shown = showing.result()
    assert shown is not None
    assert shown.at_ms >= now
    assert [card for card, _ in shown.rects] == ["pin"]


async def test_a_scene_that_is_replaced_is_not_waited_for(studio: Studio) -> None:
    encoder = Encoder()
    assert await studio.admit(encoder) is None
    await studio.on_air(encoder)
    now = studio.registry.stage.media_now("tea") or 0
    future = asyncio.create_task(studio.registry.stage.show("tea", Scene("later"), now + 60_000))
    await asyncio.sleep(0)
    instead = asyncio.create_task(studio.registry.stage.show("tea", Scene("now"), now))
    assert await future is None
    await studio.until(encoder, instead.done)
    assert instead.result() is not None


async def test_stop_ends_the_broadcast_and_drops_the_encoder(studio: Studio) -> None:
    encoder = Encoder()
    assert not await studio.registry.stop("tea")
    assert await studio.admit(encoder) is None
    await studio.on_air(encoder)
    request = PublishRequest("rtmp", "live", studio.channel.stream_key, Encoder())
    early = await studio.gate.judge(request)
    assert not isinstance(early, Refused)
    assert await studio.registry.stop("tea")
    assert isinstance(await early(), Refused), "it was judged before the stop"
    assert encoder.dropped is not None
    assert "#EXT-X-ENDLIST" in await studio.playlist()
    assert studio.registry.state("tea").state == "offline"
    assert studio.registry.state("tea").warnings == ()
    refused = await studio.admit(Encoder())
    assert refused is not None, "it takes the stop for a lost line"
    assert refused.refusal is Refusal.STOPPED
    assert "start after 15 s" in refused.reason
    (warning,) = studio.registry.state("tea").warnings
    assert warning["code"] == "ended-by-request"


async def test_pages_hear_that_an_encoder_is_kept_off_and_when_it_no_longer_is(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.live.stopped.QUIET", 3.0)
    assert await studio.admit(Encoder()) is None
    assert await studio.registry.stop("tea")
    told = []
    async with studio.bus.subscribe("tea") as events:
        assert await studio.admit(Encoder()) is not None
        for _ in range(2):
            event = await events.next(DEADLINE)
            assert event is not None
            codes = [each["code"] for each in studio.registry.state("tea").warnings]
            told.append((event.kind, event.data["state"], codes))
    assert told == [("state", "offline", ["ended-by-request"]), ("state", "offline", [])]


async def test_close_keeps_the_session_and_its_playlists_open_and_admits_nobody(
    studio: Studio,
) -> None:
    encoder = Encoder()
    assert await studio.admit(encoder) is None
    await studio.on_air(encoder)
    await studio.registry.close()
    assert encoder.dropped is not None
    text = await studio.playlist()
    # What has begun is closed and written; more may come (RFC 8216bis 4.4.3.4).
    assert "#EXT-X-ENDLIST" not in text
    assert text.count("#EXTINF") == text.count("#EXT-X-PROGRAM-DATE-TIME")
    assert [line[0] for line in studio.diary.lines] == ["started"]
    refused = await studio.admit(Encoder())
    assert refused is not None
    assert refused.refusal is Refusal.UNAVAILABLE
