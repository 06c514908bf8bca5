"""Recordings that a server left, planned or killed: gone on with, or sealed as they are."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

import pytest

from server.record.catalogue import Hold
from server.record.disk import Handle, LocalDisk
from server.record.journal_file import TAIL_BYTES
from server.record.storage import DERIVED, JOURNAL, TAIL, home
from tests.server.hls.show import PART, PER_SEGMENT
from tests.server.record.deck import CHANNEL, SESSION, deck

HOLD = Hold("a court asked", "operator", 0)
SEGMENT_MS = PART * PER_SEGMENT // 90


@pytest.mark.parametrize("crash", [False, True], ids=["planned", "crash"])
async def test_a_restarted_server_goes_on_with_the_recording(tmp_path: Path, crash: bool) -> None:
    async with deck(tmp_path, crash=crash) as here:
        show = await here.on_air(2)
        show.parts(4)
        await here.written()
        until_ms = show.pdt_ms + show.start // 90
    async with deck(tmp_path) as here:
        await here.recorder.recover(frozenset({SESSION}))
        assert here.recorder.unsealed == 0
        more = here.show(run="r2")
        more.pdt_ms = until_ms + 5_000
        await here.begin(more)
        more.segments(2)
        await here.end(more)
        replay = await here.playlist()
        assert [s.discontinuity for s in replay.segments] == [False, False, False, True, False]
        assert [s.gap for s in replay.segments] == [False] * 5
        assert (await here.media(replay.segments[2].uri or "")).body.count(b";") == 4
        entry = await here.sealed()
        assert entry.started_ms == show.pdt_ms


async def test_what_a_stopped_server_left_is_sealed_where_its_media_ends(tmp_path: Path) -> None:
    async with deck(tmp_path, crash=True) as here:
        show = await here.on_air(1)
        show.parts(3)
        await here.written()
    async with deck(tmp_path) as here:
        await here.recorder.recover(frozenset())
        entry = await here.sealed()
        assert entry.ended_ms == show.window.latest_pdt_ms
        assert entry.duration_ms == SEGMENT_MS + 3 * PART // 90
        assert len((await here.playlist()).segments) == 2


async def test_a_half_written_part_is_cut(tmp_path: Path) -> None:
    async with deck(tmp_path, crash=True) as here:
        show = await here.on_air()
        show.parts(3)
        await here.written()
    folder = tmp_path / home(CHANNEL, SESSION)
    segment = folder / "720p" / "r1-1.m4s"
    whole = await asyncio.to_thread(segment.read_bytes)
    await asyncio.to_thread(segment.write_bytes, whole + b"torn")
    for name, torn in ((JOURNAL, b'{"kind":"seg'), (TAIL, b'{"kind":"pa')):
        lines = await asyncio.to_thread((folder / name).read_bytes)
        await asyncio.to_thread((folder / name).write_bytes, lines + torn)
    async with deck(tmp_path) as here:
        await here.recorder.recover(frozenset())
        await here.sealed()
        assert (await here.media("r1-1.m4s")).body == whole


async def test_a_segment_that_a_loss_of_power_shortened_is_a_gap(tmp_path: Path) -> None:
    async with deck(tmp_path, crash=True) as here:
        await here.on_air(3)
    segment = tmp_path / home(CHANNEL, SESSION) / "720p" / "r1-2.m4s"
    await asyncio.to_thread(segment.write_bytes, b"")
    async with deck(tmp_path) as here:
        await here.recorder.recover(frozenset())
        await here.sealed()
        assert [s.gap for s in (await here.playlist()).segments] == [False, True, False]
        assert [s.gap for s in (await here.playlist("360p")).segments] == [False] * 3


async def test_a_recording_that_the_catalogue_lost_is_found_again(tmp_path: Path) -> None:
    async with deck(tmp_path) as here:
        show = await here.on_air(2)
        before = await here.end(show)
        await here.store.recordings.claim(CHANNEL, SESSION)
        await here.store.recordings.erase(CHANNEL, SESSION, 0, "test", "lost")
        await here.recorder.recover(frozenset())
        assert (await here.sealed()).size >= before.size
        assert len((await here.playlist()).segments) == 2


async def test_the_tail_stays_short_and_still_tells_what_is_growing(tmp_path: Path) -> None:
    async with deck(tmp_path, crash=True) as here:
        show = await here.on_air()
        for _ in range(60):
            show.segments(1)
            await here.written()
        show.parts(5)
        await here.written()
    tail = tmp_path / home(CHANNEL, SESSION) / TAIL
    assert (await asyncio.to_thread(tail.stat)).st_size < TAIL_BYTES + 1_000
    assert here.figures.segments == 180
    async with deck(tmp_path) as here:
        await here.recorder.recover(frozenset())
        entry = await here.sealed()
        assert entry.duration_ms == 60 * SEGMENT_MS + 5 * PART // 90
        assert (await here.media("r1-61.m4s")).body.count(b";") == 5
        assert not await asyncio.to_thread(tail.exists)


async def test_a_session_that_nobody_came_back_to_ends_with_its_media(tmp_path: Path) -> None:
    async with deck(tmp_path, crash=True) as here:
        show = await here.on_air(2)
    async with deck(tmp_path) as here:
        await here.recorder.recover(frozenset({SESSION}))
        here.tape()
        await here.recorder.session_ended(CHANNEL, SESSION, show.pdt_ms)
        entry = await here.sealed()
        assert entry.ended_ms == show.window.latest_pdt_ms


async def test_a_sealed_recording_whose_session_goes_on_is_gone_on_with(tmp_path: Path) -> None:
    async with deck(tmp_path) as here:
        show = await here.on_air(2)
        await here.end(show)
        assert len((await here.playlist()).segments) == 2
        more = here.show(run="r2")
        more.pdt_ms = show.pdt_ms + 60_000
        await here.begin(more)
        more.segments(1)
        await here.end(more)
        recording = await here.library.recording(CHANNEL, SESSION)
        assert recording.ended_ms == more.window.latest_pdt_ms
        assert len(recording.renditions["720p"]) == 3
        assert len((await here.playlist()).segments) == 3


async def test_a_session_whose_journal_was_torn_in_its_first_line_is_recorded_anew(
    tmp_path: Path,
) -> None:
    folder = tmp_path / home(CHANNEL, SESSION)
    await asyncio.to_thread(folder.mkdir, parents=True)
    await asyncio.to_thread((folder / JOURNAL).write_bytes, b'{"kind":"recording","ver')
    async with deck(tmp_path) as here:
        show = await here.on_air(2)
        assert not here.figures.lost_segments
        assert (await here.end(show)).gaps == 0


async def test_folders_that_are_no_recording_of_ours_are_left_alone(tmp_path: Path) -> None:
    strange = [
        tmp_path / "recordings" / "tea" / "restored-by-half" / "720p" / "r1-1.m4s",
        tmp_path / "recordings" / "my films" / "winter" / JOURNAL,
    ]
    for file in strange:
        await asyncio.to_thread(file.parent.mkdir, parents=True)
        await asyncio.to_thread(file.write_bytes, b"")
    async with deck(tmp_path) as here:
        await here.recorder.recover(frozenset())
        await here.recorder.settle()
        await here.recorder.settle()
        assert here.recorder.unsealed == 0
        assert all([await asyncio.to_thread(file.exists) for file in strange])
        assert await here.store.recordings.page(None, None, 10) == ()


async def test_pictures_of_a_removed_recording_go_with_the_next_start(tmp_path: Path) -> None:
    left, known = "01KE00000000000000000000BB", SESSION
    async with deck(tmp_path) as here:
        await here.end(await here.on_air(2))
        for session in (left, known):
            await here.storage.write(f"{home(CHANNEL, session)}/{DERIVED}/poster.jpg", b"x")
        await here.recorder.recover(frozenset())
        await here.recorder.settle()
        assert await here.storage.items(home(CHANNEL, left)) == ()
        assert await here.storage.read(f"{home(CHANNEL, known)}/{DERIVED}/poster.jpg") == b"x"


async def test_a_hold_outlives_a_start_without_the_disk(tmp_path: Path) -> None:
    async with deck(tmp_path, crash=True) as here:
        await here.on_air(2)
        await here.store.recordings.hold(CHANNEL, SESSION, HOLD)
    async with deck(tmp_path, root=tmp_path / "not-mounted") as here:
        await here.recorder.recover(frozenset())
        await here.recorder.settle()
        await here.recorder.settle()
        assert here.recorder.unsealed == 1
    async with deck(tmp_path) as here:
        await here.recorder.recover(frozenset())
        entry = await here.sealed()
        assert entry.hold == HOLD
        assert len((await here.playlist()).segments) == 2


class NoNewTail(LocalDisk):
    """A disk that dies when a tail is begun anew, at its first write."""

    def grow(self, key: str, *, anew: bool = False) -> Handle:
        handle = super().grow(key, anew=anew)
        return LastWords(handle) if TAIL in key else handle


class LastWords:
    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self.size = handle.size
        self.sync, self.close, self.cut = handle.sync, handle.close, handle.cut

    def append(self, data: bytes) -> None:
        if data.count(b"\n") > 1:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self._handle.append(data)
        self.size = self._handle.size


async def test_a_crash_while_the_tail_is_begun_anew_costs_no_part(tmp_path: Path) -> None:
    async with deck(tmp_path, crash=True, disk=NoNewTail(tmp_path)) as here:
        show = await here.on_air()
        tail = tmp_path / home(CHANNEL, SESSION) / TAIL
        while not here.figures.lost_segments:
            assert show.segment < 200
            show.part()
            await here.written()
        there = await asyncio.to_thread(tail.stat)
        assert there.st_size > TAIL_BYTES
