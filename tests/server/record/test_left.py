"""Rule 8: the live list goes on across a restart with what the recording's journal tells of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from server.channel import Sequences
from server.hls.edge import Edge
from server.hls.listing import media_playlist
from server.hls.recall import Recalled
from server.hls.window import Window
from server.record.storage import JOURNAL, TAIL, home
from tests.server.hls.reader import ReadPlaylist, ReadSegment, read
from tests.server.hls.show import AUDIO, SMALL, VIDEO, Show
from tests.server.hls.test_edge import answered
from tests.server.record.deck import CHANNEL, SESSION, Deck, deck

AHEAD = 3
"""Numbers that the store leaves out, because they may have been used."""
DVR = 120


def carried(show: Show) -> Sequences:
    window = show.window
    return Sequences(
        window.next_msn + AHEAD, window.discontinuity_sequence, window.latest_pdt_ms or 0
    )


def playlist(show: Show, name: str = "720p") -> ReadPlaylist:
    return read(media_playlist(show.window, name).text())


def said(segment: ReadSegment) -> tuple[object, ...]:
    """Give all that a playlist says of a segment, its parts left out."""
    place = segment.msn, segment.discontinuity_number, segment.discontinuity
    return *place, segment.uri, segment.map_uri, segment.pdt_ms, segment.duration, segment.gap


async def recall(here: Deck, carry: Sequences, dvr_seconds: int = DVR) -> Recalled | None:
    return await here.recorder.recall(here.tape(), carry, dvr_seconds)


def gone_on(here: Deck, carry: Sequences, recalled: Recalled, before: Show) -> Show:
    """Make the window of the server that was started anew."""
    tape = here.tape()
    window = Window("r2", carry.next_msn, carry.discontinuity, 6, DVR, tape, tape)
    window.recall(recalled)
    return Show(window, pdt_ms=before.pdt_ms, start=before.start)


async def shown(here: Deck, segments: int = 4, dvr_seconds: int = DVR, near: int = 6) -> Show:
    """Show two epochs with gaps between them, and a rendition less in the second."""
    tape = here.tape()
    window = Window("r1", 1, 0, near, dvr_seconds, tape, tape)
    show = Show(window, pdt_ms=here.clock.wall_ms())
    await here.begin(show)
    show.segments(segments)
    end_ms = show.pdt_ms + show.start // 90
    assert show.window.lapse(end_ms + 7_000)
    show.pdt_ms, show.start = end_ms + 8_000, 0
    show.epoch((VIDEO, AUDIO))
    for _ in range(segments):
        show.segments(1)
        await here.written()
    return show


@pytest.mark.parametrize("crash", [False, True], ids=["planned", "crash"])
async def test_rule_8_a_restarted_server_lists_what_was_listed(tmp_path: Path, crash: bool) -> None:
    async with deck(tmp_path, crash=crash) as here:
        before = await shown(here)
        before.parts(2)
        await here.written()
        carry = carried(before)
        old = {name: playlist(before, name) for name in before.window.renditions}
        if not crash:
            before.window.end()
    async with deck(tmp_path) as here:
        recalled = await recall(here, carry)
        assert recalled is not None
        show = gone_on(here, carry, recalled, before)
        assert list(show.window.tracks) == [VIDEO, AUDIO]
        edge = Edge(show.window, here.clock)
        oldest = old["720p"].segments[0].uri or ""
        assert (await answered(edge.media("720p", oldest))).body.startswith(b"720p/0/0/0;")
        first_map = old["720p"].segments[0].map_uri or ""
        assert (await answered(edge.media("720p", first_map))).body == VIDEO.init
        show.epoch((VIDEO, AUDIO), after_ms=9_000)
        show.segments(2)
        for name, was in old.items():
            now = playlist(show, name)
            count = len(was.segments)
            assert list(map(said, now.segments[:count])) == list(map(said, was.segments))
            assert now.discontinuity_sequence == was.discontinuity_sequence
            torn, *gaps = now.segments[count:-2]
            assert torn.gap == (name == "360p")
            assert (torn.uri, torn.duration) == ("r1-13.m4s", Fraction(66_667, 100_000)) or torn.gap
            assert all(gap.gap for gap in gaps)
            assert [s.msn for s in now.segments] == list(range(1, show.window.next_msn))
            assert now.segments[-2].msn >= carry.next_msn
            assert now.segments[-2].discontinuity
            assert now.segments[-2].discontinuity_number == carry.discontinuity
            assert now.target_duration == was.target_duration
            assert now.part_target == was.part_target
        assert (await here.end(show)).gaps == 0
        replay = await here.playlist()
        assert sum(s.discontinuity for s in replay.segments) == 2
        names = [s.uri for s in playlist(show).segments if not s.gap]
        assert [s.uri for s in replay.segments if not s.gap] == names


async def test_rule_8_a_second_restart_lists_the_gaps_of_the_first(tmp_path: Path) -> None:
    async with deck(tmp_path, crash=True) as here:
        first = await shown(here)
        carry = carried(first)
    async with deck(tmp_path, crash=True) as here:
        recalled = await recall(here, carry)
        assert recalled is not None
        second = gone_on(here, carry, recalled, first)
        assert second.window.lapse((second.window.latest_pdt_ms or 0) + 9_000)
        second.epoch((VIDEO, AUDIO), after_ms=20_000)
        second.segments(2)
        await here.written()
        carry, was = carried(second), playlist(second)
    async with deck(tmp_path) as here:
        recalled = await recall(here, carry)
        assert recalled is not None
        third = gone_on(here, carry, recalled, second)
        assert list(map(said, playlist(third).segments)) == list(map(said, was.segments))


async def test_rule_8_a_list_that_has_moved_on_never_moves_back(tmp_path: Path) -> None:
    async with deck(tmp_path, crash=True) as here:
        before = await shown(here, 20, dvr_seconds=50)
        carry, was = carried(before), playlist(before)
        assert was.media_sequence > 10
    async with deck(tmp_path) as here:
        # More is wanted than before, but what left the list does not come back.
        recalled = await recall(here, carry, 10_000)
        assert recalled is not None
        show = gone_on(here, carry, recalled, before)
        now = playlist(show)
        assert now.media_sequence >= was.media_sequence
        assert now.discontinuity_sequence >= was.discontinuity_sequence
        listed = {each.msn: said(each) for each in was.segments}
        assert all(said(each) == listed[each.msn] for each in now.segments)
        assert now.segments[-1].msn == was.segments[-1].msn
        assert sum(each.duration or 0 for each in now.segments) > 20
        # Rule 9: what left the list meanwhile is owed for a while.
        edge = Edge(show.window, here.clock)
        between = [s for s in was.segments if s.msn < now.media_sequence and not s.gap]
        assert between
        for segment in between:
            _ = await answered(edge.media("720p", segment.uri or ""))


async def test_a_segment_that_was_not_recorded_begins_the_list_anew(tmp_path: Path) -> None:
    async with deck(tmp_path, crash=True) as here:
        before = await shown(here, 8)
        carry = carried(before)
    lost = playlist(before, "audio").segments[5]
    gone = tmp_path / home(CHANNEL, SESSION) / "audio" / (lost.uri or "")
    await asyncio.to_thread(gone.unlink)
    async with deck(tmp_path) as here:
        recalled = await recall(here, carry)
        assert recalled is not None
        show = gone_on(here, carry, recalled, before)
        for name in show.window.renditions:
            assert playlist(show, name).media_sequence == lost.msn + 1


async def test_renditions_broken_off_at_different_parts_end_with_the_segment_before(
    tmp_path: Path,
) -> None:
    async with deck(tmp_path, crash=True) as here:
        before = await shown(here)
        before.parts(2)
        before.part(without=("720p",))
        await here.written()
        carry, was = carried(before), playlist(before)
    async with deck(tmp_path) as here:
        recalled = await recall(here, carry)
        assert recalled is not None
        show = gone_on(here, carry, recalled, before)
        for name in ("720p", "audio"):
            assert playlist(show, name).segments[-1].msn == was.segments[-1].msn


@contextmanager
def one_line(reason: str) -> Iterator[None]:
    """See to it that the log has one line, with the reason."""
    with capture_logs() as lines:
        yield
    told = [line for line in lines if line["log_level"] in ("warning", "error")]
    assert [line["event"] for line in told] == ["the live list begins anew"]
    assert reason in told[0]["reason"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"next_msn": 40}, "the store goes on with 40"),
        ({"next_msn": 3}, "the store goes on with 3"),
        ({"discontinuity": 1}, "the store goes on with 1"),
        ({"discontinuity": 3}, "the store goes on with 3"),
    ],
)
async def test_journal_and_store_that_do_not_fit_begin_a_list_anew(
    tmp_path: Path, changes: dict[str, int], reason: str
) -> None:
    async with deck(tmp_path, crash=True) as here:
        carry = carried(await shown(here))
    async with deck(tmp_path) as here:
        with one_line(reason):
            assert await recall(here, replace(carry, **changes)) is None


def without_numbers(line: dict[str, Any]) -> None:
    line.pop("listed", None)


def without_targets(line: dict[str, Any]) -> None:
    line.pop("targets", None)


def without_audio(line: dict[str, Any]) -> None:
    if line.get("rendition") == "audio":
        line["kind"] = "unknown"


def without_the_last_of_the_audio(line: dict[str, Any]) -> None:
    if line.get("rendition") == "audio" and line["msn"] > 8:
        line["kind"] = "unknown"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (without_numbers, "a rendition is not in the journal"),
        (without_targets, "what was announced"),
        (without_audio, "a rendition is not in the journal"),
        (without_the_last_of_the_audio, "do not end together"),
    ],
)
async def test_a_journal_that_does_not_tell_enough_begins_a_list_anew(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], reason: str
) -> None:
    async with deck(tmp_path, crash=True) as here:
        carry = carried(await shown(here, 6))
    await asyncio.to_thread(rewrite, tmp_path / home(CHANNEL, SESSION), change)
    async with deck(tmp_path) as here:
        with one_line(reason):
            assert await recall(here, carry) is None
        more = here.show(run="r2")
        more.epoch((VIDEO, SMALL, AUDIO))
        more.segments(1)
        await here.written()
        assert here.figures.troubles == {}


def rewrite(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the journal's lines, and leave no tail that says the same."""
    (folder / TAIL).unlink()
    file = folder / JOURNAL
    lines = [json.loads(each) for each in file.read_text().splitlines()]
    for line in lines:
        change(line)
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))


async def test_a_list_too_short_to_be_certain_of_begins_anew(tmp_path: Path) -> None:
    async with deck(tmp_path, crash=True) as here:
        carry = carried(await shown(here, dvr_seconds=20))
    async with deck(tmp_path) as here:
        with one_line("too little"):
            assert await recall(here, carry, 20) is None


async def test_where_nothing_was_recorded_there_is_nothing_to_tell(tmp_path: Path) -> None:
    async with deck(tmp_path) as here:
        with capture_logs() as lines:
            assert await recall(here, Sequences()) is None
        assert lines == []
