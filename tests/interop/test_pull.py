"""Sources that the server reads itself, from real servers of each protocol on loopback."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.helpers.clips import Clip, read_number, write
from tests.helpers.hls_client import Taken, following
from tests.helpers.lossy_line import lossy
from tests.helpers.rare import rare
from tests.helpers.rtsp_camera import Camera, filming
from tests.helpers.senders import end, ffmpeg_file, sending
from tests.helpers.sight import listen, pictures, planes
from tests.helpers.vitrine_server import Api, VitrineServer, calling, serving
from tests.helpers.web_files import WebFiles, offering
from tests.interop.on_air import LIVE_SECONDS

pytestmark = [pytest.mark.interop, pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

CLIP = Clip(seconds=6.0)
RUNG = "180p"
SECONDS = 6
SETTINGS = {
    "INGEST__GRACE_SECONDS": "3",
    "INGEST__PULL__ALLOW_PRIVATE": "true",
    "INGEST__PULL__SILENCE_SECONDS": "4",
    "INGEST__PULL__BACKOFF_SECONDS": "0.5",
    "INGEST__PULL__MAX_BACKOFF_SECONDS": "2",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VitrineServer]:
    """Run a server that may read from this machine."""
    with serving(tmp_path_factory.mktemp("vitrine"), SETTINGS) as running:
        yield running
    assert [event for event in running.events() if "exception" in event] == []


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def api(server: VitrineServer) -> AsyncIterator[Api]:
    async with calling(server) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def web(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[WebFiles]:
    """Offer the clip as files of several kinds and as HLS."""
    folder = tmp_path_factory.mktemp("web")
    for name, container in (("clip.mp4", "mp4"), ("clip.ts", "mpegts"), ("clip.flv", "flv")):
        write(CLIP, folder / name, container)
    cut = ("-c", "copy", "-f", "hls", "-hls_time", "2", "-hls_list_size", "0")
    await run(
        "ffmpeg", "-v", "error", "-i", str(folder / "clip.mp4"), *cut, str(folder / "clip.m3u8")
    )
    async with offering(WebFiles(folder)) as files:
        yield files


async def run(*command: str) -> None:
    async with sending(*command) as process:
        assert await asyncio.wait_for(process.wait(), 60) == 0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@asynccontextmanager
async def rtmp_server(file: Path) -> AsyncIterator[str]:
    """ffmpeg waits for one who reads, and sends the clip round and round."""
    url = f"rtmp://127.0.0.1:{free_port()}/live/clip"
    command = ffmpeg_file(file, url, loop=True)
    async with sending(*command[:-1], "-listen", "1", command[-1]):
        yield url


@asynccontextmanager
async def srt_server(file: Path) -> AsyncIterator[str]:
    """ffmpeg waits for one who reads over SRT; the line in between loses one datagram in 20."""
    port = free_udp_port()
    command = ("ffmpeg", "-v", "error", "-nostdin", "-re", "-stream_loop", "-1", "-i", str(file))
    target = f"srt://127.0.0.1:{port}?mode=listener"
    async with sending(*command, "-c", "copy", "-f", "mpegts", target), lossy(port, 20) as way:
        yield f"srt://127.0.0.1:{way}?streamid=clip"


@asynccontextmanager
async def at(url: str) -> AsyncIterator[str]:
    yield url


def source(kind: str, web: WebFiles) -> AbstractAsyncContextManager[str]:
    if kind == "rtmp":
        return rtmp_server(web.folder / "clip.flv")
    if kind == "srt":
        return srt_server(web.folder / "clip.ts")
    if kind == "rtsp":
        return filming(Camera(CLIP, login="ann:s3cret"))
    return at(f"{web.url}/clip.{kind}")


async def put(api: Api, channel: str, url: str, **more: Any) -> Any:
    return await api.call("PUT", f"/channels/{channel}/source", {"url": url, **more})


@pytest.mark.parametrize("kind", ["mp4", rare("ts"), rare("m3u8"), "rtmp", "rtsp", "srt"])
async def test_a_source_is_on_the_air_with_its_picture_and_sound(
    api: Api, web: WebFiles, kind: str
) -> None:
    name = f"from-{kind}"
    await api.add_channel(name)
    async with source(kind, web) as plain:
        url = plain.replace("://127", "://ann:s3cret@127") if kind == "rtsp" else plain
        told = await put(api, name, url, loop=True)
        assert "s3cret" not in str(told)
        document = await api.until_state(name, "live", LIVE_SECONDS)
        async with following(api.session, f"{api.server.url}/live/{name}") as recording:
            await recording.until(lambda r: r.renditions[RUNG].seconds >= SECONDS, 60)
    assert (document["source"]["state"], document["ingest"]["protocol"]) == ("on-air", "pull")
    assert document["ingest"]["peer"] == told["url"]
    assert document["ingest"]["video"] == "h264"
    await asyncio.to_thread(judge, recording.renditions[RUNG])
    await api.call("DELETE", f"/channels/{name}/source")
    await api.until_state(name, "offline")


async def test_a_live_playlist_is_a_source(api: Api, web: WebFiles) -> None:
    for name, url in (
        ("origin", f"{web.url}/clip.mp4"),
        ("mirror", f"{api.server.url}/live/origin/index.m3u8"),
    ):
        await api.add_channel(name)
        await put(api, name, url, loop=True)
        await api.until_state(name, "live", LIVE_SECONDS)
    async with following(api.session, f"{api.server.url}/live/mirror") as recording:
        await recording.until(lambda r: r.renditions[RUNG].seconds >= SECONDS, 60)
    await asyncio.to_thread(judge, recording.renditions[RUNG])
    document = await api.channel("mirror")
    assert (document["ingest"]["width"], document["ingest"]["dropped"]) == (320, 0)
    await api.call("DELETE", "/channels/mirror/source")
    await api.call("DELETE", "/channels/origin/source")


def judge(taken: Taken) -> None:
    """Find the clip's pictures in their order, and its beeps a second apart."""
    numbers = [read_number(planes(frame)[0]) for _, _, frame in pictures(taken)]
    right = [b == (a + 1) % CLIP.frames for a, b in pairwise(numbers)]
    assert sum(right) >= 0.95 * len(right), numbers
    beeps = listen(taken).dates_ms
    assert len(beeps) >= SECONDS - 2
    assert all(900 < b - a < 1_100 for a, b in pairwise(beeps)), beeps


