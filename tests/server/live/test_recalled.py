"""A run that goes on with a list: its numbers and dates never go back."""

from __future__ import annotations

from structlog.testing import capture_logs

from server.channel import Sequences
from server.hls.recall import Recalled
from server.live.broadcast import Broadcast
from server.live.runs import Runs
from tests.helpers.manual_clock import ManualClock
from tests.server.hls.shelf_archive import Archive
from tests.server.hls.test_recall import crashed
from tests.server.live.studio import PROFILE


def going_on(recalled: Recalled, carry: Sequences, archive: Archive) -> Runs:
    broadcast = Broadcast(
        channel="tea", title="Tea", session="01KE00000000000000000000AA", profile=PROFILE,
        carry=carry, dvr_seconds=600, archive=archive, scribe=archive, recalled=recalled,
        started_ms=1,
    )  # fmt: skip
    return Runs(broadcast, ManualClock())


def test_dates_that_were_handed_out_behind_the_list_stay_the_floor() -> None:
    archive = Archive()
    before, recalled = crashed(archive)
    told = (before.window.latest_pdt_ms or 0) + 900
    carry = Sequences(before.window.next_msn + 3, before.window.discontinuity_sequence, told)
    runs = going_on(recalled, carry, archive)
    assert runs.window.playable
    assert runs.sequences.pdt_ms == told
    assert runs.sequences.next_msn >= carry.next_msn


def test_a_list_that_does_not_fit_is_left_with_one_line() -> None:
    archive = Archive()
    _, recalled = crashed(archive)
    with capture_logs() as lines:
        runs = going_on(recalled, Sequences(4, 1, 0), archive)
    assert [line["event"] for line in lines] == ["the list of before is not gone on with"]
    assert not runs.window.renditions
    assert runs.sequences.next_msn == 4 + 3
