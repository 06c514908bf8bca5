"""WHEP: who may look on, what they see and how soon, and nothing left behind."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest
import pytest_asyncio

from ingest.unit import (
    TICKS_PER_SECOND,
    AudioCodec,
    AudioConfig,
    AudioUnit,
    Unit,
    VideoCodec,
    VideoConfig,
    VideoUnit,
)
from server.live.echo import Echo
from tests.helpers.clips import Clip, units
from tests.helpers.eventually import eventually
from tests.helpers.whep_viewer import Viewer
from tests.helpers.whip_publisher import encode
from tests.server.running import Answer, Client, running

OFFER = {"Content-Type": "application/sdp"}
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}
RATE = 30


class Encoder:
    """An encoder's units, sent into an echo at their time from picture `ahead` on."""

    def __init__(self, units: Sequence[Unit], ahead: int = 0) -> None:
        self.echo = Echo()
        self._media = [u for u in units if isinstance(u, VideoUnit | AudioUnit)]
        for unit in units:
            if not isinstance(unit, VideoUnit | AudioUnit):
                self.echo.saw(unit)
        self._ahead = ahead * TICKS_PER_SECOND // RATE
        self.began = 0.0
        """time.monotonic() of picture 0."""

    async def run(self) -> None:
        self.began = time.monotonic() - self._ahead / TICKS_PER_SECOND
        for unit in self._media:
            at = self.began + unit.pts / TICKS_PER_SECOND
            if at > time.monotonic():
                await asyncio.sleep(at - time.monotonic())
            self.echo.saw(unit)

    def late(self, viewer: Viewer) -> list[float]:
        """Give how long after it was encoded each picture was seen, in seconds."""
        return [seen.at - self.began - seen.number / RATE for seen in viewer.seen]


@asynccontextmanager
async def on_air(
    site: Client, monkeypatch: pytest.MonkeyPatch, encoder: Encoder
) -> AsyncIterator[Encoder]:
    monkeypatch.setattr(site.server.registry, "echo", lambda _: encoder.echo)
    running = asyncio.create_task(encoder.run())
    try:
        yield encoder
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def opus(seconds: int) -> list[Unit]:
    """Make VP8 and Opus as a WHIP publisher's units."""
    encoded = encode("VP8", seconds, (320, 180))
    made: list[tuple[int, Unit]] = []
    for packet in encoded.video:
        pts = (packet.pts or 0) * TICKS_PER_SECOND // RATE
        made.append((pts, VideoUnit(pts, pts, packet.is_keyframe, bytes(packet))))
    for packet in encoded.audio:
        pts = (packet.pts or 0) * TICKS_PER_SECOND // 48_000
        made.append((pts, AudioUnit(pts, bytes(packet))))
    made.sort(key=lambda each: each[0])
    configs = (VideoConfig(VideoCodec.VP8, b""), AudioConfig(AudioCodec.OPUS, b"", 48_000, 2))
    return [*configs, *(unit for _, unit in made)]


async def post(
    site: Client, token: str | None, offer: str, path: str = "/whep/tea", **headers: str
) -> Answer:
    return await site.ask("POST", path, token=token, data=offer, headers={**OFFER, **headers})


def refused(answer: Answer, status: int, code: str) -> str:
    assert answer.status == status, answer.body
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.json()["code"] == code
    return str(answer.json()["detail"])


@pytest_asyncio.fixture
async def tea(site: Client) -> str:
    """Make a channel; give its anchor's token."""
    return (await site.channel())["anchor_token"]


@asynccontextmanager
async def viewing(
    site: Client, token: str, codec: str = "H264"
) -> AsyncIterator[tuple[Viewer, Answer]]:
    viewer = Viewer(codec)
    try:
        answer = await post(site, token, await viewer.offer())
        assert answer.status == 201, answer.body
        await viewer.take(answer.body.decode())
        yield viewer, answer
    finally:
        await viewer.close()


