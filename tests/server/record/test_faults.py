"""What goes wrong with disks and clocks: the live path never notices, the recording goes on."""

from __future__ import annotations

import asyncio
import errno
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from server.channel import Sequences
from server.hls.playlist import Segment
from server.record.disk import Handle, LocalDisk
from server.record.disk_threads import DiskThreads
from tests.helpers.eventually import eventually
from tests.helpers.manual_clock import ManualClock
from tests.helpers.small_disk import small_disk
from tests.server.hls.show import PART, PER_SEGMENT, Show
from tests.server.record.deck import CHANNEL, SESSION, Deck, deck
from transcode.part import Part

WEIGHT = 4_096
SEGMENT_BYTES = 3 * PER_SEGMENT * WEIGHT


@dataclass
class Heavy(Show):
    """A show whose parts are of a page each."""

    def made(self, name: str, **changes: object) -> Part:
        part = super().made(name, **changes)
        return replace(part, data=part.data.ljust(WEIGHT, b"."))


def heavy(here: Deck) -> Heavy:
    light = here.show()
    return Heavy(light.window, pdt_ms=light.pdt_ms)


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """A real disk of half a megabyte."""
    with small_disk(tmp_path / "disk", 524_288) as found:
        yield found


def published(show: Show, name: str = "720p") -> list[Segment]:
    return list(show.window.renditions[name].segments)


async def test_a_full_disk_costs_the_recording_segments_and_the_show_nothing(
    tmp_path: Path, tiny: Path
) -> None:
    async with deck(tmp_path, root=tiny) as here:
        ballast = tiny / "ballast"
        await asyncio.to_thread(ballast.write_bytes, b"x" * 262_144)
        show = heavy(here)
        await here.begin(show)
        while not here.figures.lost_segments:
            show.segments(1)
            await here.written()
        (warning,) = here.recorder.warnings(CHANNEL)
        assert warning["code"] == "recording-interrupted"
        assert os.strerror(28) in str(warning["message"])
        show.segments(2)
        await here.written()
        await asyncio.to_thread(ballast.unlink)
        show.segments(2)
        await here.written()
        assert here.recorder.warnings(CHANNEL) == ()
        live = published(show)
        assert not any(segment.gap for segment in live)
        bodies = {s.uri: show.window.renditions["720p"].body(s.uri) for s in live}
        entry = await here.end(show)
        replay = await here.playlist()
        assert [s.pdt_ms for s in replay.segments] == [s.pdt_ms for s in live]
        holes = [s.gap for s in replay.segments]
        assert not holes[0]
        assert not any(holes[-2:])
        assert entry.gaps >= 2
        for segment in replay.segments:
            if not segment.gap:
                assert (await here.media(segment.uri or "")).body == bodies[segment.uri or ""]


async def test_a_recording_that_ended_on_a_full_disk_is_sealed_at_the_latest_with_room(
    tmp_path: Path, tiny: Path
) -> None:
    async with deck(tmp_path, root=tiny) as here:
        await asyncio.to_thread((tiny / "ballast").write_bytes, b"x" * 131_072)
        show = heavy(here)
        await here.begin(show)
        while not here.figures.lost_segments:
            show.segments(1)
            await here.written()
        # Whatever is left goes too, to the last byte.
        await asyncio.to_thread(fill, tiny / "rest")
        await here.recorder.session_ended(CHANNEL, SESSION, show.window.latest_pdt_ms or 0)
        await here.recorder.settle()
        await asyncio.to_thread((tiny / "ballast").unlink)
        entry = await here.sealed()
        assert entry.ended_ms == show.window.latest_pdt_ms
        assert not (await here.playlist()).segments[0].gap


async def test_a_server_that_died_on_a_full_disk_loses_nothing_that_was_written(
    tmp_path: Path, tiny: Path
) -> None:
    async with deck(tmp_path, root=tiny, crash=True) as here:
        await asyncio.to_thread((tiny / "ballast").write_bytes, b"x" * 131_072)
        show = heavy(here)
        await here.begin(show)
        while not here.figures.lost_segments:
            show.segments(1)
            await here.written()
        written = here.figures.segments
        await asyncio.to_thread(fill, tiny / "rest")
    async with deck(tmp_path, root=tiny) as here:
        await here.recorder.recover(frozenset())
        await here.recorder.settle()
        await asyncio.to_thread((tiny / "ballast").unlink)
        await here.sealed()
        recording = await here.library.recording(CHANNEL, SESSION)
        there = [s for some in recording.renditions.values() for s in some if not s.gap]
        assert len(there) >= written


