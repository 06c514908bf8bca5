"""The nginx of docs/playback.md as it stands there: one copy of a segment, each token judged."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest

from server.clock import SystemClock
from server.hls.answer import Answer
from server.hls.edge import Edge
from server.hls.request import Refuse
from server.playback.token import Claims, mint
from tests.helpers.eventually import eventually
from tests.server.hls.show import on_air
from tests.server.running import Client, running

pytestmark = pytest.mark.interop
MANUAL = Path(__file__).resolve().parents[2] / "docs" / "playback.md"
CONFIG = """
user root; daemon off; pid {folder}/pid; error_log stderr; worker_processes 1;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    upstream vitrine {{ server 127.0.0.1:{port}; }}
    {caches}
    server {{
        listen unix:{folder}/front;
        {locations}
        location / {{ proxy_pass http://vitrine; }}
    }}
}}
"""


@asynccontextmanager
async def front(folder: Path, port: int) -> AsyncIterator[aiohttp.ClientSession]:
    """Run nginx before the server; give a client of it."""
    found = re.search(r"```nginx\n(.*?)```", MANUAL.read_text("utf-8"), re.DOTALL)
    assert found is not None
    caches, _, locations = found[1].replace("/var/cache/nginx", str(folder)).partition("\n\n")
    config = folder / "nginx.conf"
    text = CONFIG.format(folder=folder, port=port, caches=caches, locations=locations)
    await asyncio.to_thread(config.write_text, text)
    nginx = await asyncio.create_subprocess_exec("nginx", "-p", str(folder), "-c", str(config))
    try:
        await eventually((folder / "front").exists)
        connector = aiohttp.UnixConnector(str(folder / "front"))
        timeout = aiohttp.ClientTimeout(total=20)
        jar = aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(
            "http://front", connector=connector, timeout=timeout, cookie_jar=jar
        ) as client:
            yield client
    finally:
        with suppress(ProcessLookupError):
            nginx.terminate()
        await nginx.wait()


async def channel(site: Client, name: str, mode: str) -> str:
    made = await site.ask("POST", "/api/v1/channels", json={"id": name, "playback": mode})
    return str(made.json().get("playback_key"))


async def test_segments_are_shared_and_tokens_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path / "data") as site, front(tmp_path, site.server.http_port) as client:
        key = await channel(site, "tea", "signed")
        await channel(site, "cup", "public")
        edge = Edge(on_air(3).window, SystemClock())
        monkeypatch.setattr(site.server.registry, "edge", lambda _: edge)
        asked: list[tuple[str, str]] = []
        media = edge.media

        async def counted(rendition: str, name: str) -> Answer | Refuse:
            asked.append((rendition, name))
            return await media(rendition, name)

        monkeypatch.setattr(edge, "media", counted)
        now = SystemClock().wall_ms() // 1000

        async def get(path: str, **headers: str) -> tuple[int, bytes]:
            async with client.get(path, headers=headers) as answer:
                return answer.status, await answer.read()

        def ticket(seconds: int, viewer: str = "") -> str:
            return mint(Claims("tea", now + seconds, viewer=viewer), key)

        bodies = set()
        for viewer in ("anna", "ben", "cleo"):
            token = ticket(600, viewer=viewer)
            status, index = await get(f"/live/tea/~{token}/720p/index.m3u8")
            assert status == 200
            assert b"r1-0.m4s" in index
            bodies.add(await get(f"/live/tea/~{token}/720p/r1-0.m4s"))
            cookie = f"vitrine_playback={token}"
            bodies.add(await get("/live/tea/720p/r1-0.m4s", Cookie=cookie))
        assert {status for status, _ in bodies} == {200}
        assert len(bodies) == 1
        assert asked == [("720p", "r1-0.m4s")], "one fetch for all of them"
        for path, status in (
            ("/live/tea/720p/r1-0.m4s", 401),
            (f"/live/tea/~{ticket(-900)}/720p/r1-0.m4s", 403),
            (f"/live/tea/~{ticket(60)[:-1]}/720p/r1-0.m4s", 401),
        ):
            assert (await get(path))[0] == status, "kept, but not for everybody"
        assert (await get("/live/cup/720p/r1-0.m4s"))[0] == 200
        edge.close()