async def test_a_late_joiner_sees_at_once_and_in_time(
    site: Client, tea: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The keyframe is a second and a half old, and the next one is far away."""
    made = await asyncio.to_thread(units, Clip(seconds=8, keyframe_seconds=10))
    async with on_air(site, monkeypatch, Encoder(made, ahead=45)) as encoder:
        await eventually(lambda: len(encoder.echo.group) >= 45)
        async with viewing(site, tea) as (viewer, answer):
            assert answer.headers["Location"].startswith("/whep/tea/")
            assert answer.headers["ETag"].startswith('"')
            assert answer.headers["X-Vitrine-Sound"] == "none", "AAC is none for a browser"
            assert "a=inactive" in answer.body.decode()
            await eventually(lambda: len(viewer.seen) > 100, 20)
        late = encoder.late(viewer)
        numbers = [seen.number for seen in viewer.seen]
        assert numbers[0] == 0, "from the keyframe on"
        assert all(after > before for before, after in pairwise(numbers))
        newest = sorted(late[-30:])
        assert newest[len(newest) // 2] < 2.0, newest


async def test_vp8_and_opus_go_along(
    site: Client, tea: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await asyncio.to_thread(opus, 3)
    async with on_air(site, monkeypatch, Encoder(made)):
        async with viewing(site, tea, "VP8") as (viewer, answer):
            assert answer.headers["X-Vitrine-Sound"] == "opus"
            await eventually(lambda: len(viewer.seen) > 15 and viewer.sounds > 20, 20)


async def test_it_ends_with_the_publisher_and_on_goodbye(
    site: Client, tea: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whep = site.server.whep
    assert whep is not None
    made = await asyncio.to_thread(units, Clip(seconds=6))
    async with on_air(site, monkeypatch, Encoder(made)) as encoder:
        async with viewing(site, tea) as (viewer, answer):
            await eventually(lambda: bool(viewer.seen), 20)
            assert whep.sessions == 1
            resource = answer.headers["Location"]
            other = (await site.channel("cup"))["anchor_token"]
            refused(await site.ask("DELETE", resource, token=None), 401, "unauthorized")
            refused(await site.ask("DELETE", resource, token=other), 403, "forbidden")
            refused(await site.ask("DELETE", resource), 401, "unauthorized")
            moved = resource.replace("tea", "cup")
            refused(await site.ask("DELETE", moved, token=other), 404, "not-found")
            assert (await site.ask("DELETE", resource, token=tea)).status == 200
            assert whep.sessions == 0
            refused(await site.ask("DELETE", resource, token=tea), 404, "not-found")
        async with viewing(site, tea) as (viewer, _):
            await eventually(lambda: bool(viewer.seen), 20)
            encoder.echo.close("the encoder is gone")
            await eventually(lambda: whep.sessions == 0, 10)
            await eventually(lambda: viewer.ended, 10)


async def test_who_may_look_on(site: Client, tea: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await asyncio.to_thread(units, Clip(seconds=1))
    other = (await site.channel("cup"))["anchor_token"]
    viewer = Viewer()
    offer = await viewer.offer()
    async with on_air(site, monkeypatch, Encoder(made)):
        refused(await post(site, None, offer), 401, "unauthorized")
        refused(await post(site, "made-up", offer), 401, "unauthorized")
        refused(await post(site, other, offer), 403, "forbidden")
        refused(await post(site, tea, "v=0\r\n"), 422, "invalid")
        refused(await post(site, tea, "hello"), 400, "bad-request")
        sender = offer.replace("a=recvonly", "a=sendonly")
        assert "does not receive" in refused(await post(site, tea, sender), 422, "invalid")
        typed = {"Content-Type": "text/plain"}
        plain = await site.ask("POST", "/whep/tea", token=tea, data=offer, headers=typed)
        refused(plain, 415, "unsupported-media-type")
        only = Viewer("VP8")
        said = refused(await post(site, tea, await only.offer()), 422, "invalid")
        assert "sends H264" in said
        await only.close()
    await viewer.close()
    assert site.server.whep is not None
    assert site.server.whep.sessions == 0


async def test_candidates_trickle(site: Client, tea: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await asyncio.to_thread(units, Clip(seconds=1))
    viewer = Viewer()
    offer = await viewer.offer()
    ufrag = offer.partition("a=ice-ufrag:")[2].partition("\r\n")[0]
    candidate = f"a=ice-ufrag:{ufrag}\r\na=candidate:1 1 udp 9 127.0.0.1 9 typ host\r\n"
    async with on_air(site, monkeypatch, Encoder(made)):
        answer = await post(site, tea, offer)
        resource, tag = answer.headers["Location"], answer.headers["ETag"]

        async def patch(body: str, **headers: str) -> int:
            sent = {**FRAGMENT, **headers}
            return (await site.ask("PATCH", resource, token=tea, data=body, headers=sent)).status

        assert await patch(candidate, **{"If-Match": tag}) == 204
        assert await patch(candidate) == 428
        assert await patch(candidate, **{"If-Match": '"x"'}) == 412
        assert await patch("hello", **{"If-Match": tag}) == 400
        assert await patch(candidate.replace(ufrag, "new1"), **{"If-Match": "*"}) == 422
        assert (await site.ask("DELETE", resource, token=tea)).status == 200
        options = await site.ask("OPTIONS", "/whep/tea", token=None)
        assert options.headers["Accept-Post"] == "application/sdp"
    await viewer.close()


async def test_what_cannot_be_shown_is_told(
    site: Client, tea: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = Viewer()
    offer = await viewer.offer()
    off = await post(site, tea, offer)
    refused(off, 409, "offline")
    assert off.headers["Retry-After"] == "5"
    refused(await post(site, "operator-token-of-the-tests", offer, "/whep/none"), 404, "not-found")
    made = await asyncio.to_thread(units, Clip(seconds=1, b_frames=2))
    async with on_air(site, monkeypatch, Encoder(made)) as encoder:
        await eventually(lambda: encoder.echo.reordered == "yes")
        assert "B frames" in refused(await post(site, tea, offer), 409, "b-frames")
    hevc = Encoder([VideoConfig(VideoCodec.HEVC, b"")])
    async with on_air(site, monkeypatch, hevc):
        assert "HEVC" in refused(await post(site, tea, offer), 409, "codec")
    await viewer.close()


async def test_b_frames_that_begin_later_end_it(
    site: Client, tea: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = await asyncio.to_thread(units, Clip(seconds=6))
    async with on_air(site, monkeypatch, Encoder(plain)) as encoder:
        async with viewing(site, tea) as (viewer, _):
            await eventually(lambda: bool(viewer.seen), 20)
            newest = encoder.echo.group[-1]
            for dts, pts in ((1, 4), (2, 2)):
                at = newest.dts + dts * 90
                encoder.echo.saw(VideoUnit(at, newest.pts + pts * 90, False, newest.data))
            assert site.server.whep is not None
            await eventually(lambda: site.server.whep is not None and not site.server.whep.sessions)


async def test_they_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path / "data", {"whep.max_sessions": 1}) as site:
        tea = (await site.channel())["anchor_token"]
        made = await asyncio.to_thread(units, Clip(seconds=6))
        viewer = Viewer()
        offer = await viewer.offer()
        async with on_air(site, monkeypatch, Encoder(made)):
            first = await post(site, tea, offer)
            assert first.status == 201
            full = await post(site, tea, offer)
            assert "max_sessions" in refused(full, 503, "crowded")
            assert full.headers["Retry-After"]
            assert (await site.ask("DELETE", first.headers["Location"], token=tea)).status == 200
            answers = [await post(site, tea, "v=0") for _ in range(29)]
            assert [answer.status for answer in answers] == [*[422] * 28, 429]
            assert int(answers[-1].headers["Retry-After"]) > 0
        await viewer.close()


async def test_switched_off(tmp_path: Path) -> None:
    async with running(tmp_path / "data", {"whep.max_sessions": 0}) as site:
        tea = (await site.channel())["anchor_token"]
        assert "max_sessions" in refused(await post(site, tea, "v=0"), 404, "not-found")
