"""A publisher is lost: the session waits, the playlists go on, and it is resumed or over."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.port import Refusal
from server.channel import Sequences, Session
from server.live.gate import Gate
from server.live.openings import LiveSettings
from server.live.registry import Registry
from tests.helpers.eventually import eventually
from tests.server.live.studio import DEADLINE, PROFILE, Diary, Encoder, Studio, last_msn, number
from transcode.message import Interrupt
from transcode.supervisor import Supervisor

pytestmark = pytest.mark.slow  # real processes, in real time

SETTINGS = LiveSettings({"small": PROFILE}, grace=DEADLINE)


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    studio = await Studio.begin(tmp_path, SETTINGS)
    studio.registry.start()
    yield studio
    await studio.end()


async def lose(studio: Studio, gaps: int = 2) -> Encoder:
    """Go on the air, break the line, wait until so many gaps are listed."""
    encoder = Encoder()
    assert await studio.admit(encoder) is None
    await studio.on_air(encoder)
    encoder.vanish()
    assert studio.registry.state("tea").state == "interrupted"
    edge = studio.registry.edge("tea")
    assert edge is not None
    segments = edge.window.renditions["90p"].segments
    await eventually(lambda: sum(segment.gap for segment in segments) >= gaps, DEADLINE)
    return encoder


async def test_a_lost_publisher_comes_back_into_its_session(studio: Studio) -> None:
    async with studio.bus.subscribe("tea") as events:
        await lose(studio)
        session = studio.registry.stage.session("tea")
        assert session is not None
        lost = await studio.playlist()
        assert "#EXT-X-ENDLIST" not in lost
        assert lost.count("#EXT-X-PRELOAD-HINT") == 1
        assert studio.registry.state("tea").ingest["peer"] is None

        again = Encoder("10.0.0.2")
        assert await studio.admit(again) is None
        await studio.until(again, lambda: studio.registry.state("tea").state == "live")
        edge = studio.registry.edge("tea")
        assert edge is not None
        used = edge.window.next_msn
        await studio.until(again, lambda: edge.window.next_msn > used + 1)
        text = await studio.playlist()
        assert studio.registry.stage.session("tea") == session
        again.hang_up()
        told = []
        while (event := await events.next(DEADLINE)) is not None:
            if event.kind == "state":
                told.append(event.data["state"])
                if told[-1] == "offline":
                    break
    assert told == ["live", "interrupted", "live", "offline"]
    diary = studio.diary.lines
    assert [line[0] for line in diary] == ["started", "interrupted", "resumed", "ended"]
    assert (studio.registry.tally.resumes, studio.registry.tally.takeovers) == (1, 0)
    assert [line[2] for line in diary] == sorted(line[2] for line in diary)
    assert {line[1] for line in diary} == {session.id}
    assert text.index("#EXT-X-GAP") < text.index("#EXT-X-DISCONTINUITY\n")
    assert text.count("#EXT-X-DISCONTINUITY\n") == 1
    dates = re.findall(r"PROGRAM-DATE-TIME:(\S+)", text)
    assert dates == sorted(dates)
    assert number("MEDIA-SEQUENCE", text) >= number("MEDIA-SEQUENCE", lost)
    assert last_msn(text) > last_msn(lost)


async def test_who_does_not_come_back_within_the_grace_has_ended(tmp_path: Path) -> None:
    studio = await Studio.begin(tmp_path, replace(SETTINGS, grace=0.5))
    studio.registry.start()
    try:
        encoder = Encoder()
        assert await studio.admit(encoder) is None
        await studio.on_air(encoder)
        encoder.vanish()
        await eventually(lambda: studio.registry.state("tea").state == "offline", DEADLINE)
        await eventually(lambda: not studio.registry.streams(), DEADLINE)
        assert "#EXT-X-ENDLIST" in await studio.playlist()
        assert [line[0] for line in studio.diary.lines] == ["started", "interrupted", "ended"]
    finally:
        await studio.end()


async def test_the_slate_says_the_title_as_it_is_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    def interrupt(_: Supervisor, message: Interrupt) -> None:
        told.append(message.title)

    monkeypatch.setattr("server.live.registry.TITLE_SECONDS", DEADLINE)
    monkeypatch.setattr(Supervisor, "interrupt", interrupt)
    monkeypatch.setattr(Supervisor, "tick", lambda *_: told.append("tick"))
    studio = await Studio.begin(tmp_path, replace(SETTINGS, slate=True))
    studio.registry.start()
    try:
        encoder = Encoder()
        assert await studio.admit(encoder) is None
        await studio.on_air(encoder, seconds=1)
        assert await studio.store.set_title("tea", "Tea at six")
        encoder.vanish()
        await eventually(lambda: len(told) > 3, DEADLINE)
        assert told[:4] == ["Tea", "Tea at six", "tick", "tick"], "before the slate is begun"
    finally:
        await studio.end()


async def test_without_a_grace_a_loss_is_the_end(tmp_path: Path) -> None:
    studio = await Studio.begin(tmp_path, replace(SETTINGS, grace=0.0))
    studio.registry.start()
    try:
        encoder = Encoder()
        assert await studio.admit(encoder) is None
        await studio.on_air(encoder)
        encoder.vanish()
        await eventually(lambda: studio.diary.lines[-1][0] == "ended", DEADLINE)
        assert [line[0] for line in studio.diary.lines] == ["started", "ended"]
    finally:
        await studio.end()


async def test_stop_ends_an_interrupted_broadcast(studio: Studio) -> None:
    await lose(studio, 1)
    assert await studio.registry.stop("tea")
    assert studio.registry.state("tea").state == "offline"
    assert "#EXT-X-ENDLIST" in await studio.playlist()
    assert studio.diary.lines[-1][0] == "ended"


async def test_a_worker_that_dies_meanwhile_is_no_obstacle(studio: Studio) -> None:
    await lose(studio, 1)
    stream = studio.registry._streams["tea"]
    stream.supervisor._kill()
    await eventually(lambda: stream.supervisor.restarts == 1, DEADLINE)
    again = Encoder()
    assert await studio.admit(again) is None
    await studio.until(again, lambda: studio.registry.state("tea").state == "live")


async def test_a_restarted_server_goes_on_with_the_session(studio: Studio) -> None:
    await lose(studio, 1)
    session = studio.registry.stage.session("tea")
    assert session is not None
    used = await studio.playlist()
    names = set(re.findall(r"\S+\.(?:m4s|mp4)", used))
    await studio.registry.close()
    await studio.store.open_session("tea", Session(session.id, session.started_ms))

    studio.diary = Diary()
    restart(studio).listen(studio.diary)
    assert await studio.registry.recover() == {session.id}
    studio.registry.start()
    state = studio.registry.state("tea")
    assert (state.state, state.session) == ("interrupted", session.id)
    assert studio.registry.stage.session("tea") == session
    assert studio.registry.stage.media_now("tea") is not None

    again = Encoder()
    assert await studio.admit(again) is None
    await studio.until(again, lambda: studio.registry.state("tea").state == "live")
    await studio.on_air(again, 4)
    text = await studio.playlist()
    assert number("MEDIA-SEQUENCE", text) > last_msn(used)
    assert number("DISCONTINUITY-SEQUENCE", text) >= number("DISCONTINUITY-SEQUENCE", used)
    assert text.index("#EXT-X-DISCONTINUITY\n") < text.index("#EXTINF")
    assert not names & set(re.findall(r"\S+\.(?:m4s|mp4)", text))
    assert [line[0] for line in studio.diary.lines] == ["resumed"]


async def test_a_session_left_open_too_long_ago_is_not_gone_on_with(studio: Studio) -> None:
    await studio.store.open_session("tea", Session("old", 1_000))
    assert await restart(studio).recover() == frozenset()


async def test_a_stop_before_the_encoder_is_back_keeps_it_off(studio: Studio) -> None:
    now_ms = studio.registry._clock.wall_ms()
    await studio.store.open_session("tea", Session("left", now_ms))
    await studio.store.save_sequences("tea", Sequences(pdt_ms=now_ms))
    registry = restart(studio)
    assert await registry.recover() == {"left"}
    assert await registry.stop("tea")
    refused = await studio.admit(Encoder())
    assert refused is not None, "with which key it ran is not known"
    assert refused.refusal is Refusal.STOPPED


def restart(studio: Studio) -> Registry:
    """Make another server's registry and gate on the same store."""
    old = studio.registry
    studio.registry = Registry(studio.store, studio.bus, old._clock, studio.settings)
    studio.gate = Gate(studio.store, studio.gate._admission, studio.registry)
    return studio.registry