async def test_a_disk_that_should_stay_freer_is_not_filled(tmp_path: Path, tiny: Path) -> None:
    async with deck(tmp_path, root=tiny, min_free=300_000) as here:
        show = heavy(here)
        await here.begin(show)
        for _ in range(8):
            show.segments(1)
            await here.written()
            here.clock.advance(2_000)
        assert here.figures.lost_segments
        assert "min_free_bytes" in str(here.recorder.warnings(CHANNEL)[0]["message"])
        free, _ = await asyncio.to_thread(LocalDisk(tiny).space)
        assert free > 300_000 - 2 * SEGMENT_BYTES
        assert (await here.end(show)).gaps


class RefusingDisk(LocalDisk):
    """A disk that opens no file while it is told not to."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.refuses = False

    def grow(self, key: str, *, anew: bool = False) -> Handle:
        if self.refuses:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return super().grow(key, anew=anew)


async def test_a_recording_that_cannot_be_sealed_is_tried_again(tmp_path: Path) -> None:
    disk = RefusingDisk(tmp_path)
    async with deck(tmp_path, disk=disk) as here:
        show = await here.on_air(2)
        disk.refuses = True
        await here.recorder.session_ended(CHANNEL, SESSION, show.window.latest_pdt_ms or 0)
        for _ in range(3):
            await here.recorder.settle()
            assert here.recorder.unsealed == 1
            here.clock.advance(20_000)
        disk.refuses = False
        assert (await here.sealed()).gaps == 0
        assert len((await here.playlist()).segments) == 2


class StuckDisk(LocalDisk):
    """A disk whose writes hang in the thread until it is let go."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.free = threading.Event()
        self.free.set()
        self.hanging = threading.Event()

    def grow(self, key: str, *, anew: bool = False) -> Handle:
        if not self.free.is_set():
            self.hanging.set()
            assert self.free.wait(30)
        return super().grow(key, anew=anew)


async def test_a_disk_that_hangs_holds_neither_the_loop_nor_the_memory(tmp_path: Path) -> None:
    disk = StuckDisk(tmp_path)
    most = 4 * SEGMENT_BYTES
    async with deck(tmp_path, disk=disk, queue=most) as here:
        show = heavy(here)
        await here.begin(show)
        show.segments(2)
        await here.written()
        disk.free.clear()
        show.segments(20)
        assert disk.hanging.wait(10)
        assert 0 < here.writer.waiting_bytes <= most
        assert here.figures.refused_parts
        assert here.recorder.warnings(CHANNEL)
        assert len(published(show)) == 15  # the window went on
        disk.free.set()
        await here.written()
        show.segments(3)
        await here.written()
        assert here.recorder.warnings(CHANNEL) == ()
        entry = await here.end(show)
        holes = [s.gap for s in (await here.playlist()).segments]
        assert len(holes) == 25
        assert entry.gaps == sum(holes) > 10
        assert not any(holes[:2] + holes[-3:])


async def test_a_disk_that_hangs_is_waited_for_once_by_a_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    async def hangs(_writer: object, _work: object, seconds: float) -> None:
        waited.append(seconds)
        raise TimeoutError

    async with deck(tmp_path) as here:
        with monkeypatch.context() as hung:
            hung.setattr("server.record.recorder.in_turn", hangs)
            for number in range(20):
                tape = here.tape(f"01KE0000000000000000000{number:03}")
                assert await here.recorder.recall(tape, Sequences(), 60) is None
        assert waited[0] > 1
        assert sum(waited) < 2 * waited[0] + 1
        assert await here.recorder.recall(here.tape(), Sequences(), 60) is None


WEDGED = """
import asyncio, os, sys
from pathlib import Path
from server.record.disk import LocalDisk
from server.record.errors import StorageDown
from server.record.local import LocalStorage

async def main():
    storage = LocalStorage(LocalDisk(Path(sys.argv[1])), deadline=0.2)
    for ask in (storage.read("wedged"), storage.ask(lambda: open(sys.argv[1] + "/wedged"), 0.2)):
        try:
            await ask
        except StorageDown:
            print("down")
    await storage.close()

asyncio.run(main())
"""


