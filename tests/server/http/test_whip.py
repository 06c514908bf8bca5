"""WHIP's HTTP side: who may publish, what is answered to what, and nothing left behind."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiortc import sdp
from structlog.testing import capture_logs

from ingest.port import Refusal
from server.config import load
from tests.helpers.eventually import eventually
from tests.helpers.offers import GSTREAMER, OBS_30, written
from tests.helpers.rtmp_publisher import RtmpPublisher
from tests.helpers.whip_publisher import Sender, encode
from tests.server.running import Answer, Client, running

OFFER = {"Content-Type": "application/sdp"}
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}
CANDIDATE = (
    "a=ice-ufrag:dCab\r\nm=audio 9 X 0\r\na=mid:0\r\na=candidate:1 1 udp 9 127.0.0.1 9 typ host\r\n"
)


async def post(
    site: Client, key: str | None, offer: str = OBS_30, path: str = "/whip/tea", **headers: str
) -> Answer:
    return await site.ask(
        "POST", path, token=key, data=written(offer).encode(), headers={**OFFER, **headers}
    )


@pytest_asyncio.fixture
async def tea(site: Client) -> str:
    """Make a channel; give its stream key."""
    return (await site.channel())["stream_key"]


def problem_of(answer: Answer) -> dict[str, Any]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    found: dict[str, Any] = answer.json()
    assert found["status"] == answer.status
    assert len(found["detail"]) > 10
    return found


async def test_an_offer_is_answered(site: Client, tea: str) -> None:
    answer = await post(
        site, tea, **{"User-Agent": "Mozilla/5.0 (OBS-Studio/30.2.3; Linux x86_64)"}
    )
    assert answer.status == 201, answer.body
    assert answer.headers["Content-Type"] == "application/sdp"
    assert answer.headers["Location"].startswith("/whip/tea/")
    assert answer.headers["ETag"].startswith('"')
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Location" in answer.headers["Access-Control-Expose-Headers"]
    described = sdp.SessionDescription.parse(answer.body.decode())
    assert [media.direction for media in described.media] == ["recvonly", "recvonly"]
    known = (await site.ask("GET", "/api/v1/channels/tea")).json()
    assert known["state"] == "offline"
    assert "protocol" not in known["ingest"], "nobody is on the air before there is a connection"


async def test_goodbye(site: Client, tea: str) -> None:
    made = await post(site, tea)
    resource = made.headers["Location"]
    assert site.server.whip is not None
    assert site.server.whip.sessions == 1
    other = (await site.channel("cup"))["stream_key"]
    assert problem_of(await site.ask("DELETE", resource, token=None))["code"] == "unauthorized"
    assert (await site.ask("DELETE", resource, token=other)).status == 401
    session = site.server.whip.session("tea", resource.rpartition("/")[2])
    assert session is not None
    assert not session.opens("\udcff"), "a byte that is no UTF-8"
    assert (await site.ask("DELETE", resource.replace("tea", "cup"), token=tea)).status == 404
    assert (await site.ask("DELETE", resource, token=tea)).status == 200
    assert (await site.ask("DELETE", resource, token=tea)).status == 404
    assert site.server.whip.sessions == 0


@pytest.mark.parametrize("key", [None, "sk-made-up", ""])
async def test_a_wrong_key_is_401_whatever_the_offer(
    site: Client, tea: str, key: str | None
) -> None:
    del tea
    with capture_logs() as logs:
        for offer in (OBS_30, "v=0"):
            answer = await post(site, key, offer)
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            problem_of(answer)
    told = [line for line in logs if line["event"] == "whip publish refused"]
    assert len(told) == (2 if key else 0), "without a key nobody tried to publish"
    assert all(line["cause"] == "bad-key" and "not known" in line["reason"] for line in told)
    assert all(line["peer"] == "127.0.0.1" and "made-up" not in str(line) for line in told)
    assert site.server.registry.tally.refused[Refusal.BAD_KEY] == len(told)


async def test_the_key_of_another_channel_is_403_and_takes_nothing_over(
    site: Client, tea: str
) -> None:
    other = (await site.channel("cup"))["stream_key"]
    assert (await post(site, tea)).status == 201
    answer = await post(site, other)
    assert answer.status == 403
    assert "another channel" in problem_of(answer)["detail"]
    assert site.server.whip is not None
    assert site.server.whip.sessions == 1
    assert (await post(site, tea, path="/whip/none")).status == 403


async def test_too_many_wrong_keys_have_to_wait(site: Client, tea: str) -> None:
    del tea
    refused = site.server.registry.tally.refused
    answers = [await post(site, f"sk-{n}") for n in range(11)]
    assert [answer.status for answer in answers] == [*[401] * 10, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    problem_of(answers[-1])
    assert refused == {Refusal.BAD_KEY: 10, Refusal.RATE_LIMITED: 1}


@pytest.mark.parametrize(
    ("body", "headers", "status", "said"),
    [
        pytest.param(b"v=0", {"Content-Type": "text/plain"}, 415, "application/sdp", id="415"),
        pytest.param(b"hello", OFFER, 400, "v=0", id="no-sdp"),
        pytest.param(b"\xff\xfe", OFFER, 400, "UTF-8", id="no-text"),
        pytest.param(b"v=0\r\n", OFFER, 422, "no media", id="no-media"),
        pytest.param(b"v=0\r\n" + b"a=x\r\n" * 20_000, OFFER, 413, "over", id="large"),
        pytest.param(
            written(OBS_30.replace("H264/", "AV1/")).encode(), OFFER, 422, "offered were: AV1",
            id="codec",
        ),
    ],
)  # fmt: skip
async def test_what_is_wrong_with_an_offer_is_told(
    site: Client, tea: str, body: bytes, headers: dict[str, str], status: int, said: str
) -> None:
    answer = await site.ask("POST", "/whip/tea", token=tea, data=body, headers=headers)
    assert answer.status == status
    assert said in problem_of(answer)["detail"]


async def test_an_offer_that_cannot_be_taken_leaves_the_publisher_on(
    site: Client, tea: str
) -> None:
    made = await post(site, tea)
    assert (await post(site, tea, "v=0")).status == 422
    session = await site.ask("DELETE", made.headers["Location"], token=tea)
    assert session.status == 200, "it was still there"


async def test_another_publisher_is_replaced_once_the_line_stands(site: Client, tea: str) -> None:
    async def protocol() -> str:
        known = (await site.ask("GET", "/api/v1/channels/tea")).json()
        return str(known["ingest"]["protocol"])

    rtmp = await RtmpPublisher.connect(site.server.rtmp.port)
    assert (await rtmp.publish(tea))["code"] == "NetStream.Publish.Start"
    assert (await post(site, tea)).status == 201
    assert await protocol() == "rtmp", "an offer that nobody follows up replaces nobody"
    sender = Sender(await asyncio.to_thread(encode, "VP8", 1, (320, 180)))
    try:
        answer = await post(site, tea, await sender.offer())
        await sender.take(answer.body.decode())
        said = (await rtmp.status())["description"]
        assert said == "Another encoder took over with the same key."
        assert await protocol() == "whip"
        resource = answer.headers["Location"]
        assert (await site.ask("DELETE", resource, token=tea)).status == 200
    finally:
        await sender.close()
        rtmp.abort()


async def test_after_a_stop_the_camera_page_is_told_how_long_to_wait(
    site: Client, tea: str
) -> None:
    rtmp = await RtmpPublisher.connect(site.server.rtmp.port)
    assert (await rtmp.publish(tea))["code"] == "NetStream.Publish.Start"
    assert (await site.ask("POST", "/api/v1/channels/tea/stop")).status == 200
    rtmp.abort()
    for _ in range(2):
        by_hand = await post(site, tea, **{"Sec-Fetch-Site": "same-origin"})
        told = problem_of(by_hand)
        assert (by_hand.status, told["code"]) == (409, "stopped")
        assert re.search(r"go live again in \d+ s", told["detail"])
    known = (await site.ask("GET", "/api/v1/channels/tea")).json()
    assert known["warnings"] == [], "a person who was told is no encoder that comes back by itself"
    by_itself = await post(site, tea)
    assert by_itself.status == 409
    assert "Stop streaming in your encoder" in problem_of(by_itself)["detail"]
    known = (await site.ask("GET", "/api/v1/channels/tea")).json()
    assert [each["code"] for each in known["warnings"]] == ["ended-by-request"]
    assert site.server.registry.tally.refused[Refusal.STOPPED] == 3


async def test_the_newest_offer_of_a_key_counts(site: Client, tea: str) -> None:
    first, second = await post(site, tea), await post(site, tea, GSTREAMER)
    assert (first.status, second.status) == (201, 201)
    whip = site.server.whip
    assert whip is not None
    await eventually(lambda: whip.sessions == 1)
    assert (await site.ask("DELETE", first.headers["Location"], token=tea)).status == 404
    assert (await site.ask("DELETE", second.headers["Location"], token=tea)).status == 200


async def patch(site: Client, resource: str, key: str, body: str, **headers: str) -> Answer:
    return await site.ask("PATCH", resource, token=key, data=body, headers={**FRAGMENT, **headers})


async def test_candidates_trickle(site: Client, tea: str) -> None:
    made = await post(site, tea)
    resource, tag = made.headers["Location"], made.headers["ETag"]
    good = {"If-Match": tag}
    answer = await patch(site, resource, tea, CANDIDATE, **good)
    assert (answer.status, answer.body) == (204, b"")
    assert "ETag" not in answer.headers
    assert (await patch(site, resource, tea, CANDIDATE)).status == 428
    assert (await patch(site, resource, tea, CANDIDATE, **{"If-Match": '"x"'})).status == 412
    assert (await patch(site, resource, tea, "hello", **good)).status == 400
    typed = {**good, "Content-Type": "application/sdp"}
    assert (await patch(site, resource, tea, CANDIDATE, **typed)).status == 415
    assert (await patch(site, resource, "sk-no", CANDIDATE, **good)).status == 401
    restart = CANDIDATE.replace("dCab", "new1")
    refused = await patch(site, resource, tea, restart, **{"If-Match": "*"})
    assert refused.status == 422
    assert "POST a new offer" in problem_of(refused)["detail"]
    assert (await site.ask("DELETE", resource, token=tea)).status == 200, "a refusal ends nothing"


async def test_options_and_other_methods(site: Client, tea: str) -> None:
    del tea
    origin = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    endpoint = await site.ask("OPTIONS", "/whip/tea", token=None, headers=origin)
    assert endpoint.status == 200
    assert endpoint.headers["Accept-Post"] == "application/sdp"
    assert endpoint.headers["Access-Control-Allow-Origin"] == "*"
    assert "Authorization" in endpoint.headers["Access-Control-Allow-Headers"]
    session = await site.ask("OPTIONS", "/whip/tea/x", token=None, headers=origin)
    assert "PATCH" in session.headers["Access-Control-Allow-Methods"]
    for method, path in (("GET", "/whip/tea"), ("PUT", "/whip/tea"), ("GET", "/whip/tea/x")):
        assert (await site.ask(method, path, token=None)).status == 405


@pytest_asyncio.fixture
async def relayed(tmp_path: Path) -> AsyncIterator[Client]:
    """Run a server that names a TURN server which is not there."""
    servers = [
        {"url": "turn:127.0.0.1:9?transport=tcp", "username": 'a"b', "credential": "secret"},
    ]
    async with running(tmp_path / "data", {"ingest.whip.ice_servers": servers}) as client:
        yield client


async def test_ice_servers_are_told(relayed: Client) -> None:
    key = (await relayed.channel())["stream_key"]
    answer = await post(relayed, key)
    assert answer.status == 201, answer.body
    assert answer.headers["Link"] == (
        '<turn:127.0.0.1:9?transport=tcp>; rel="ice-server"; username="a\\"b"; '
        'credential="secret"; credential-type="password"'
    )
    assert "127.0.0.1" in answer.body.decode()


async def test_switched_off(tmp_path: Path) -> None:
    async with running(tmp_path / "data", {"ingest.whip.enabled": False}) as client:
        key = (await client.channel())["stream_key"]
        answer = await post(client, key)
        assert answer.status == 404
        assert "ingest.whip.enabled" in problem_of(answer)["detail"]


def test_where_it_listens() -> None:
    def addresses(**overrides: object) -> tuple[str, ...]:
        found = load(None, {name.replace("__", "."): v for name, v in overrides.items()})
        settings = found.whip_settings()
        assert settings is not None
        return settings.addresses

    assert addresses() == ()
    assert addresses(server__host="127.0.0.1") == ("127.0.0.1",)
    assert addresses(server__host="localhost") == ()
    assert addresses(server__host="::") == ()
    both = addresses(server__host="127.0.0.1", ingest__whip__addresses=["192.0.2.1"])
    assert both == ("192.0.2.1",)
