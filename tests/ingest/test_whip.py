"""WHIP sessions over loopback, with aiortc as the publisher: Units, goodbyes, losses, bounds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise

import av
import pytest
from aiortc import sdp
from structlog.testing import capture_logs

from ingest.errors import PeerError
from ingest.port import Refusal, Refused
from ingest.rtp import opus
from ingest.unit import AudioConfig, AudioUnit, StreamInfo, VideoCodec, VideoConfig, VideoUnit
from ingest.whip import Answered, Asked, WhipIngest
from ingest.whip_offer import Fragment, read_offer
from ingest.whip_settings import IceServer, WhipSettings
from tests.helpers.clips import read_number
from tests.helpers.eventually import eventually
from tests.helpers.ice_server import CREDENTIAL, MAPPED, RELAYED, USERNAME, ice_server
from tests.helpers.offers import ALL, OBS_30, written
from tests.helpers.recording_gate import KEY, RecordingGate
from tests.helpers.sight import planes
from tests.helpers.whip_publisher import Encoded, Sender, encode

SETTINGS = WhipSettings(addresses=("127.0.0.1",))
SIZE = (320, 180)
SECONDS = 20.0


def asked(offer: str, key: str = KEY, channel: str = "tea") -> Asked:
    return Asked(channel, key, read_offer(written(offer)), "192.0.2.9", "a test")


def shown(gate: RecordingGate, publisher: int = 0) -> int:
    """Count the pictures of a publisher that was let in, or is about to be."""
    return len(gate.sinks[publisher].of(VideoUnit)) if publisher < len(gate.sinks) else 0


@asynccontextmanager
async def ingest(
    settings: WhipSettings = SETTINGS, gate: RecordingGate | None = None
) -> AsyncIterator[tuple[WhipIngest, RecordingGate]]:
    gate = gate or RecordingGate()
    whip = WhipIngest(gate, settings)
    try:
        yield whip, gate
    finally:
        await whip.close()
        assert whip.sessions == 0
        left = {task.get_name() for task in asyncio.all_tasks()}
        assert not left & {"whip-session", "whip-publish"}


@asynccontextmanager
async def live(
    whip: WhipIngest, encoded: Encoded, sound_late: float = 0.0
) -> AsyncIterator[tuple[Answered, Sender]]:
    """Publish, connected or about to be."""
    sender = Sender(encoded, sound_late=sound_late)
    try:
        answered = await whip.publish(asked(await sender.offer()))
        assert isinstance(answered, Answered)
        await sender.take(answered.sdp)
        yield answered, sender
    finally:
        await sender.close()


@pytest.fixture(scope="module", params=["VP8", "H264"])
def encoded(request: pytest.FixtureRequest) -> Encoded:
    return encode(request.param, 5, SIZE)


async def test_what_was_encoded_arrives_as_it_was(encoded: Encoded) -> None:
    async with ingest() as (whip, gate), live(whip, encoded):
        await eventually(lambda: shown(gate) > 60, SECONDS)
        sink = gate.sinks[0]
        assert gate.requests[0].protocol == "whip"
        assert gate.requests[0].publisher.peer == "192.0.2.9"
        assert sink.of(StreamInfo)[0].encoder == "a test"
        assert sink.of(AudioConfig) == [opus.CONFIG]
        (config,) = sink.of(VideoConfig)
        assert config.codec is VideoCodec(encoded.codec.lower())
        pictures, sounds = sink.of(VideoUnit), sink.of(AudioUnit)
        assert pictures[0].keyframe
        assert {b.pts - a.pts for a, b in pairwise(pictures)} <= {2_999, 3_000, 3_001}
        assert sum(b.pts - a.pts == 1_800 for a, b in pairwise(sounds)) >= len(sounds) - 6
        # Both left at the same instant of the sender's clock.
        assert abs(pictures[-1].pts - sounds[-1].pts) < 0.1 * 90_000
    numbers = decoded(config, pictures)
    assert numbers == list(range(numbers[0], numbers[0] + len(pictures)))


def decoded(config: VideoConfig, pictures: list[VideoUnit]) -> list[int]:
    context = av.CodecContext.create(config.codec.value, "r")
    context.thread_count = 1
    if config.extradata:
        context.extradata = config.extradata
    frames = [f for unit in pictures for f in context.decode(av.Packet(unit.data))]
    return [read_number(planes(frame)[0]) for frame in [*frames, *context.decode(None)]]


@pytest.fixture(scope="module")
def small() -> Encoded:
    return encode("VP8", 5, SIZE)


async def test_reports_bring_sound_that_comes_late_back_to_its_picture(small: Encoded) -> None:
    def skew() -> float:
        """Seconds by which the newest sound is placed behind the picture of its instant."""
        if not shown(gate) or not gate.sinks[0].of(AudioUnit):
            return 1.0
        sink = gate.sinks[0]
        pictures, sounds = sink.of(VideoUnit), sink.of(AudioUnit)
        picture = pictures[-1].pts - 3_000 * (len(pictures) - 1)
        sound = sounds[-1].pts - 1_800 * (len(sounds) - 1)
        return (sound - picture) / 90_000

    async with ingest() as (whip, gate), live(whip, small, sound_late=0.3):
        await eventually(lambda: skew() == pytest.approx(0.3, abs=0.1), SECONDS)
        await eventually(lambda: skew() == pytest.approx(0, abs=0.03), SECONDS)


async def test_a_goodbye_is_told_from_a_loss(small: Encoded) -> None:
    async with ingest() as (whip, gate):
        async with live(whip, small) as (answered, _):
            await eventually(lambda: shown(gate) > 0, SECONDS)
            session = answered.session
            assert whip.session("tea", session.resource) is session
            assert whip.session("cup", session.resource) is None
            await session.finish()
            assert gate.sinks[0].goodbyes == [True]
            assert whip.session("tea", session.resource) is None
            units = len(gate.sinks[0].units)
        async with live(whip, small) as (_, sender):
            await eventually(lambda: shown(gate, 1) > 0, SECONDS)
            await sender.close()
            await eventually(lambda: bool(gate.sinks[1].closed), SECONDS)
            assert gate.sinks[1].goodbyes == [False]
        assert len(gate.sinks[0].units) == units


async def test_a_publisher_that_is_dropped_is_gone_at_once(small: Encoded) -> None:
    async with ingest() as (whip, gate), live(whip, small) as (_, sender):
        await eventually(lambda: shown(gate) > 0, SECONDS)
        publisher = gate.requests[0].publisher
        publisher.drop("Another encoder took over with the same key.")
        publisher.drop("again")
        assert gate.sinks[0].closed == [], "never from within"
        await eventually(lambda: bool(gate.sinks[0].closed), 1.0)
        assert gate.sinks[0].closed == ["Another encoder took over with the same key."]
        await eventually(lambda: sender.state in {"closed", "failed"}, SECONDS)
        assert whip.sessions == 0


async def test_silence_is_a_loss(small: Encoded) -> None:
    short = replace(small, video=small.video[:20], audio=small.audio[:30])
    settings = replace(SETTINGS, silence_seconds=1.0)
    async with ingest(settings) as (whip, gate), live(whip, short):
        await eventually(lambda: bool(gate.sinks and gate.sinks[0].closed), SECONDS)
        assert gate.sinks[0].closed == ["nothing came for 1 s"]
        assert gate.sinks[0].goodbyes == [False]


async def test_an_offer_that_nobody_follows_up_is_dropped() -> None:
    async with ingest(replace(SETTINGS, connect_seconds=0.3)) as (whip, gate):
        answered = await whip.publish(asked(OBS_30))
        assert isinstance(answered, Answered)
        assert whip.sessions == 1
        with capture_logs() as lines:
            await eventually(lambda: whip.sessions == 0, SECONDS)
        (reason,) = (line["reason"] for line in lines if line["event"] == "whip session ended")
        assert "UDP" in reason
        assert len(gate.requests) == 1, "the key was judged"
        assert gate.sinks == [], "nobody was replaced"


async def test_a_newer_offer_replaces_one_that_is_not_connected(small: Encoded) -> None:
    async with ingest() as (whip, gate):
        for _ in range(3):
            assert isinstance(await whip.publish(asked(OBS_30)), Answered)
        await eventually(lambda: whip.sessions == 1, SECONDS)
        async with live(whip, small) as (on_air, _):
            await eventually(lambda: shown(gate) > 0, SECONDS)
            assert whip.sessions == 1
            waiting = await whip.publish(asked(OBS_30))
            assert isinstance(waiting, Answered)
            before = shown(gate)
            await eventually(lambda: shown(gate) > before + 10, SECONDS)
            assert whip.session("tea", on_air.session.resource) is on_air.session
            assert whip.session("tea", waiting.session.resource) is waiting.session
            assert len(gate.sinks) == 1


async def test_what_comes_while_the_way_in_opens_is_kept(small: Encoded) -> None:
    gate = RecordingGate(door=asyncio.Event())
    assert gate.door is not None
    async with ingest(gate=gate) as (whip, _), live(whip, small) as (answered, _):
        await eventually(lambda: len(answered.session._early) > 10, SECONDS)
        gate.door.set()
        await eventually(lambda: shown(gate) > 30, SECONDS)
        sink = gate.sinks[0]
        assert isinstance(sink.units[0], StreamInfo)
        (config,) = sink.of(VideoConfig)
        assert decoded(config, sink.of(VideoUnit)[:10]) == list(range(10))


async def test_a_way_in_that_does_not_open_ends_the_session(small: Encoded) -> None:
    gate = RecordingGate(door=asyncio.Event())
    async with ingest(replace(SETTINGS, verdict_seconds=0.2), gate) as (whip, _):
        async with live(whip, small) as (_, sender):
            await eventually(lambda: sender.state in {"closed", "failed"}, SECONDS)
            await eventually(lambda: whip.sessions == 0, SECONDS)
    assert gate.sinks == []


async def test_a_refused_key_leaves_nothing_behind() -> None:
    async with ingest() as (whip, gate):
        refused = await whip.publish(asked(OBS_30, "sk-wrong"))
        assert isinstance(refused, Refused)
        assert refused.refusal is Refusal.BAD_KEY
        assert (whip.sessions, gate.sinks) == (0, [])


async def test_a_gate_that_does_not_answer_refuses() -> None:
    gate = RecordingGate(hold=asyncio.Event())
    async with ingest(replace(SETTINGS, verdict_seconds=0.2), gate) as (whip, _):
        refused = await whip.publish(asked(OBS_30))
        assert isinstance(refused, Refused)
        assert refused.refusal is Refusal.UNAVAILABLE


async def test_sessions_and_verdicts_are_bounded() -> None:
    gate = RecordingGate(hold=asyncio.Event())
    assert gate.hold is not None
    async with ingest(replace(SETTINGS, sessions=2, asking=1), gate) as (whip, _):
        first = asyncio.create_task(whip.publish(asked(OBS_30)))
        await eventually(lambda: len(gate.requests) == 1)
        crowded = await whip.publish(asked(OBS_30))
        assert isinstance(crowded, Refused)
        gate.hold.set()
        assert isinstance(await first, Answered)
        assert isinstance(await whip.publish(asked(OBS_30, channel="cup")), Answered)
        full = await whip.publish(asked(OBS_30, channel="pot"))
        assert isinstance(full, Refused)
        assert full.refusal is Refusal.UNAVAILABLE
        assert len(gate.requests) == 2


async def test_verdicts_that_are_out_count_as_sessions() -> None:
    gate = RecordingGate(hold=asyncio.Event())
    assert gate.hold is not None
    async with ingest(replace(SETTINGS, sessions=2, asking=9), gate) as (whip, _):
        channels = ("tea", "cup", "pot")
        offers = [
            asyncio.create_task(whip.publish(asked(OBS_30, channel=name))) for name in channels
        ]
        await eventually(lambda: len(gate.requests) == 2)
        gate.hold.set()
        answers = await asyncio.gather(*offers)
        assert [isinstance(answer, Answered) for answer in answers] == [True, True, False]
        assert whip.sessions == 2


async def test_a_caller_who_hangs_up_leaves_a_session_that_ends_by_itself() -> None:
    gate = RecordingGate(hold=asyncio.Event())
    assert gate.hold is not None
    async with ingest(replace(SETTINGS, connect_seconds=1.0), gate) as (whip, _):
        caller = asyncio.create_task(whip.publish(asked(OBS_30)))
        await eventually(lambda: len(gate.requests) == 1)
        caller.cancel()
        await asyncio.gather(caller, return_exceptions=True)
        gate.hold.set()
        await eventually(lambda: whip.sessions == 1, SECONDS)
        await eventually(lambda: whip.sessions == 0, SECONDS)


async def test_closing_ends_every_session(small: Encoded) -> None:
    async with ingest() as (whip, gate), live(whip, small):
        await eventually(lambda: shown(gate) > 0, SECONDS)
        await whip.close()
        assert gate.sinks[0].closed == ["the server is shutting down"]
        refused = await whip.publish(asked(OBS_30))
        assert isinstance(refused, Refused)


@pytest.mark.parametrize("name", ALL)
async def test_each_client_gets_the_answer_that_it_can_use(name: str) -> None:
    async with ingest() as (whip, _):
        answered = await whip.publish(asked(ALL[name]))
        assert isinstance(answered, Answered)
        offer, answer = (
            sdp.SessionDescription.parse(t) for t in (written(ALL[name]), answered.sdp)
        )
        assert [m.kind for m in answer.media] == [m.kind for m in offer.media]
        assert [m.rtp.muxId for m in answer.media] == [m.rtp.muxId for m in offer.media]
        (bundle,) = [g for g in answer.group if g.semantic == "BUNDLE"]
        assert bundle.items == [m.rtp.muxId for m in offer.media]
        for given, wanted in zip(answer.media, offer.media, strict=True):
            assert given.direction == "recvonly"
            assert given.rtcp_mux
            assert given.dtls is not None
            assert given.dtls.role == "client"
            assert given.ice_candidates_complete
            assert [c.ip for c in given.ice_candidates] == ["127.0.0.1"]
            offered = {c.payloadType: c for c in wanted.rtp.codecs}
            assert given.rtp.codecs
            for codec in given.rtp.codecs:
                same = offered[codec.payloadType]
                assert codec.mimeType.lower() == same.mimeType.lower()
                assert codec.parameters == same.parameters, "as it was offered"
                assert all(each in same.rtcpFeedback for each in codec.rtcpFeedback)
            assert "video-orientation" not in str(given)


async def test_an_offer_that_aiortc_cannot_take_ends_the_session() -> None:
    async with ingest() as (whip, gate):
        ask = asked(OBS_30)
        broken = replace(ask, offer=replace(ask.offer, text="v=0\r\nm=audio\r\n"))
        with pytest.raises(PeerError, match="cannot be taken"):
            await whip.publish(broken)
        await eventually(lambda: whip.sessions == 0, SECONDS)
        assert gate.sinks == []


async def test_ice_servers_tell_where_we_are_seen_from_outside() -> None:
    async with ice_server() as outside:
        servers = (
            IceServer(f"stun:127.0.0.1:{outside.port}"),
            IceServer(f"turn:127.0.0.1:{outside.port}?transport=udp", USERNAME, CREDENTIAL),
        )
        async with ingest(replace(SETTINGS, ice_servers=servers)) as (whip, _):
            answered = await whip.publish(asked(OBS_30))
            assert isinstance(answered, Answered)
            media = sdp.SessionDescription.parse(answered.sdp).media[0]
            found = {each.type: (each.ip, each.port) for each in media.ice_candidates}
            assert found["host"][0] == "127.0.0.1"
            assert (found["srflx"], found["relay"]) == (MAPPED, RELAYED)
            assert outside.allocations == 1
        assert outside.allocations == 0, "given back at the session's end"


async def test_candidates_may_come_later(small: Encoded) -> None:
    async with ingest() as (whip, gate):
        sender = Sender(small)
        try:
            offer = await sender.offer()
            bare = "".join(x for x in offer.splitlines(True) if "candidate" not in x)
            answered = await whip.publish(asked(bare))
            assert isinstance(answered, Answered)
            later = read_offer(offer)
            found = sdp.SessionDescription.parse(offer).media[0].ice_candidates
            fragment = Fragment(later.ufrag, tuple(found), ended=True)
            assert await answered.session.add(fragment)
            assert not await answered.session.add(replace(fragment, ufrag="another"))
            await sender.take(answered.sdp)
            await eventually(lambda: shown(gate) > 0, SECONDS)
        finally:
            await sender.close()
