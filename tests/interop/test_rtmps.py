"""Real encoders over TLS to the real server, whose certificate is replaced while they send."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import pytest

from tests.helpers.certificates import Files, Identity, identity, placed
from tests.helpers.senders import ffmpeg_live, gstreamer_live, sending
from tests.helpers.vitrine_server import Api, VitrineServer, calling, serving

pytestmark = pytest.mark.interop

LOG_SECONDS = 30.0
REFUSED_SECONDS = 20.0


@pytest.fixture(scope="module")
def one() -> Identity:
    return identity()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, one: Identity) -> Files:
    return placed(tmp_path_factory.mktemp("identity"), one)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, files: Files) -> Iterator[VitrineServer]:
    settings = {
        "INGEST__RTMPS__PORT": "0",
        "INGEST__RTMPS__CERTIFICATE": str(files.certificate),
        "INGEST__RTMPS__KEY": str(files.key),
        "TRANSCODE__PROFILES__DEFAULT__RUNGS": "[{short_side: 240, bitrate: 300000}]",
    }
    with serving(tmp_path_factory.mktemp("vitrine"), settings) as running:
        yield running
    assert [event for event in running.events() if "exception" in event] == []


@pytest.fixture
async def api(server: VitrineServer) -> AsyncIterator[Api]:
    async with calling(server) as client:
        yield client


async def channel(api: Api, name: str) -> tuple[str, str]:
    """Make a channel; give its RTMPS address and key."""
    made = await api.call("POST", "/channels", {"id": name, "title": name})
    return made["rtmps_url"], made["stream_key"]


def port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port
    return port


async def shown(port: int, trusted: Identity) -> bool:
    """Tell whether the server shows this identity to a new connection."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusted.trust)
    except ssl.SSLCertVerificationError:
        return False
    writer.transport.abort()
    return True


async def run(*command: str) -> tuple[int | None, str]:
    """Run a sender to its end; give its status and what it printed."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(REFUSED_SECONDS):
            printed, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode, printed.decode(errors="replace")


async def test_a_live_stream_survives_a_new_certificate(
    server: VitrineServer, api: Api, files: Files, one: Identity
) -> None:
    url, key = await channel(api, "lasting")
    async with sending(*ffmpeg_live(f"{url}/{key}")):
        before = await api.until_state("lasting", "live")
        assert before["ingest"]["protocol"] == "rtmps"
        assert await shown(port_of(url), one)
        other = identity()
        await asyncio.to_thread(files.write, other)
        await api.until(bool, lambda: shown(port_of(url), other), LOG_SECONDS)
        assert not await shown(port_of(url), one)
        await asyncio.to_thread(files.certificate.write_text, "torn")
        events = await api.until(
            lambda found: any(e["event"] == "rtmps keeps its old certificate" for e in found),
            lambda: asyncio.to_thread(server.events),
            LOG_SECONDS,
        )
        (told,) = [e for e in events if e["event"] == "rtmps keeps its old certificate"]
        assert str(files.certificate) in told["reason"]
        assert await shown(port_of(url), other)
        bytes_by_now = (await api.channel("lasting"))["ingest"]["bytes"]
        after = await api.until(
            lambda found: found["ingest"].get("bytes", 0) > bytes_by_now + 200_000,
            lambda: api.channel("lasting"),
        )
        assert after["session"] == before["session"]
        assert after["ingest"]["peer"] == "127.0.0.1"
        starts = [e for e in await asyncio.to_thread(server.events)
                  if e["event"] == "rtmp publish started"]  # fmt: skip
        assert len(starts) == 1
    await api.until_state("lasting", "offline")


async def test_gstreamer_is_live_over_tls(api: Api) -> None:
    url, key = await channel(api, "gst")
    command = list(gstreamer_live(f"{url}/{key}"))
    at = command.index("rtmp2sink")
    command.insert(at + 1, "tls-validation-flags=0")
    async with sending(*command):
        await api.until_state("gst", "live")
    await api.end_show("gst")


async def test_ffmpeg_is_told_why_its_key_is_refused(api: Api) -> None:
    url, _ = await channel(api, "refused")
    status, printed = await run(*ffmpeg_live(f"{url}/wrong"))
    assert status != 0
    assert "This stream key is not known" in printed


async def test_gstreamer_is_told_why_its_key_is_refused(api: Api) -> None:
    url, _ = await channel(api, "refused-too")
    command = list(gstreamer_live(f"{url}/wrong"))
    command.insert(command.index("rtmp2sink") + 1, "tls-validation-flags=0")
    status, printed = await run(*command)
    assert status != 0
    assert "This stream key is not known" in printed
