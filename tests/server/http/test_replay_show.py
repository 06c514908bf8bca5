"""What is made of recordings, over HTTP: the page, chapters, pictures, files to keep."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator

import av
import pytest
import pytest_asyncio

from server.clock import SystemClock
from server.hls.window import Window
from server.instant import rfc3339
from server.playback.token import Claims, mint
from server.record.storage import TIMELINE, home
from tests.helpers.clips import Clip
from tests.helpers.eventually import eventually
from tests.helpers.recorded import two_epochs
from tests.helpers.rendered import epochs
from tests.server.running import Answer, Client, running
from transcode.message import Up
from transcode.part import Epoch, Part

SESSION = "01KE00000000000000000000AA"
HERE = f"/replay/tea/{SESSION}"
SECONDS = 60.0
PARTS = ("", "?part=1", "?part=2", "?part=3")
SETTINGS: dict[str, object] = {
    "recording.min_free_bytes": 0,
    "recording.max_disk_percent": 100,
}


@pytest.fixture(scope="module")
def messages() -> list[Up]:
    return two_epochs((Clip(seconds=4.0), Clip(seconds=2.0)))


@pytest_asyncio.fixture
async def shop(
    tmp_path_factory: pytest.TempPathFactory, messages: list[Up]
) -> AsyncIterator[Client]:
    """A server with the recording of a session in which `cup` was explained."""
    async with running(tmp_path_factory.mktemp("data"), SETTINGS) as site:
        await site.channel()
        await record(site, messages)
        yield site


async def keep_timeline(site: Client, start: int) -> None:
    """Store what was on show: `cup` a second after `start`, and a pin that was never seen."""
    pins = [
        {
            "id": name,
            "product_id": "cup",
            "start": rfc3339(start + begin),
            "end": rfc3339(start + end),
            "product": {"id": "cup", "title": "Tasting cup"},
        }
        for name, begin, end in (("first", 1_000, 2_000), ("never", 3_000, 3_000))
    ]
    told = json.dumps({"session": SESSION, "intervals": pins}).encode()
    await site.server.recordings.storage.write(f"{home('tea', SESSION)}/{TIMELINE}", told)


async def record(site: Client, messages: list[Up]) -> None:
    recordings = site.server.recordings
    assert recordings.recorder is not None
    tape = recordings.recorder.tape("tea", "Tea <b> Ü", SESSION)
    window = Window("r1", 1, archive=tape, scribe=tape)
    start = epochs(messages)[0].pdt_ms
    await recordings.recorder.session_started("tea", SESSION, start)
    for message in messages:
        if isinstance(message, Epoch):
            window.open_epoch(message)
        elif isinstance(message, Part):
            window.add(message)
    window.end()
    await recordings.recorder.session_ended("tea", SESSION, window.latest_pdt_ms or 0)
    recorder = recordings.recorder
    await eventually(lambda: not recorder.unsealed, 20)
    await keep_timeline(site, start)


async def get(site: Client, path: str, **headers: str) -> Answer:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return await site.ask("GET", f"{HERE}{path}", token=None, headers=sent)


async def test_the_page_names_its_show_and_its_moment(shop: Client) -> None:
    lead = await get(shop, "?t=5")
    assert (lead.status, lead.headers["Location"]) == (308, f"{HERE}/?t=5")
    page = await get(shop, "/?t=1m5s")
    text = page.body.decode()
    assert page.status == 200
    assert f'session="{SESSION}" token="" start="1m5s"' in text
    assert "Tea &lt;b&gt; Ü" in text
    assert f"{HERE}/poster.jpg" in text
    assert 'data-parts="1"' in text
    assert "{{" not in text
    assert page.headers["Content-Security-Policy"].endswith("frame-ancestors 'self'")
    odd = await get(shop, '/?t="><script>')
    assert 'start=""' in odd.body.decode()


@pytest.fixture(scope="module")
def turned() -> list[Up]:
    """A show whose second encoder holds its picture upright."""
    return two_epochs((Clip(seconds=2.0), Clip(seconds=2.0, width=180, height=320)))


async def test_the_page_knows_the_parts_of_a_show_whose_format_changed(
    tmp_path_factory: pytest.TempPathFactory, turned: list[Up]
) -> None:
    async with running(tmp_path_factory.mktemp("data"), SETTINGS) as site:
        await site.channel()
        await record(site, turned)
        assert 'data-parts="2"' in (await get(site, "/")).body.decode()
        statuses = [(await get(site, f"/recording.mp4{part}")).status for part in PARTS]
        assert statuses == [409, 200, 200, 404]


async def test_no_such_recording_has_a_page_in_our_style(shop: Client) -> None:
    found = await shop.ask("GET", "/replay/tea/none/", token=None)
    assert found.status == 404
    assert b"No such replay" in found.body
    for name in ("chapters.vtt", "poster.jpg", "storyboard.vtt", "recording.mp4"):
        assert (await shop.ask("GET", f"/replay/tea/none/{name}", token=None)).status == 404


async def test_chapters_are_webvtt_that_any_page_may_read(shop: Client) -> None:
    found = await get(shop, "/chapters.vtt")
    assert found.headers["Content-Type"] == "text/vtt; charset=utf-8"
    assert found.headers["Access-Control-Allow-Origin"] == "*"
    assert b"00:00:01.000 --> 00:00:02.000\nTasting cup\n" in found.body
    known = await get(shop, "/chapters.vtt", If_None_Match=found.headers["ETag"])
    assert known.status == 304
    recording = await shop.server.recordings.library.recording("tea", SESSION)
    await keep_timeline(shop, recording.started_ms + 500)
    other = await get(shop, "/chapters.vtt", If_None_Match=found.headers["ETag"])
    assert len(other.body) == len(found.body)
    assert b"00:00:01.500 --> 00:00:02.500\nTasting cup\n" in other.body


async def test_pictures_are_being_made_and_then_there(shop: Client) -> None:
    first = await get(shop, "/storyboard.vtt")
    assert (first.status, first.json()) == (202, {"state": "making"})
    assert int(first.headers["Retry-After"]) > 0
    assert first.headers["Cache-Control"] == "no-store"
    pictures = shop.server.recordings.pictures
    await eventually(lambda: pictures.ask("tea", SESSION) != "making", SECONDS)
    board = await get(shop, "/storyboard.vtt")
    assert board.status == 200
    assert b"storyboard-0.jpg#xywh=0,0,192,108" in board.body
    for name in ("/poster.jpg", "/storyboard-0.jpg"):
        picture = await get(shop, name)
        assert (picture.status, picture.headers["Content-Type"]) == (200, "image/jpeg")
        assert picture.body.startswith(b"\xff\xd8")
    assert (await get(shop, "/storyboard-7.jpg")).status == 404


async def test_the_recording_can_be_kept_as_a_file(shop: Client) -> None:
    whole = await get(shop, "/recording.mp4")
    assert whole.status == 200
    assert int(whole.headers["Content-Length"]) == len(whole.body)
    assert whole.headers["Content-Type"] == "video/mp4"
    day = rfc3339(1_700_000_000_000)[:10]
    assert whole.headers["Content-Disposition"] == (
        f'attachment; filename="tea-{day}-Tea-b-U.mp4";'
        f" filename*=UTF-8''tea%20{day}%20Tea%20%3Cb%3E%20%C3%9C.mp4"
    )
    with av.open(io.BytesIO(whole.body), "r") as container:
        assert len(list(container.decode(video=0))) == 180
    plain = await get(shop, "/recording.mp4?fragmented=false")
    with av.open(io.BytesIO(plain.body), "r") as container:
        assert container.streams.video[0].frames == 180
    tag = whole.headers["ETag"]
    for asked, start, stop in (("5-9", 5, 10), ("-4", -4, None), ("100-", 100, None)):
        part = await get(shop, "/recording.mp4", Range=f"bytes={asked}", If_Range=tag)
        assert (part.status, part.body) == (206, whole.body[start:stop])
    assert (await get(shop, "/recording.mp4", Range="bytes=5-9", If_Range='"x"')).status == 200
    for asked in (f"{len(whole.body)}-", "-0"):
        outside = await get(shop, "/recording.mp4", Range=f"bytes={asked}")
        assert outside.status == 416
        assert outside.headers["Content-Range"] == f"bytes */{len(whole.body)}"
    head = await shop.ask("HEAD", f"{HERE}/recording.mp4", token=None)
    assert (head.status, int(head.headers["Content-Length"])) == (200, len(whole.body))


async def test_a_clip_holds_one_explanation(shop: Client) -> None:
    clip = await get(shop, "/clip.mp4?pin=first&rendition=90p")
    assert clip.status == 200
    assert "Tasting-cup.mp4" in clip.headers["Content-Disposition"]
    with av.open(io.BytesIO(clip.body), "r") as container:
        assert len(list(container.decode(video=0))) == 30
    for query, status, code in (
        ("pin=none", 404, "not-found"),
        ("pin=never", 409, "never-shown"),
        ("", 422, "invalid"),
        ("pin=first&rendition=4k", 404, "not-found"),
        ("pin=first&part=2", 404, "not-found"),
        ("pin=first&part=x", 422, "invalid"),
    ):
        refused = await get(shop, f"/clip.mp4?{query}")
        assert refused.headers["Access-Control-Allow-Origin"] == "*"
        assert (refused.status, refused.json()["code"]) == (status, code), query


async def test_what_is_still_on_the_air_is_watched_live(shop: Client, messages: list[Up]) -> None:
    recordings, session = shop.server.recordings, "01KE00000000000000000000CC"
    assert recordings.recorder is not None
    tape = recordings.recorder.tape("tea", "Tea", session)
    Window("r2", 100, archive=tape, scribe=tape).open_epoch(epochs(messages)[0])
    await recordings.recorder.session_started("tea", session, 1_700_000_000_000)
    found = await shop.ask("GET", f"/replay/tea/{session}/", token=None)
    assert (found.status, found.headers["Location"]) == (302, "/watch/tea")
    file = await shop.ask("GET", f"/replay/tea/{session}/recording.mp4", token=None)
    assert (file.status, file.json()["code"]) == (409, "on-air")


async def test_the_files_of_a_signed_show_are_for_who_has_a_ticket(shop: Client) -> None:
    made = await shop.ask("PATCH", "/api/v1/channels/tea", json={"playback": "signed"})
    claims = Claims("tea", SystemClock().wall_ms() // 1000 + 60, SESSION)
    token = mint(claims, made.json()["playback_key"])
    files = ("recording.mp4", "clip.mp4?pin=first", "chapters.vtt", "timeline.json", "index.m3u8")
    for name in files:
        assert (await get(shop, f"/{name}")).status == 401, name
        kept = await get(shop, f"/{name}", Cookie=f"vitrine_playback={token}")
        assert kept.status == 200, name
        assert kept.headers["Cache-Control"].startswith("private, max-age="), name
        path = await shop.ask("GET", f"/replay/tea/~{token}/{SESSION}/{name}", token=None)
        assert path.status == 200, name
        assert "private" not in path.headers["Cache-Control"], name
    part = await get(shop, f"/recording.mp4?token={token}", Range="bytes=0-9")
    assert (part.status, part.headers["Cache-Control"]) == (206, "private, max-age=3600")
    page = await get(shop, f"/?token={token}", Accept="text/html")
    assert f'token="{token}"' in page.body.decode(), "where no cookie is kept"
    cookies = [c for c in page.headers.getall("Set-Cookie") if c.startswith("vitrine_playback")]
    paths = {part for each in cookies for part in each.split("; ") if part.startswith("Path=")}
    assert paths == {f"Path=/replay/tea/{SESSION}"}, "one for all of the channel stays"
    assert (await shop.ask("DELETE", "/api/v1/channels/tea")).status == 204
    await shop.server.playback.refresh()
    for asked in (f"{HERE}/recording.mp4", f"/replay/tea/~{token}/{SESSION}/index.m3u8"):
        assert (await shop.ask("GET", asked, token=None)).status == 401, "a removed one's as well"
    assert (await shop.ask("GET", f"{HERE}/index.m3u8")).status == 200, "the operator sees it"
