"""Who may watch, over HTTP: each way that a token comes, each reason why it does not open."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from yarl import URL

from server.clock import SystemClock
from server.hls.edge import Edge
from server.http.playback import MEDIA_GRACE_SECONDS
from server.live.posters import Poster
from server.playback.judge import SKEW_SECONDS
from server.playback.token import Claims, mint
from server.record.catalogue import Entry
from tests.server.hls.show import on_air
from tests.server.running import Answer, Client, running

PAGE = {"Accept": "text/html,*/*"}
SESSION = "01KDX3W5V0M7Y4R3H8Z6T1QJ9C"
Mint = Callable[..., str]


@pytest_asyncio.fixture
async def signed(site: Client, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """Put the signed channel `tea` on the air; give its key. `cup` is public and on the air."""
    made = await site.ask(
        "POST", "/api/v1/channels", json={"id": "tea", "title": "Tea", "playback": "signed"}
    )
    site.keys["tea"] = made.json()
    await site.channel("cup")
    edge = Edge(on_air(3).window, SystemClock())
    on_the_air = ("tea", "cup", "live")
    monkeypatch.setattr(
        site.server.registry, "edge", lambda name: edge if name in on_the_air else None
    )
    monkeypatch.setattr(site.server.registry, "session_on", lambda _: SESSION)
    yield site.keys["tea"]["playback_key"]
    edge.close()


@pytest.fixture
def ticket(signed: str) -> Mint:
    """Mint as a shop would, by the seconds from now on."""

    def make(seconds: int = 600, key: str = "", **claims: Any) -> str:
        now = SystemClock().wall_ms() // 1000
        return mint(Claims(claims.pop("channel", "tea"), now + seconds, **claims), key or signed)

    return make


async def ask(site: Client, path: str, **headers: str) -> Answer:
    return await site.ask("GET", path, token=None, headers=headers)


def refused(answer: Answer, status: int, code: str) -> None:
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json()["code"] == code
    assert len(answer.json()["detail"]) > 10


def lines(answer: Answer) -> list[str]:
    return [line for line in answer.body.decode().splitlines() if not line.startswith("#")]


async def test_without_a_token_nothing_is_served(site: Client, signed: str) -> None:
    del signed
    for path in ("index.m3u8", "720p/index.m3u8", "720p/r1-0.m4s", "720p/none.m4s", "x/y/z"):
        answer = await ask(site, f"/live/tea/{path}")
        refused(answer, 401, "token-missing")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    refused(await ask(site, f"/replay/tea/{SESSION}/index.m3u8"), 401, "token-missing")
    assert (await ask(site, "/live/cup/index.m3u8")).status == 200, "others are public"
    options = await site.ask("OPTIONS", "/live/tea/index.m3u8", token=None)
    assert options.status == 204, "a preflight carries nothing"


async def test_the_query_moves_into_the_path_and_relative_addresses_inherit_it(
    site: Client, ticket: Mint
) -> None:
    token = ticket()
    moved = await ask(site, f"/live/tea/index.m3u8?token={token}")
    assert moved.status == 302
    assert moved.headers["Location"] == f"/live/tea/~{token}/index.m3u8"
    assert moved.headers["Cache-Control"] == "no-store"
    index = await ask(site, moved.headers["Location"])
    assert index.status == 200
    assert token not in index.body.decode()
    playlist = await ask(site, f"/live/tea/~{token}/{lines(index)[0]}")
    assert playlist.status == 200
    assert token not in playlist.body.decode()
    assert "private" not in playlist.headers["Cache-Control"]
    media = await ask(site, f"/live/tea/~{token}/720p/{lines(playlist)[0]}")
    assert media.status == 200
    assert media.headers["Cache-Control"] == "max-age=31536000, immutable"


async def test_a_good_token_in_the_path_is_served_by_the_lane(site: Client, ticket: Mint) -> None:
    good, other = ticket(60), ticket(60, session="01KDX3W5V0M7Y4R3H8Z6T1QJ9D")
    for path in ("720p/index.m3u8", "720p/r1-0.m4s"):
        # On a connection of its own: one that had a body is aiohttp's for good.
        place = f"http://127.0.0.1:{site.server.http_port}/live/tea/~{good}/{path}"
        async with ClientSession() as player, player.get(place) as answer:
            assert answer.status == 200
            # Only the lane numbers its answers.
            number = answer.headers["X-Request-Id"]
            assert re.fullmatch(r"[0-9A-Z]{26}-[0-9a-f]+", number)
        refused(await ask(site, f"/live/tea/~{other}/{path}"), 403, "token-of-another-show")
        refused(await ask(site, f"/live/tea/{path}"), 401, "token-missing")


async def test_the_same_bytes_lie_behind_every_token(site: Client, ticket: Mint) -> None:
    one, other = ticket(600, viewer="anna"), ticket(900, viewer="ben")
    answers = [await ask(site, f"/live/tea/~{token}/720p/r1-0.m4s") for token in (one, other)]
    assert answers[0].body == answers[1].body
    assert answers[0].headers["ETag"] == answers[1].headers["ETag"]


async def test_the_query_becomes_cookies_of_this_channel_only(site: Client, ticket: Mint) -> None:
    token = ticket()
    moved = await ask(site, f"/live/tea/index.m3u8?token={token}")
    cookies = moved.headers.getall("Set-Cookie")
    paths = {part for each in cookies for part in each.split("; ") if part.startswith("Path=")}
    assert paths >= {"Path=/live/tea", "Path=/watch/tea", "Path=/replay/tea"}
    for each in cookies:
        assert each.startswith(f"vitrine_playback={token};")
        assert "HttpOnly" in each
        assert "SameSite=Lax" in each
        assert "Secure" not in each, "this is plain HTTP"
        age = int(each.partition("Max-Age=")[2].partition(";")[0])
        assert 590 <= age <= 600
    by_cookie = await ask(site, "/live/tea/720p/index.m3u8", Cookie=f"vitrine_playback={token}")
    assert by_cookie.status == 200
    assert by_cookie.headers["Cache-Control"].startswith("private")
    media = await ask(site, "/live/tea/720p/r1-0.m4s", Cookie=f"a=b; vitrine_playback={token}")
    assert media.headers["Cache-Control"] == "private, max-age=31536000, immutable"


async def test_one_of_several_cookies_is_enough(site: Client, ticket: Mint) -> None:
    bad, good = ticket(session="OTHER"), ticket()
    both = f"vitrine_playback={bad}; vitrine_playback={good}"
    assert (await ask(site, "/live/tea/720p/index.m3u8", Cookie=both)).status == 200


async def test_each_reason_is_told(site: Client, ticket: Mint) -> None:
    def path(token: str) -> str:
        return f"/live/tea/~{token}/720p/index.m3u8"

    now = SystemClock().wall_ms() // 1000
    expired = await ask(site, path(ticket(-SKEW_SECONDS - 1)))
    refused(expired, 403, "token-expired")
    assert expired.json()["at"].endswith("Z")
    early = await ask(site, path(ticket(not_before=now + 100)))
    refused(early, 403, "token-not-yet-good")
    refused(await ask(site, path(ticket(channel="cup"))), 403, "token-of-another-show")
    refused(await ask(site, path(ticket(session="OTHER"))), 403, "token-of-another-show")
    refused(await ask(site, path(ticket(key="pb_guessed"))), 401, "token-unknown")
    refused(await ask(site, path("nonsense")), 401, "token-unknown")
    assert (await ask(site, path(ticket(session=SESSION)))).status == 200, "it is on the air"
    assert (await ask(site, path(ticket(-SKEW_SECONDS + 5)))).status == 200, "clocks differ"


async def test_an_ended_token_still_loads_what_was_listed(site: Client, ticket: Mint) -> None:
    just, long = ticket(-SKEW_SECONDS - 1), ticket(-SKEW_SECONDS - MEDIA_GRACE_SECONDS - 1)
    refused(await ask(site, f"/live/tea/~{just}/720p/index.m3u8"), 403, "token-expired")
    assert (await ask(site, f"/live/tea/~{just}/720p/r1-0.m4s")).status == 200
    refused(await ask(site, f"/live/tea/~{long}/720p/r1-0.m4s"), 403, "token-expired")


async def test_a_ticket_for_a_recording_does_not_open_what_is_live(
    site: Client, ticket: Mint
) -> None:
    """Which session is asked for is said by the address, not by who asks."""
    token = ticket(session="OLD")
    for path in (
        f"/live/tea/~{token}/index.m3u8?session=OLD",
        f"/live/tea/~{token}/720p/index.m3u8?session=OLD",
        f"/live/tea/~{token}/720p/r1-0.m4s?session=OLD",
        f"/live/tea/index.m3u8?session=OLD&token={token}",
        f"/replay/tea/~{token}/{SESSION}/index.m3u8?session=OLD",
    ):
        refused(await ask(site, path), 403, "token-of-another-show")
    page = await ask(site, f"/watch/tea?session=OLD&token={token}", **PAGE)
    assert page.status == 403


ODD = (
    "//live/tea/index.m3u8",
    "/live//tea/index.m3u8",
    "/live/./tea/index.m3u8",
    "/live/cup/../tea/index.m3u8",
    "/live/cup/%2e%2e/tea/index.m3u8",
    "/live/cup/..%2ftea/720p/index.m3u8",
    "/live/cup%2f..%2ftea/720p/index.m3u8",
    "/%6cive/tea/720p/index.m3u8",
    "/live/%74ea/720p/index.m3u8",
    "/live/te%61/720p/r1-0.m4s",
    "/live/TEA/720p/index.m3u8",
    "/live/tea%00/720p/index.m3u8",
    "/live/tea;x/720p/index.m3u8",
    "/live/tea%2f720p/index.m3u8",
    "/live%2ftea/720p/index.m3u8",
    "/live/tea/720p/../720p/r1-0.m4s",
    "/live/tea/~/720p/index.m3u8",
    "/live/tea/~~/720p/r1-0.m4s",
    "/live/tea/%7e/720p/r1-0.m4s",
    "/live/~x/tea/720p/index.m3u8",
    "/live/tea/720p/index.m3u8?token=",
    "/live/tea/720p/index.m3u8?token=x&token=y",
    "/live/tea/720p/index.m3u8#/live/cup/",
    "/playback/tea?session=",
)


async def test_no_way_of_writing_the_address_leads_around(site: Client, signed: str) -> None:
    del signed
    for path in ODD:
        url = URL(site.base + path, encoded=True)
        for method in ("GET", "HEAD"):
            async with site.session.request(method, url, allow_redirects=False) as answer:
                assert answer.status in (400, 401, 404), path
                assert b"EXTM3U" not in await answer.read(), path


async def test_a_cookie_that_was_tampered_with_opens_nothing(site: Client, ticket: Mint) -> None:
    token = ticket()
    text, _, signature = token.rpartition(".")
    fields = text.split(".")
    later = [*fields[:3], str(int(fields[3]) + 1), *fields[4:]]
    for forged in (
        ".".join([*later, signature]),
        f"{token}=",
        f"{token}A",
        token[:-1],
        token.upper(),
        f"{text}.{'A' * 43}",
        f"v2{token[2:]}",
        f'"{token}',
        f"{token}\u00e9",
    ):
        answer = await ask(site, "/live/tea/720p/index.m3u8", Cookie=f"vitrine_playback={forged}")
        refused(answer, 401, "token-unknown")


async def test_a_channel_may_be_called_as_the_folder_is(site: Client, signed: str) -> None:
    del signed
    made = await site.ask("POST", "/api/v1/channels", json={"id": "live", "playback": "signed"})
    claims = Claims("live", SystemClock().wall_ms() // 1000 + 60)
    token = mint(claims, made.json()["playback_key"])
    moved = await ask(site, f"/live/live/index.m3u8?token={token}")
    assert moved.headers["Location"] == f"/live/live/~{token}/index.m3u8"
    assert (await ask(site, moved.headers["Location"])).status == 200


async def test_who_runs_the_channel_always_watches(site: Client, signed: str) -> None:
    del signed
    other = site.keys["cup"]["anchor_token"]
    for token, status in ((site.keys["tea"]["anchor_token"], 200), (other, 401), ("no", 401)):
        got = await site.ask("GET", "/live/tea/720p/index.m3u8", token=token)
        assert got.status == status
    got = await site.ask("GET", "/live/tea/720p/index.m3u8")
    assert got.status == 200
    assert got.headers["Cache-Control"].startswith("private")


async def test_pages_ask_for_the_token_and_keep_it(site: Client, ticket: Mint) -> None:
    token = ticket()
    for place in ("watch", "embed"):
        answer = await ask(site, f"/{place}/tea", **PAGE)
        assert answer.status == 401
        assert answer.headers["Content-Type"].startswith("text/html")
        assert "needs a ticket" in answer.body.decode()
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert answer.headers["Cache-Control"] == "no-store"
        late = await ask(site, f"/{place}/tea?token={ticket(-60)}", **PAGE)
        assert late.status == 403
        assert "expired" in late.body.decode()
        told = late.body.decode() + answer.body.decode()
        assert not re.search("token|invit", told, re.IGNORECASE), "people hold tickets"
        shown = await ask(site, f"/{place}/tea?token={token}", **PAGE)
        assert shown.status == 200
        assert f'token="{token}"' in shown.body.decode()
        cookies = shown.headers.getall("Set-Cookie")
        assert any(f"Path=/{place}/tea" in each for each in cookies)
        again = await ask(site, f"/{place}/tea", Cookie=f"vitrine_playback={token}", **PAGE)
        assert again.status == 200
        assert token not in again.body.decode(), "the cookie goes along by itself"
    embed = await ask(site, "/embed/tea", **PAGE)
    assert "frame-ancestors *" in embed.headers["Content-Security-Policy"]
    assert (await ask(site, "/watch/cup", **PAGE)).status == 200


async def test_in_a_frame_behind_https_the_cookie_is_one_for_third_parties(
    tmp_path: Path,
) -> None:
    settings: dict[str, object] = {"server.public_url": "https://live.example"}
    async with running(tmp_path / "data", settings) as site:
        sent = {"id": "tea", "playback": "signed"}
        made = (await site.ask("POST", "/api/v1/channels", json=sent)).json()
        now = SystemClock().wall_ms() // 1000
        token = mint(Claims("tea", now + 60), made["playback_key"])
        for place, wanted in (("embed", "SameSite=None; Secure; Partitioned"), ("watch", "Lax")):
            page = await ask(site, f"/{place}/tea?token={token}", **PAGE)
            mine = [c for c in page.headers.getall("Set-Cookie") if "vitrine_playback" in c]
            assert mine
            words = [set(each.split("; ")) for each in mine]
            assert all("Secure" in each for each in words)
            if place == "embed":
                assert all(set(wanted.split("; ")) <= each for each in words)
            else:
                assert all("SameSite=Lax" in each and "Partitioned" not in each for each in words)


async def test_a_front_asks_by_itself(site: Client, ticket: Mint) -> None:
    token = ticket()
    said = await ask(site, f"/playback/tea/~{token}")
    assert (said.status, said.body) == (204, b"")
    assert said.headers["Cache-Control"] == "max-age=10"
    assert (await ask(site, "/playback/tea", Cookie=f"vitrine_playback={token}")).status == 204
    refused(await ask(site, "/playback/tea"), 401, "token-missing")
    only = ticket(session="OTHER")
    assert (await ask(site, f"/playback/tea/~{only}?session=OTHER")).status == 204
    refused(
        await ask(site, f"/playback/tea/~{only}?session={SESSION}"), 403, "token-of-another-show"
    )
    assert (await ask(site, "/playback/cup")).status == 204


async def test_modes_and_keys_by_the_api(site: Client, ticket: Mint) -> None:
    channel = (await ask(site, "/api/v1/channels/tea")).json()
    assert channel["playback"] == "signed"
    assert "playback_key" not in channel
    token = ticket()
    made = await site.ask(
        "POST", "/api/v1/channels/tea/playback/rotate-key", json={"keep_old_seconds": 60}
    )
    assert made.json()["playback_key"].startswith("pb_")
    assert (await ask(site, f"/live/tea/~{token}/index.m3u8")).status == 200
    await site.ask("POST", "/api/v1/channels/tea/playback/rotate-key", json={})
    refused(await ask(site, f"/live/tea/~{token}/index.m3u8"), 401, "token-unknown")
    opened = await site.ask("PATCH", "/api/v1/channels/tea", json={"playback": "public"})
    assert opened.json() == {"id": "tea", "title": "Tea", "playback": "public"}
    assert (await ask(site, "/live/tea/index.m3u8")).status == 200
    assert (await ask(site, f"/live/tea/~{token}/index.m3u8")).status == 200, "old links go on"
    first = await site.ask("PATCH", "/api/v1/channels/cup", json={"playback": "signed"})
    assert first.json()["playback_key"].startswith("pb_")
    refused(await ask(site, "/live/cup/index.m3u8"), 401, "token-missing")
    for wrong in ({}, {"playback": "secret"}, {"playback": "public", "x": 1}):
        assert (await site.ask("PATCH", "/api/v1/channels/tea", json=wrong)).status == 422
    anchor = site.keys["tea"]["anchor_token"]
    denied = await site.ask(
        "PATCH", "/api/v1/channels/tea", token=anchor, json={"playback": "public"}
    )
    assert denied.status == 403


async def test_a_token_by_the_api(site: Client, signed: str) -> None:
    del signed
    anchor = site.keys["tea"]["anchor_token"]
    made = await site.ask(
        "POST", "/api/v1/channels/tea/playback/tokens", token=anchor, json={"seconds": 60}
    )
    assert made.status == 201
    told = made.json()
    assert (await ask(site, told["hls_url"].removeprefix(site.base))).status == 200
    assert (await ask(site, told["watch_url"].removeprefix(site.base), **PAGE)).status == 200
    catalogue = site.server.recordings.catalogue
    past = Entry("tea", "01KDX3W5V0M7Y4R3H8Z6T1QJ90", "Tea", 1, ended_ms=2)
    await catalogue.begin(past)
    await catalogue.finish(past, 2)
    for session, place in (
        (SESSION, "/watch/tea"),
        (past.session, f"/replay/tea/{past.session}/"),
    ):
        made = await site.ask(
            "POST", "/api/v1/channels/tea/playback/tokens", json={"session": session}
        )
        assert URL(made.json()["watch_url"]).path == place
    unknown = "01KDX3W5V0M7Y4R3H8Z6T1QJ91"
    for channel, session in (("tea", unknown), ("other", past.session)):
        tokens = f"/api/v1/channels/{channel}/playback/tokens"
        await site.ask("POST", "/api/v1/channels", json={"id": "other", "playback": "signed"})
        missing = await site.ask("POST", tokens, json={"session": session})
        assert missing.status == 404
        assert missing.json()["detail"] == f"There is no session '{session}'."
    stranger = site.keys["cup"]["anchor_token"]
    for token, status in ((stranger, 403), (None, 401)):
        answer = await site.ask(
            "POST", "/api/v1/channels/tea/playback/tokens", token=token, json={}
        )
        assert answer.status == status
    public = await site.ask("POST", "/api/v1/channels/cup/playback/tokens", json={})
    assert public.status == 409
    assert public.json()["code"] == "no-playback-key"


async def test_no_token_is_logged(
    site: Client, ticket: Mint, capsys: pytest.CaptureFixture[str]
) -> None:
    token = ticket(-600)
    await ask(site, f"/live/tea/~{token}/index.m3u8")
    await ask(site, f"/watch/tea?token={token}", **PAGE)
    told = capsys.readouterr()
    assert "/live/tea/~/index.m3u8" in told.out + told.err
    assert token.rpartition(".")[2] not in told.out + told.err


async def test_a_viewer_whose_token_ends_gets_no_further_playlist(
    site: Client, ticket: Mint
) -> None:
    """The last second of a token, by the clock: open at first, closed soon after."""
    path = f"/live/tea/~{ticket(-SKEW_SECONDS + 1)}/720p/index.m3u8"
    statuses = [(await ask(site, path)).status]
    async with asyncio.timeout(10):
        while statuses[-1] == 200:
            statuses.append((await ask(site, path)).status)
    assert statuses[0] == 200
    assert statuses[-1] == 403


async def test_the_picture_of_a_show_opens_as_the_show_does(
    site: Client, ticket: Mint, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def made(_channel: str) -> Poster:
        return Poster(SESSION, "r1-p0.m4s", b"JPEG")

    monkeypatch.setattr(site.server.posters, "poster", made)
    refused(await ask(site, "/live/tea/poster.jpg"), 401, "token-missing")
    opened = await ask(site, f"/live/tea/~{ticket()}/poster.jpg")
    assert (opened.status, opened.body) == (200, b"JPEG")
    by_query = await ask(site, f"/live/tea/poster.jpg?token={ticket()}")
    assert by_query.headers["Cache-Control"] == "private, max-age=10"
    public = await ask(site, "/live/cup/poster.jpg?turn=7")
    assert public.headers["Content-Type"] == "image/jpeg"
    assert public.headers["Cache-Control"] == "max-age=10"
    tag = {"If-None-Match": public.headers["ETag"]}
    assert (await ask(site, "/live/cup/poster.jpg", **tag)).status == 304
