"""A live channel's playlist reaches back to what only the recording on disk has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from server.lint.notes import Outcome
from server.lint.run import lint
from tests.helpers.hls_client import Recording, Taken, following
from tests.helpers.senders import ffmpeg_size, sending
from tests.helpers.vitrine_server import Api, calling, serving
from tests.server.hls.reader import ReadPlaylist, read

pytestmark = [
    pytest.mark.interop,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="session"),
]

LIVE_SECONDS = 40.0
IN_MEMORY, LISTED = 6, 10
"""Segments that memory keeps, and those that are waited for."""
SETTINGS = {
    "HLS__WINDOW_SEGMENTS": str(IN_MEMORY),
    "HLS__DVR_SECONDS": "120",
    "TRANSCODE__PROFILES__DEFAULT__RUNGS": "[{short_side: 180, bitrate: 300000}]",
    "RECORDING__MIN_FREE_BYTES": "0",
    "RECORDING__MAX_DISK_PERCENT": "100",
}


async def test_seeking_back_reads_what_memory_let_go_from_the_disk(tmp_path: Path) -> None:
    async with followed(tmp_path) as (api, recording, session):
        pin = (await api.pin("dvr", "cup"))["id"]
        await api.until(lambda found: found[pin]["exact"], lambda: api.intervals("dvr"))
        await api.unpin("dvr", pin)
        await recording.until(lambda _: all(map(reaches_back, taken(recording))), LIVE_SECONDS)
        for one in taken(recording):
            await as_when_it_was_new(api, one)
            await delta_is_the_whole(api, one)
        report = await lint(f"{live(api)}/index.m3u8", 6)
        broken = {v.rule.number: v.faults for v in report.verdicts if v.outcome is Outcome.BROKEN}
        assert broken == {}
        assert dict(report.verdicts[5].seen)["merged playlists"] > 0
        for one in taken(recording):
            assert {"END-DATE", "DURATION"} <= one.ranges[f"pin-{pin}"].keys()
            assert f"pin-{pin}" in (await playlist(api, one)).ranges
        folder = tmp_path / "data" / "recordings" / "dvr" / session
        await lost_on_the_disk(api, recording, folder)


@asynccontextmanager
async def followed(folder: Path) -> AsyncIterator[tuple[Api, Recording, str]]:
    """Broadcast and follow; with the session's id."""
    async with AsyncExitStack() as stack:
        server = stack.enter_context(serving(folder, SETTINGS))
        api = await stack.enter_async_context(calling(server))
        made = await api.add_channel("dvr")
        price = {"amount": 1290, "currency": "EUR"}
        await api.put_product("dvr", "cup", title="Tasting cup", price=price)
        url = f"{server.rtmp}/{made.stream_key}"
        await stack.enter_async_context(sending(*ffmpeg_size(url, 320, 180)))
        session = (await api.until_state("dvr", "live", LIVE_SECONDS))["session"]
        recording = await stack.enter_async_context(following(api.session, live(api)))
        assert len(recording.renditions) == 2
        yield api, recording, session
        await api.end_show("dvr")
        assert [event for event in server.events() if "exception" in event] == []


def taken(recording: Recording) -> list[Taken]:
    return list(recording.renditions.values())


def live(api: Api) -> str:
    return f"{api.server.url}/live/dvr"


def reaches_back(one: Taken) -> bool:
    return one.playlist is not None and len(one.playlist.segments) >= LISTED


async def playlist(
    api: Api, one: Taken, query: dict[str, str] | None = None, before: ReadPlaylist | None = None
) -> ReadPlaylist:
    url = f"{live(api)}/{one.variant.name}/index.m3u8"
    async with api.session.get(url, params=query or {}) as answer:
        assert answer.status == 200
        return read(await answer.text(), before)


async def fetch(api: Api, one: Taken, name: str) -> tuple[int, bytes]:
    async with api.session.get(f"{live(api)}/{one.variant.name}/{name}") as answer:
        return answer.status, await answer.read()


async def as_when_it_was_new(api: Api, one: Taken) -> None:
    """Download all that is listed, and compare it with the parts that were taken at the edge."""
    now = await playlist(api, one)
    assert now.media_sequence == 1
    assert now.discontinuity_sequence == 0
    assert [segment.msn for segment in now.segments] == list(range(1, len(now.segments) + 1))
    compared = 0
    for segment in now.segments:
        status, body = await fetch(api, one, segment.uri or "")
        assert status == 200
        known = one.segments.get(segment.msn)
        if known is not None and known.duration is not None:
            assert body == known.data
            compared += 1
        status, init = await fetch(api, one, segment.map_uri or "")
        assert (status, init) == (200, one.inits[segment.map_uri or ""])
    assert compared >= LISTED - 1


async def delta_is_the_whole(api: Api, one: Taken) -> None:
    """Ask for one instant's playlist whole and as a delta update."""

    async def both() -> tuple[ReadPlaylist, ReadPlaylist]:
        before = await playlist(api, one)
        msn, part = before.newest
        query = {"_HLS_msn": str(msn), "_HLS_part": str(part)}
        return await asyncio.gather(
            playlist(api, one, query), playlist(api, one, {**query, "_HLS_skip": "YES"}, before)
        )

    # A part may come between the two answers.
    whole, merged = await api.until(lambda two: two[0].newest == two[1].newest, both)
    assert merged.skipped >= LISTED - IN_MEMORY - 1
    assert (merged.segments, merged.growing) == (whole.segments, whole.growing)
    assert (merged.ranges, merged.hints) == (whole.ranges, whole.hints)


async def lost_on_the_disk(api: Api, recording: Recording, folder: Path) -> None:
    """Remove a segment that only the disk has: the list begins behind it, in every rendition."""
    first, *_ = taken(recording)
    lost = (await playlist(api, first)).segments[1]
    await asyncio.to_thread((folder / first.variant.name / (lost.uri or "")).unlink)
    status, _ = await fetch(api, first, lost.uri or "")
    assert status == 404
    for one in taken(recording):
        assert (await playlist(api, one)).media_sequence == lost.msn + 1