async def test_a_disk_that_hangs_while_it_is_read_does_not_either(tmp_path: Path) -> None:
    # Nobody ever writes to it: whoever opens it waits for good.
    await asyncio.to_thread(os.mkfifo, tmp_path / "wedged")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WEDGED, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(), 30)
    except TimeoutError:
        process.kill()
        raise
    assert said.split() == [b"down", b"down"]
    assert process.returncode == 0


def test_the_names_of_what_is_flushed_survive_a_loss_of_power_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[str] = []
    really = os.fsync

    def fsync(fd: int) -> None:
        flushed.append(str(Path(f"/proc/self/fd/{fd}").readlink().relative_to(tmp_path)))
        really(fd)

    monkeypatch.setattr(os, "fsync", fsync)
    disk = LocalDisk(tmp_path)
    handle = disk.grow("recordings/tea/s/720p/1.m4s")
    assert flushed == [".", "recordings", "recordings/tea", "recordings/tea/s"]
    handle.append(b"media")
    handle.sync()
    handle.sync()
    handle.close()
    assert flushed[4:] == ["recordings/tea/s/720p"]
    disk.grow("recordings/tea/s/720p/1.m4s").close()
    assert len(flushed) == 5


def test_a_write_that_could_not_be_taken_back_is_taken_back_before_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = LocalDisk(tmp_path).grow("recordings/x")
    handle.append(b"whole\n")
    write = os.write

    def half(fd: int, data: bytes) -> int:
        if len(data) < 4:
            raise OSError(errno.ENOSPC, "full")
        return write(fd, data[:4])

    def refused(_fd: int, _size: int) -> None:
        raise OSError(errno.EIO, "broken")

    with monkeypatch.context() as broken:
        broken.setattr(os, "write", half)
        broken.setattr(os, "ftruncate", refused)
        with pytest.raises(OSError, match="full"):
            handle.append(b"lost line\n")
    handle.append(b"next\n")
    handle.close()
    assert LocalDisk(tmp_path).read("recordings/x") == b"whole\nnext\n"


async def test_a_disk_that_hangs_does_not_hold_the_end_of_the_process(tmp_path: Path) -> None:
    disk = StuckDisk(tmp_path)
    writer = DiskThreads("writer")
    writer.start()
    disk.free.clear()
    assert writer.offer(10, lambda: disk.grow("recordings/x").close())
    await eventually(disk.hanging.is_set)
    assert not await asyncio.to_thread(writer.close, 0.1)
    assert not writer.offer(0, lambda: None)
    disk.free.set()
    assert await asyncio.to_thread(writer.close, 10)


class SteppedClock(ManualClock):
    """A clock whose wall time can be set; time itself goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.off_ms = 0

    def wall_ms(self) -> int:
        return self.ms + self.off_ms


async def test_a_clock_that_is_set_by_an_hour_leaves_no_trace_but_the_date(tmp_path: Path) -> None:
    clock = SteppedClock()
    async with deck(tmp_path, clock=clock) as here:
        show = await here.on_air(2)
        clock.off_ms += 3_600_000
        show.segments(1)  # an epoch keeps its own line
        show.epoch(after_ms=3_600_000)
        show.segments(2)
        clock.off_ms -= 3_600_000
        show.segments(1)
        show.epoch(after_ms=1)  # what comes later is never dated before
        show.segments(1)
        entry = await here.end(show)
        replay = await here.playlist()
        dates = [s.pdt_ms or 0 for s in replay.segments]
        assert dates == sorted(dates)
        assert not any(s.gap for s in replay.segments)
        assert [s.discontinuity for s in replay.segments] == [
            False, False, False, True, False, False, True,
        ]  # fmt: skip
        assert dates[3] - dates[2] == 3_600_000 + PART * PER_SEGMENT // 90
        assert entry.duration_ms == 7 * PART * PER_SEGMENT // 90


def fill(ballast: Path) -> None:
    """Fill the disk to its last page."""
    with ballast.open("wb", buffering=0) as out:
        try:
            while True:
                out.write(b"x" * 4096)
        except OSError:
            return
