"""Recordings over HTTP: replayed, listed, held, removed; what they take, what they count."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from server.hls.window import Window
from tests.helpers.eventually import eventually
from tests.helpers.manual_clock import START_MS
from tests.server.hls.reader import read
from tests.server.hls.show import Show
from tests.server.running import Client, running

SESSION = "01KE00000000000000000000AA"
AGAIN = "01KE00000000000000000000BB"
API = "/api/v1/channels/tea"
REPLAY = f"/replay/tea/{SESSION}"
SETTINGS: dict[str, object] = {
    "recording.min_free_bytes": 0,
    "recording.max_disk_percent": 100,
}


@dataclass
class Shop:
    site: Client
    bodies: dict[str, bytes | None]
    """Of the 720p segments, as they were live."""


@pytest_asyncio.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    """A server with the recording of a session that has ended."""
    async with running(tmp_path / "data", SETTINGS) as site:
        await site.channel()
        yield Shop(site, await record(site))


async def record(site: Client, session: str = SESSION, run: str = "r1") -> dict[str, bytes | None]:
    """Have three segments recorded and the session ended."""
    recorder = site.server.recordings.recorder
    assert recorder is not None
    tape = recorder.tape("tea", "Tea", session)
    show = Show(Window(run, 1, archive=tape, scribe=tape), pdt_ms=START_MS)
    show.epoch()
    await recorder.session_started("tea", session, START_MS)
    show.segments(3)
    end_ms = show.window.latest_pdt_ms or 0
    rendition = show.window.renditions["720p"]
    bodies = {each.uri: rendition.body(each.uri) for each in rendition.segments}
    await recorder.session_ended("tea", session, end_ms)
    await eventually(lambda: not recorder.unsealed, 10)
    return bodies


async def test_a_replay_is_served_as_the_live_path_is(shop: Shop) -> None:
    ask = shop.site.ask
    index = await ask("GET", f"{REPLAY}/index.m3u8", token=None)
    assert index.status == 200
    assert index.headers["Content-Type"] == "application/vnd.apple.mpegurl"
    assert index.headers["Access-Control-Allow-Origin"] == "*"
    media = await ask("GET", f"{REPLAY}/720p/index.m3u8", token=None)
    assert media.headers["Vary"] == "Accept-Encoding"
    assert media.headers["Cache-Control"] == "max-age=300"
    playlist = read(media.body.decode())
    assert [s.uri for s in playlist.segments] == list(shop.bodies)
    for uri, body in shop.bodies.items():
        got = await ask("GET", f"{REPLAY}/720p/{uri}", token=None)
        assert got.body == body
        assert got.headers["Content-Type"] == "video/mp4"
        assert got.headers["Cache-Control"] == "max-age=3600, immutable"
        part = await ask("GET", f"{REPLAY}/720p/{uri}", token=None, headers={"Range": "bytes=2-5"})
        assert (part.status, part.body) == (206, (body or b"")[2:6])
        known = {"If-None-Match": got.headers["ETag"]}
        assert (await ask("GET", f"{REPLAY}/720p/{uri}", token=None, headers=known)).status == 304
    init = await ask("GET", f"{REPLAY}/audio/{playlist.segments[0].map_uri}", token=None)
    assert (init.body, init.headers["Content-Type"]) == (b"init-audio", "audio/mp4")
    told = await ask("GET", f"{REPLAY}/timeline.json", token=None)
    assert told.json()["session"] == SESSION
    assert told.json()["ended_at"]


async def test_playlists_are_coded_when_accepted(shop: Shop) -> None:
    url = f"{shop.site.base}{REPLAY}/720p/index.m3u8"
    plain = (await shop.site.ask("GET", f"{REPLAY}/720p/index.m3u8")).body
    async with shop.site.session.get(
        url, headers={"Accept-Encoding": "gzip"}, auto_decompress=False
    ) as got:
        assert got.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(await got.read()) == plain


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        (f"/replay/tea/{AGAIN}/index.m3u8", "GET", 404),
        (f"/replay/pot/{SESSION}/index.m3u8", "GET", 404),
        (f"{REPLAY}/999p/index.m3u8", "GET", 404),
        (f"{REPLAY}/720p/r1-99.m4s", "GET", 404),
        (f"{REPLAY}/720p/journal.jsonl", "GET", 404),
        (f"{REPLAY}/720p/%2e%2e%2fjournal.jsonl", "GET", 404),
        (f"{REPLAY}/720p/..%2f..%2f..%2fadmin-token", "GET", 400),
        (f"{REPLAY}/720p/index.m3u8", "POST", 405),
        (f"{REPLAY}/720p/index.m3u8", "OPTIONS", 204),
    ],
)
async def test_anything_else_is_refused_and_readable(
    shop: Shop, path: str, method: str, status: int
) -> None:
    async with shop.site.session.request(method, f"{shop.site.base}{path}") as got:
        assert got.status in (status, 400) if status == 404 else got.status == status
        assert got.headers["Access-Control-Allow-Origin"] == "*"


async def test_sessions_are_listed_in_pages_newest_first(shop: Shop) -> None:
    await record(shop.site, AGAIN, "r2")
    page = (await shop.site.ask("GET", f"{API}/sessions?limit=1", token=None)).json()
    assert [item["id"] for item in page["items"]] == [AGAIN]
    rest = (await shop.site.ask("GET", f"{API}/sessions?after={page['next']}", token=None)).json()
    assert [item["id"] for item in rest["items"]] == [SESSION]
    assert rest["next"] is None
    (item,) = rest["items"]
    assert (item["state"], item["gaps"], item["duration_seconds"]) == ("ended", 0, 6.0)
    assert item["replay_url"] == f"{REPLAY}/index.m3u8"
    assert not {"hold", "expires_at"} & item.keys()  # for those who run it
    mine = (await shop.site.ask("GET", f"{API}/sessions/{SESSION}")).json()
    assert mine["expires_at"] == "2026-03-02T00:00:06.000Z"
    assert (await shop.site.ask("GET", "/api/v1/channels/pot/sessions")).status == 404


async def test_a_hold_keeps_a_recording_until_it_ends(shop: Shop) -> None:
    ask, path = shop.site.ask, f"{API}/sessions/{SESSION}"
    for wrong in ({"hold": True}, {"hold": True, "reason": ""}, {"hold": "x", "reason": "y"}):
        assert (await ask("PUT", f"{path}/hold", json=wrong)).status == 422
    sent = {"hold": True, "reason": "a court asked"}
    assert (await ask("PUT", f"{path}/hold", json=sent, token=None)).status == 401
    anchor = shop.site.keys["tea"]["anchor_token"]
    assert (await ask("PUT", f"{path}/hold", json=sent, token=anchor)).status == 403
    held = (await ask("PUT", f"{path}/hold", json=sent)).json()
    assert held["hold"]["reason"] == "a court asked"
    assert held["expires_at"] is None
    assert not {"hold", "expires_at"} & (await ask("GET", path, token=None)).json().keys()
    refused = await ask("DELETE", path)
    assert (refused.status, refused.json()["code"]) == (409, "held")
    await ask("PUT", f"{path}/hold", json={"hold": False, "reason": "it is settled"})
    assert (await ask("DELETE", path, token=anchor)).status == 403
    assert (await ask("DELETE", path)).status == 204
    assert (await ask("DELETE", path)).status == 404
    assert (await ask("GET", f"{REPLAY}/index.m3u8")).status == 404
    assert (await ask("GET", f"{REPLAY}/720p/r1-1.m4s")).status == 404
    log = (await ask("GET", f"{API}/recording-log")).json()["items"]
    assert [line["deed"] for line in log] == ["recorded", "held", "released", "removed"]
    assert log[-1]["actor"] == "operator"
    assert (await ask("GET", f"{API}/recording-log", token=anchor)).status == 403


async def test_a_removed_channels_recordings_are_still_there(shop: Shop) -> None:
    assert (await shop.site.ask("DELETE", API)).status == 204
    assert (await shop.site.ask("GET", f"{API}/sessions")).json()["items"]
    assert (await shop.site.ask("GET", f"{REPLAY}/720p/index.m3u8", token=None)).status == 200


async def test_on_the_air_a_replay_says_where_to_look(shop: Shop) -> None:
    recorder = shop.site.server.recordings.recorder
    assert recorder is not None
    recorder.tape("tea", "Tea", AGAIN)
    await recorder.session_started("tea", AGAIN, START_MS)
    got = await shop.site.ask("GET", f"/replay/tea/{AGAIN}/index.m3u8", token=None)
    assert (got.status, got.json()["code"]) == (409, "on-air")
    assert "/live/tea/index.m3u8" in got.json()["detail"]
    listed = (await shop.site.ask("GET", f"{API}/sessions/{AGAIN}")).json()
    assert (listed["state"], listed["replay_url"]) == ("live", None)
    assert (await shop.site.ask("DELETE", f"{API}/sessions/{AGAIN}")).json()["code"] == "on-air"


async def test_what_recordings_take_is_told(shop: Shop) -> None:
    usage = (await shop.site.ask("GET", "/api/v1/recordings/usage")).json()
    assert usage["recordings"] == 1
    assert usage["bytes"] > 0
    assert usage["disk_free"] > 0
    assert (await shop.site.ask("GET", "/api/v1/recordings/usage", token=None)).status == 401
    figures = (await shop.site.ask("GET", "/metrics")).body.decode()
    assert "vitrine_recording_segments_total 9.0" in figures
    assert "vitrine_recording_lost_segments_total 0.0" in figures
    assert "vitrine_recording_unsealed 0.0" in figures
    assert "vitrine_recording_disk_free_bytes" in figures


async def test_a_server_that_records_nothing_still_replays(tmp_path: Path) -> None:
    async with running(tmp_path / "data", SETTINGS) as site:
        await site.channel()
        await record(site)
        recorder = site.server.recordings.recorder
        assert recorder is not None
        tape = recorder.tape("tea", "Tea", AGAIN)
        show = Show(Window("r9", 1, archive=tape, scribe=tape), pdt_ms=START_MS + 60_000)
        show.epoch()
        await recorder.session_started("tea", AGAIN, START_MS + 60_000)
        show.segments(2)
    off = {**SETTINGS, "recording.enabled": False}
    async with running(tmp_path / "data", off) as site:
        assert site.server.recordings.recorder is None
        assert (await site.ask("GET", f"{REPLAY}/720p/index.m3u8")).status == 200
        async with asyncio.timeout(10):
            while (await site.ask("GET", f"/replay/tea/{AGAIN}/index.m3u8")).status == 409:
                pass
        text = (await site.ask("GET", f"/replay/tea/{AGAIN}/720p/index.m3u8")).body.decode()
        assert len(read(text).segments) == 2


async def test_a_disk_that_takes_nothing_keeps_no_server_from_its_work(tmp_path: Path) -> None:
    await asyncio.to_thread((tmp_path / "file").write_text, "no folder")
    async with running(
        tmp_path / "data", {**SETTINGS, "recording.path": str(tmp_path / "file")}
    ) as site:
        await site.channel()
        recorder = site.server.recordings.recorder
        assert recorder is not None
        tape = recorder.tape("tea", "Tea", SESSION)
        show = Show(Window("r1", 1, archive=tape, scribe=tape), pdt_ms=START_MS)
        show.epoch()
        await recorder.session_started("tea", SESSION, START_MS)
        show.segments(2)
        await eventually(lambda: bool(recorder.warnings("tea")))
        told = (await site.ask("GET", API)).json()["warnings"]
        assert [(w["code"], w["severity"]) for w in told] == [("recording-interrupted", "warning")]
        assert "Not a directory" in told[0]["message"]
        assert told[0]["since"]
        assert (await site.ask("GET", API, token=None)).json()["warnings"] == []
        figures = (await site.ask("GET", "/metrics")).body.decode()
        assert "vitrine_recording_troubled 1.0" in figures
        assert (await site.ask("GET", f"{API}/sessions")).status == 200
