"""A real encoder is recorded; the server is killed in the middle of a segment, and goes on."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import pytest

from server.lint.notes import Outcome
from server.lint.run import lint
from server.record import journal
from server.record.storage import JOURNAL, TAIL
from tests.helpers.hls_client import Recording, Taken, following
from tests.helpers.senders import ffmpeg_size, sending
from tests.helpers.vitrine_server import Api, VitrineServer, calling, serving
from tests.server.hls.reader import ReadPlaylist, read

pytestmark = [
    pytest.mark.interop,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="session"),
]

SIZE = (320, 180)
LIVE_SECONDS = 40.0
SETTINGS = {
    "INGEST__GRACE_SECONDS": "60",
    "RECORDING__MIN_FREE_BYTES": "0",
    "RECORDING__MAX_DISK_PERCENT": "100",
}


async def test_after_sigkill_mid_segment_all_is_there_up_to_the_last_part(tmp_path: Path) -> None:
    with ExitStack() as first:
        server = first.enter_context(serving(tmp_path, SETTINGS))
        async with AsyncExitStack() as stack:
            api = await stack.enter_async_context(calling(server))
            made = await api.add_channel("kill", mode="off")
            url = f"{server.rtmp}/{made.stream_key}"
            await stack.enter_async_context(sending(*ffmpeg_size(url, *SIZE)))
            session = (await api.until_state("kill", "live", LIVE_SECONDS))["session"]
            live = f"{server.url}/live/kill"
            followed = await stack.enter_async_context(following(api.session, live))
            taken = dict(followed.renditions)
            await followed.until(
                lambda _: all(in_mid_segment(one) for one in taken.values()), LIVE_SECONDS
            )
            crash(server)
            first.close()
    folder = tmp_path / "data" / "recordings" / "kill" / session
    left = [await asyncio.to_thread((folder / name).read_bytes) for name in (JOURNAL, TAIL)]
    assert journal.read(*left).growing, "the server was to die in the middle of a segment"
    growing = next(iter(journal.read(*left).growing.values()))
    torn = folder / growing.rendition / growing.slot.name
    await asyncio.to_thread(append, torn, b"half a part")
    with serving(tmp_path, SETTINGS, after=server) as again:
        async with AsyncExitStack() as stack:
            api = await stack.enter_async_context(calling(again))
            url = f"{again.rtmp}/{made.stream_key}"
            await stack.enter_async_context(sending(*ffmpeg_size(url, *SIZE)))
            found = await api.until_state("kill", "live", LIVE_SECONDS)
            assert found["session"] == session
            live = f"{again.url}/live/kill"
            more = await stack.enter_async_context(following(api.session, live))
            await more.until(lambda r: all(t.whole for t in r.renditions.values()), LIVE_SECONDS)
            await goes_on_with_the_list(live, more)
            async with api.session.get(f"{again.url}/replay/kill/{session}/index.m3u8") as on_air:
                assert on_air.status == 409
            await api.end_show("kill")
            entry = await api.until(
                lambda told: told["state"] == "ended",
                lambda: api.call("GET", f"/channels/kill/sessions/{session}"),
            )
            assert entry["gaps"] == 0
            for name, one in taken.items():
                await whole_up_to_the_last_part(api, entry, name, one)
            await plays(f"{again.url}{entry['replay_url']}", entry["duration_seconds"])
        assert [event for event in again.events() if "exception" in event] == []


async def goes_on_with_the_list(live: str, followed: Recording) -> None:
    """See the live list reach back to before the crash, gaps between, and keep every rule."""
    report = await lint(f"{live}/index.m3u8", 5)
    assert [v for v in report.verdicts if v.outcome is Outcome.BROKEN] == []
    assert dict(report.verdicts[9].seen)["discontinuities"] > 0
    for one in followed.renditions.values():
        assert one.playlist is not None
        assert one.playlist.media_sequence == 1
        assert any(segment.gap for segment in one.playlist.segments)


def in_mid_segment(taken: Taken) -> bool:
    """Two segments are whole and two parts of the next are there."""
    newest = max(taken.segments.values(), key=lambda segment: segment.msn, default=None)
    growing = newest is not None and newest.duration is None and len(newest.parts) >= 2
    return growing and len(taken.whole) >= 2


async def whole_up_to_the_last_part(
    api: Api, entry: dict[str, str], rendition: str, taken: Taken
) -> None:
    """Compare a replay with what a viewer took before the server died, byte by byte."""
    base = f"{api.server.url}/replay/kill/{entry['id']}/{rendition}"
    playlist = read((await fetch(api, f"{base}/index.m3u8")).decode())
    judge(playlist)
    before = [s for s in playlist.segments if not (s.uri or "").startswith("gap")]
    replayed = {s.pdt_ms: s for s in before}
    for segment in sorted(taken.segments.values(), key=lambda each: each.msn):
        found = replayed.get(segment.pdt_ms)
        assert found is not None, f"{rendition}: nothing at {segment.pdt_ms}"
        assert found.uri is not None
        assert found.map_uri == segment.map_uri
        body = await fetch(api, f"{base}/{found.uri}")
        if segment.duration is not None:
            assert body == segment.data
        else:
            # The last part may have reached the viewer a moment before the disk.
            least = b"".join(part.data for part in segment.parts[:-1])
            assert body.startswith(least)
            assert b"half a part" not in body
    init = await fetch(api, f"{base}/{playlist.segments[0].map_uri}")
    assert init == taken.inits[playlist.segments[0].map_uri or ""]


def judge(playlist: ReadPlaylist) -> None:
    """What holds for every replay playlist."""
    assert playlist.tags["EXT-X-PLAYLIST-TYPE"] == "VOD"
    assert playlist.ended
    assert not playlist.hints
    dates = [segment.pdt_ms or 0 for segment in playlist.segments]
    assert dates == sorted(dates)
    assert sum(segment.discontinuity for segment in playlist.segments) == 1
    for segment in playlist.segments:
        assert segment.duration is not None
        assert round(segment.duration) <= playlist.target_duration


async def fetch(api: Api, url: str) -> bytes:
    async with api.session.get(url) as answer:
        assert answer.status == 200, f"{url}: {answer.status}"
        return await answer.read()


async def plays(url: str, seconds: float) -> None:
    """Have ffmpeg decode the whole replay; it may complain of nothing but the time's leap."""
    process = await asyncio.create_subprocess_exec(
        "ffprobe", "-v", "error", "-count_frames", "-select_streams", "v:0",
        "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", url,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    out, complaints = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, complaints
    frames = int(out.split()[0].strip(b","))
    assert abs(frames / 30 - seconds) < 0.5, f"{frames} pictures in {seconds} s; {complaints!r}"


def append(file: Path, data: bytes) -> None:
    with file.open("ab") as out:
        out.write(data)


def crash(server: VitrineServer) -> None:
    for pid in (server.pid, *server.workers()):
        os.kill(pid, signal.SIGKILL)
