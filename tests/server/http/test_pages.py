"""Pages and their files: escaped, framed and cached as they should be; nothing else is served."""

from __future__ import annotations

import re

import pytest
from yarl import URL

from server.live.state import LiveState
from server.record.catalogue import Entry
from tests.server.running import Answer, Client


async def test_a_page_carries_its_nonce_and_escapes_the_title(site: Client) -> None:
    await site.channel()  # its title is `Tea <b>`
    page = await site.ask("GET", "/watch/tea", token=None)
    policy = page.headers["Content-Security-Policy"]
    found = re.search(r"'nonce-([\w-]+)'", policy)
    assert found is not None
    text = page.body.decode()
    assert f'nonce="{found[1]}"' in text
    assert "Tea &lt;b&gt;" in text
    assert "Tea <b>" not in text
    assert "{{" not in text
    assert "unsafe-inline" not in policy
    assert "unsafe-eval" not in policy
    again = await site.ask("GET", "/watch/tea", token=None)
    assert found[1] not in again.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("path", "ancestors"),
    [
        ("/", "'none'"),
        ("/watch/tea", "'self'"),
        ("/embed/tea", "*"),
        ("/studio/tea", "'self'"),
        ("/studio/tea/camera", "'none'"),
        ("/ops", "'none'"),
        ("/api/docs", "'none'"),
    ],
)
async def test_only_the_embed_may_be_framed_anywhere(
    site: Client, path: str, ancestors: str
) -> None:
    await site.channel()
    page = await site.ask("GET", path, token=None)
    assert page.status == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert page.headers["Content-Security-Policy"].endswith(f"frame-ancestors {ancestors}")
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"


@pytest.mark.parametrize(
    ("path", "ancestors"),
    [("/watch/none", "'none'"), ("/embed/none", "*"), ("/studio/none", "'none'")],
)
async def test_an_unknown_channel_has_a_page_in_our_style(
    site: Client, path: str, ancestors: str
) -> None:
    page = await site.ask("GET", path, token=None)
    assert page.status == 404
    assert page.headers["Content-Security-Policy"].endswith(f"frame-ancestors {ancestors}")
    text = page.body.decode()
    ways = re.findall(r'<a [^>]*href="/"([^>]*)>', text)
    assert len(ways) == 2
    framed = ancestors == "*"
    assert all(('target="_blank"' in way) is framed for way in ways), "the shop's page stays"
    styles = re.findall(r'"(/player/[^"]+)"', text)
    assert "/player/style/theme.css" in styles
    for name in styles:
        assert (await site.ask("GET", name, token=None)).status == 200, name


async def test_every_file_that_a_page_names_is_there(site: Client) -> None:
    await site.channel()
    seen = 0
    for path in (
        "/",
        "/watch/tea",
        "/embed/tea",
        "/studio/tea",
        "/studio/tea/camera",
        "/ops",
        "/api/docs",
    ):
        text = (await site.ask("GET", path, token=None)).body.decode()
        for name in re.findall(r'"(/(?:player|api/docs)/[^"?#]+)"', text):
            if "/vendor/" in name:
                continue  # installed at set-up
            assert (await site.ask("GET", name, token=None)).status == 200, name
            seen += 1
    assert seen > 10


async def test_pages_give_one_signed_cookie(site: Client) -> None:
    first = await site.ask("GET", "/", token=None)
    cookie = first.headers["Set-Cookie"]
    assert cookie.startswith("vitrine_viewer=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    headers = {"Cookie": cookie.partition(";")[0]}
    assert "Set-Cookie" not in (await site.ask("GET", "/", token=None, headers=headers)).headers
    forged = {"Cookie": "vitrine_viewer=someone.forged"}
    assert "Set-Cookie" in (await site.ask("GET", "/", token=None, headers=forged)).headers


async def test_modules_are_revalidated_and_packed(site: Client) -> None:
    plain = await site.ask("GET", "/player/api.js", token=None)
    assert plain.headers["Content-Type"].startswith("text/javascript")
    headers = {"If-None-Match": f'"other", W/{plain.headers["ETag"]}'}
    same = await site.ask("GET", "/player/api.js", token=None, headers=headers)
    assert (same.status, same.body) == (304, b"")
    identity = {"Accept-Encoding": "identity"}
    unpacked = await site.ask("GET", "/player/api.js", token=None, headers=identity)
    assert "Content-Encoding" not in unpacked.headers
    assert unpacked.body == plain.body  # the client unpacked the first


@pytest.mark.parametrize(
    "path",
    [
        "/player/package.json",
        "/player/watch.html",
        "/player/node_modules/hls.js/package.json",
        "/player/vendor/hls.js/package.json",
        "/player/vendor/../package.json",
        "/player/%2e%2e/pyproject.toml",
        "/player/..%2fpyproject.toml",
        "/player/..%5cpyproject.toml",
        "/player//etc/passwd",
        "/player/api.js%00.png",
        "/api/docs/docs.html",
        "/watch/none",
        "/watch/%3Cscript%3E",
        "/images/../pyproject.toml",
    ],
)
async def test_nothing_else_is_served(site: Client, path: str) -> None:
    async with site.session.get(URL(site.base + path, encoded=True)) as answer:
        assert answer.status in (400, 404)
        assert b"[project]" not in await answer.read()


async def test_only_the_camera_page_may_use_the_camera(site: Client) -> None:
    await site.channel()
    for path in ("/", "/watch/tea", "/embed/tea", "/studio/tea", "/ops"):
        policy = (await site.ask("GET", path, token=None)).headers["Permissions-Policy"]
        assert "camera=()" in policy
        assert "microphone=()" in policy
    policy = (await site.ask("GET", "/studio/tea/camera", token=None)).headers["Permissions-Policy"]
    for what in ("camera", "microphone", "display-capture"):
        assert f"{what}=(self)" in policy


async def test_a_link_to_a_show_is_shown_with_its_picture(
    site: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def picture(page: Answer) -> list[str]:
        return re.findall(r'<meta property="og:image" content="([^"]*)">', page.body.decode())

    await site.channel()
    assert picture(await site.ask("GET", "/watch/tea", token=None)) == [], "there is none"
    past = Entry("tea", "01HXVITRINE0000000000000AA", "Tea", 1, ended_ms=2)
    await site.server.recordings.catalogue.begin(past)
    await site.server.recordings.catalogue.finish(past, 2)
    poster = f"{site.base}/replay/tea/{past.session}/poster.jpg"
    assert picture(await site.ask("GET", "/watch/tea", token=None)) == [poster]
    monkeypatch.setattr(site.server.registry, "state", lambda _: LiveState("live"))
    live = f"{site.base}/live/tea/poster.jpg"
    assert picture(await site.ask("GET", "/watch/tea", token=None)) == [live]
    assert picture(await site.ask("GET", "/embed/tea", token=None)) == []
    signed = {"playback": "signed"}
    assert (await site.ask("PATCH", "/api/v1/channels/tea", json=signed)).status == 200
    ticket = (await site.ask("POST", "/api/v1/channels/tea/playback/tokens", json={})).json()
    page = await site.ask("GET", f"/watch/tea?token={ticket['token']}", token=None)
    assert page.status == 200
    assert picture(page) == [], "a token's picture is not for whoever passes by"
