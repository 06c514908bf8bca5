"""MP4s made of a recording that a real worker made, read back as players do."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from server.errors import Conflict, NotFound, Unavailable
from server.record.disk import LocalDisk
from server.record.export import MAKE_SECONDS, Exporter
from server.record.layout import Export
from server.record.local import LocalStorage
from server.record.recording import Recording
from server.record.stretch import Wanted
from tests.helpers.clips import Clip, read_number
from tests.helpers.front import DEPLOY
from tests.helpers.recorded import AWAY_MS, Recorded, recorded, two_epochs
from tests.server.record.conftest import OneShow
from transcode.chunks import read_chunks
from transcode.fragmented import moved


@pytest.fixture
def exporter(shows: OneShow) -> Exporter:
    return Exporter(shows.storage)


async def whole(exporter: Exporter, export: Export) -> bytes:
    return b"".join([block async for block in exporter.read(export, 0, export.size)])


def numbers(file: bytes) -> list[int]:
    """Read the numbers of the pictures that a player shows."""
    with av.open(io.BytesIO(file), "r") as container:
        frames = [frame.to_ndarray() for frame in container.decode(video=0)]
    lumas = [frame[: frame.shape[0] * 2 // 3].astype(np.uint8) for frame in frames]
    return [read_number(luma) for luma in lumas]


@pytest.mark.parametrize("fragmented", [True, False], ids=["fragmented", "plain"])
async def test_the_whole_show_is_one_file_of_a_length_known_before(
    exporter: Exporter, show: Recorded, fragmented: bool
) -> None:
    export = await exporter.export(show.recording, Wanted(fragmented=fragmented))
    file = await whole(exporter, export)
    assert len(file) == export.size
    assert numbers(file) == [*range(180), *range(1000, 1120)]
    with av.open(io.BytesIO(file), "r") as container:
        assert container.streams.video[0].height == 180


@pytest.mark.parametrize("fragmented", [True, False], ids=["fragmented", "plain"])
@pytest.mark.parametrize("rendition", ["180p", "90p", "audio"])
async def test_every_rendition_can_be_had(
    exporter: Exporter, show: Recorded, rendition: str, fragmented: bool
) -> None:
    export = await exporter.export(show.recording, Wanted(rendition, fragmented=fragmented))
    with av.open(io.BytesIO(await whole(exporter, export)), "r") as container:
        assert (container.duration or 0) / 1e6 == pytest.approx(10.0, abs=0.06)
        heights = [stream.height for stream in container.streams.video]
    assert heights == ([] if rendition == "audio" else [int(rendition.removesuffix("p"))])


class CountingStorage(LocalStorage):
    """A disk that counts what is read."""

    reads = 0

    async def read(self, key: str) -> bytes:
        self.reads += 1
        return await super().read(key)


async def test_the_first_byte_of_a_long_show_waits_for_four_of_its_segments(
    tmp_path: Path, show: Recorded
) -> None:
    storage = CountingStorage(LocalDisk(tmp_path))
    await show.put(storage)
    exporter = Exporter(storage)
    export = await exporter.export(show.recording, Wanted("90p"))
    assert storage.reads == 2 + 2 * 2  # the formats of two epochs, and their ends
    async for block in exporter.read(export, 0, export.size):
        assert block[4:8] == b"ftyp"
        break
    assert storage.reads == 6
    await storage.close()


async def test_the_parts_of_a_show_are_counted_once_and_one_where_it_cannot_be_read(
    tmp_path: Path, show: Recorded
) -> None:
    storage = CountingStorage(LocalDisk(tmp_path))
    exporter = Exporter(storage)
    assert await exporter.parts(show.recording) == 1, "nothing is there to be read"
    await show.put(storage)
    before = storage.reads
    assert [await exporter.parts(show.recording) for _ in range(3)] == [1, 1, 1]
    assert storage.reads == before + 2  # the formats of two epochs
    await storage.close()


@pytest.mark.parametrize("fragmented", [True, False], ids=["fragmented", "plain"])
async def test_no_segment_is_parsed_on_the_event_loop(
    exporter: Exporter, show: Recorded, fragmented: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[int] = set()

    def noting(work: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any) -> Any:
            threads.add(threading.get_ident())
            return work(*given)

        return call

    monkeypatch.setattr("server.record.layout.read_chunks", noting(read_chunks))
    monkeypatch.setattr("server.record.export.moved", noting(moved))
    export = await exporter.export(show.recording, Wanted("90p", fragmented=fragmented))
    assert len(await whole(exporter, export)) == export.size
    assert threads
    assert threading.get_ident() not in threads


@pytest.mark.parametrize(
    ("front", "wait"),
    [
        ("nginx/vitrine.conf", r"location[^\n]*\(recording\|clip\)[^}]*proxy_read_timeout (\d+)s"),
        ("caddy/Caddyfile", r"(?s)reverse_proxy @file .*?response_header_timeout (\d+)s"),
    ],
)
def test_the_shipped_fronts_wait_longer_for_a_file_than_it_may_take(front: str, wait: str) -> None:
    found = re.search(wait, (DEPLOY / front).read_text())
    assert found is not None
    assert int(found[1]) > MAKE_SECONDS


async def test_a_player_goes_to_any_moment_of_a_fragmented_file(
    exporter: Exporter, show: Recorded
) -> None:
    file = await whole(exporter, await exporter.export(show.recording, Wanted("90p")))
    for begins, number in ((4.0, 120), (8.0, 1060)):
        with av.open(io.BytesIO(file), "r") as container:
            container.seek(round((begins + 0.5) * 1e6))
            frame = next(container.decode(video=0))
            assert frame.time == pytest.approx(begins, abs=0.04)
            luma = frame.to_ndarray()[: frame.height].astype(np.uint8)
            assert read_number(luma) == number


async def test_a_clip_is_cut_to_the_frame(exporter: Exporter, show: Recorded) -> None:
    start = show.recording.started_ms
    export = await exporter.export(
        show.recording, Wanted("90p", None, start + 2_500, start + 4_500, fragmented=False)
    )
    assert numbers(await whole(exporter, export)) == list(range(75, 135))


async def test_a_clip_goes_across_the_time_when_the_host_was_away(
    exporter: Exporter, show: Recorded
) -> None:
    start = show.recording.started_ms
    until = start + 6_000 + AWAY_MS + 1_000
    export = await exporter.export(show.recording, Wanted("90p", None, start + 5_000, until))
    assert numbers(await whole(exporter, export)) == [*range(150, 180), *range(1000, 1030)]


async def test_any_range_of_the_file_is_the_same_bytes(exporter: Exporter, show: Recorded) -> None:
    export = await exporter.export(show.recording, Wanted("90p"))
    file = await whole(exporter, export)
    head = len(export.head)
    cuts = (0, 1, head - 1, head, head + 1, head + export.pieces[0].size, len(file) - 1, len(file))
    for start in cuts:
        for stop in [cut for cut in cuts if cut > start]:
            found = b"".join([block async for block in exporter.read(export, start, stop)])
            assert found == file[start:stop], (start, stop)


async def test_a_file_that_was_asked_for_is_not_made_again(
    exporter: Exporter, shows: OneShow, show: Recorded
) -> None:
    first = await exporter.export(show.recording, Wanted())
    await shows.storage.remove("recordings")
    assert await exporter.export(show.recording, Wanted()) is first
    exporter = Exporter(shows.storage)
    with pytest.raises(Unavailable):
        await exporter.export(show.recording, Wanted())


@pytest.mark.parametrize("fragmented", [True, False], ids=["fragmented", "plain"])
async def test_what_was_not_recorded_is_left_out(
    exporter: Exporter, show: Recorded, fragmented: bool
) -> None:
    def without_second(recording: Recording) -> Recording:
        segments = list(recording.renditions["90p"])
        segments[1] = replace(segments[1], size=0)
        return replace(recording, renditions={"90p": tuple(segments)})

    export = await exporter.export(without_second(show.recording), Wanted(fragmented=fragmented))
    assert numbers(await whole(exporter, export)) == [
        *range(60),
        *range(120, 180),
        *range(1000, 1120),
    ]


@pytest.fixture(scope="module")
def turned() -> Recorded:
    """A show whose second encoder holds its picture upright."""
    upright = Clip(seconds=2.0, width=180, height=320)
    return recorded(two_epochs((Clip(seconds=2.0), upright)))


async def test_a_show_whose_format_changed_is_had_in_parts(
    storage: LocalStorage, turned: Recorded
) -> None:
    made = turned
    await made.put(storage)
    exporter = Exporter(storage)
    rendition = "90p"
    with pytest.raises(Conflict, match="part=1 to part=2") as refused:
        await exporter.export(made.recording, Wanted(rendition))
    assert refused.value.code == "format-changed"
    first = await exporter.export(made.recording, Wanted(rendition, 1))
    second = await exporter.export(made.recording, Wanted(rendition, 2))
    assert numbers(await whole(exporter, first)) == list(range(60))
    assert len(numbers(await whole(exporter, second))) == 60
    assert await exporter.parts(made.recording) == 2
    for part in (0, 3):
        with pytest.raises(NotFound):
            await exporter.export(made.recording, Wanted(rendition, part))


@pytest.mark.parametrize(
    "wanted",
    [Wanted("4k"), Wanted("90p", None, 0, 1000), Wanted("90p", None, 5, 5)],
    ids=["rendition", "before", "nothing"],
)
async def test_what_is_not_there_is_not_found(
    exporter: Exporter, show: Recorded, wanted: Wanted
) -> None:
    with pytest.raises(NotFound):
        await exporter.export(show.recording, wanted)


async def test_a_damaged_segment_is_said_to_be_one(
    exporter: Exporter, shows: OneShow, show: Recorded
) -> None:
    key = show.recording.key("90p", show.recording.renditions["90p"][1].name)
    await shows.storage.write(key, b"\x00\x00\x00\x20moofrubbish")
    with pytest.raises(Unavailable, match="cannot be read"):
        await exporter.export(show.recording, Wanted("90p", fragmented=False))