async def test_a_camera_that_fails_is_told_of_and_is_on_the_air_when_it_is_back(api: Api) -> None:
    await api.add_channel("yard")
    camera = Camera(CLIP)
    async with filming(camera) as url:
        await put(api, "yard", url)
        await api.until_state("yard", "live", LIVE_SECONDS)

    def lost(found: Any) -> bool:
        return any(warning["code"] == "source-unreadable" for warning in found["warnings"])

    found = await api.until(lost, lambda: api.channel("yard"), LIVE_SECONDS)
    await api.until(
        lambda found: "connection refused; trying again in" in str(found["warnings"]),
        lambda: api.channel("yard"),
        LIVE_SECONDS,
    )
    assert found["source"]["enabled"]
    async with filming(camera):
        await api.until(
            lambda found: found["state"] == "live" and not lost(found),
            lambda: api.channel("yard"),
            LIVE_SECONDS,
        )
        await api.call("DELETE", "/channels/yard/source")


async def test_an_encoder_goes_first_and_the_source_comes_back_after_it(
    api: Api, web: WebFiles
) -> None:
    made = await api.add_channel("both")
    await put(api, "both", f"{web.url}/clip.mp4", loop=True)
    await api.until_state("both", "live", LIVE_SECONDS)

    async def until_from(protocol: str, state: str) -> None:
        await api.until(
            lambda found: (
                (found["ingest"].get("protocol"), found["source"]["state"]) == (protocol, state)
            ),
            lambda: api.channel("both"),
            LIVE_SECONDS,
        )

    command = ffmpeg_file(
        web.folder / "clip.flv", f"{api.server.rtmp}/{made.stream_key}", loop=True
    )
    async with sending(*command) as encoder:
        await until_from("rtmp", "standby")
        await end(encoder)
    await until_from("pull", "on-air")
    await api.call("DELETE", "/channels/both/source")


async def test_a_file_is_broadcast_once_and_switched_off(api: Api, web: WebFiles) -> None:
    await api.add_channel("once")
    url = f"{web.url}/clip.mp4"
    await put(api, "once", url)
    await api.until_state("once", "live", LIVE_SECONDS)
    document = await api.until_state("once", "offline")
    assert document["warnings"] == []
    ended = await api.until(
        lambda found: found["state"] == "off",
        lambda: api.call("GET", "/channels/once/source"),
    )
    assert not ended["enabled"]


async def test_a_broadcast_that_is_stopped_switches_its_source_off(api: Api, web: WebFiles) -> None:
    await api.add_channel("halt")
    await put(api, "halt", f"{web.url}/clip.mp4", loop=True)
    await api.until_state("halt", "live", LIVE_SECONDS)
    await api.call("POST", "/channels/halt/stop")
    document = await api.until_state("halt", "offline")
    assert not document["source"]["enabled"]


async def test_a_source_set_by_a_command_beside_the_server_is_read(
    api: Api, server: VitrineServer, web: WebFiles
) -> None:
    await api.add_channel("aside")
    data = ("--data-dir", str(server.log.parent / "data"))
    command = (sys.executable, "-m", "server", "channel", "source", "aside")
    await run(
        "env",
        "VITRINE_INGEST__PULL__ALLOW_PRIVATE=1",
        *command,
        f"{web.url}/clip.mp4",
        "--loop",
        *data,
    )
    await api.until_state("aside", "live", LIVE_SECONDS)
    await run(*command, "--remove", *data)
    await api.until_state("aside", "offline")
    assert (await api.channel("aside"))["source"] is None


async def test_no_password_is_logged(server: VitrineServer) -> None:
    assert "s3cret" not in server.log.read_text(encoding="utf-8")
