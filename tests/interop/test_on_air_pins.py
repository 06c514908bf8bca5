"""Pinned cards, judged by the pixels of every rung: where the API says, when the playlist says."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from av.video.frame import VideoFrame

from overlay.layout import card_rect
from overlay.motion import DURATION
from tests.helpers.hls_client import Taken
from tests.helpers.sight import Seen, cut, difference, pictures
from tests.interop.on_air import CLEAN, DRAWN, FRAME_MS, Interval, Record
from tests.server.hls.reader import milliseconds

pytestmark = [
    pytest.mark.interop,
    pytest.mark.alone,
    pytest.mark.slow,
    pytest.mark.timeout(480),  # whichever test comes first waits for the recording
    pytest.mark.asyncio(loop_scope="session"),
]

CHANGED = 1.0
"""Least mean change of a card's pixels from one picture to the next when it is another card."""
LEAVING_MS = DURATION / 90
DRAW_AHEAD_MS = 3_000
"""Pictures that may be in the encoders when a pin for now comes, on a busy machine."""


def picture_at(taken: Taken, date_ms: float) -> VideoFrame:
    """Decode up to the first picture from `date_ms` on."""
    return next(frame for date, _, frame in pictures(taken) if date >= date_ms - 1.5)


def of(record: Record, product: str) -> list[Interval]:
    return [item for item in record.intervals if item.product == product]


def judge(seen: list[Seen], slot: int, intervals: list[Interval], leaving_ms: float) -> None:
    """Hold every picture to the timeline: the card is in it, or nothing is."""
    for picture in seen:
        drawn = picture.drawn[str(slot)]
        if any(item.holds(picture.date_ms) for item in intervals):
            assert drawn >= DRAWN, f"no card at {picture.date_ms:.0f} ({drawn:.1f})"
        elif not any(item.end - 2 <= picture.date_ms < item.end + leaving_ms for item in intervals):
            assert drawn <= CLEAN, f"a card at {picture.date_ms:.0f} ({drawn:.1f})"


@pytest.mark.parametrize("slot", [0, 1])
async def test_the_card_is_in_the_picture_from_its_start_to_its_end(
    minute: Record, slot: int
) -> None:
    intervals = [item for item in minute.intervals if item.slot == slot]
    assert len(intervals) == {0: 4, 1: 1}[slot]
    for seen in minute.seen.values():
        judge(seen, slot, intervals, 0)


async def test_a_start_and_an_end_are_the_dates_of_pictures(minute: Record) -> None:
    for seen in minute.seen.values():
        dates = np.array([picture.date_ms for picture in seen])
        for item in minute.intervals:
            assert item.exact
            for edge in (item.start, item.end):
                assert np.abs(dates - edge).min() <= 1.5, item.product


async def test_the_playlists_of_every_rendition_tell_the_same_as_the_api(minute: Record) -> None:
    wanted = {f"pin-{item.id}": item for item in minute.intervals}
    for taken in minute.recording.renditions.values():
        assert taken.ranges.keys() == wanted.keys()
        for key, tag in taken.ranges.items():
            item = wanted[key]
            assert milliseconds(tag["START-DATE"]) == item.start
            assert milliseconds(tag["END-DATE"]) == item.end
            assert round(float(tag["DURATION"]) * 1000) == item.end - item.start
            assert tag["X-VITRINE-PRODUCT"] == item.product
            assert int(tag["X-VITRINE-REV"]) == item.revision
            assert float(tag["PLANNED-DURATION"]) > 0


async def test_now_is_the_newest_picture_at_ingest(minute: Record) -> None:
    for product in ("tea", "cup"):
        answer, item = minute.answers[product], of(minute, product)[0]
        assert item.id == answer["id"]
        assert item.asked == milliseconds(answer["t_media"])
        assert not item.late
        assert -2 <= item.start - item.asked <= DRAW_AHEAD_MS


async def test_at_is_met_to_the_frame(minute: Record) -> None:
    (item,) = of(minute, "pot")
    answer = minute.answers["pot"]
    assert not item.late
    assert item.asked == milliseconds(answer["t_media"])
    assert -1 <= item.start - item.asked <= FRAME_MS + 1


async def test_seen_that_is_past_is_late_and_drawn_at_once(minute: Record) -> None:
    (item,) = of(minute, "tin")
    assert item.late
    assert minute.answers["tin"]["late"] is True
    assert item.start > item.asked


async def test_a_price_that_changes_is_another_card_in_the_same_place(minute: Record) -> None:
    before, after = of(minute, "tea")
    assert before.end == after.start
    assert before.slot == after.slot
    assert before.revision < after.revision
    assert before.id != after.id
    for seen in minute.seen.values():
        around = [s for s in seen if before.start + 500 < s.date_ms < after.end - 500]
        changes = {
            b.date_ms: float(np.abs(b.thumbs["0"] - a.thumbs["0"]).mean())
            for a, b in pairwise(around)
        }
        swap = max(changes, key=lambda date: changes[date])
        assert changes[swap] >= CHANGED
        assert abs(swap - after.start) <= 1.5
        assert all(change < CHANGED for date, change in changes.items() if date != swap)


async def test_two_cards_stand_side_by_side(minute: Record) -> None:
    shown = minute.answers["open"]["items"]
    assert [(pin["product_id"], pin["slot"]) for pin in shown] == [("cup", 1), ("tea", 0)]
    cup, tea = of(minute, "cup")[0], of(minute, "tea")[1]
    assert cup.start < tea.start < min(cup.end, tea.end)
    assert cup.area[1] + cup.area[3] <= tea.area[1]


async def test_the_card_stands_where_the_api_says(minute: Record) -> None:
    cup, tea = of(minute, "cup")[0], of(minute, "tea")[1]
    for item in (cup, tea):
        rect = card_rect(item.slot, 16 / 9)
        assert item.area == pytest.approx((rect.x, rect.y, rect.width, rect.height))
    for taken in minute.recording.rungs:
        wanted = difference(picture_at(taken, tea.start + 1000))
        for item in (cup, tea):
            assert (cut(wanted, item.area) > 20).mean() > 0.85
        # The top tells the time and the right flashes: the rest is the cards' or nobody's.
        height, width = wanted.shape
        rest = wanted[int(0.2 * height) :, : int(0.75 * width)].copy()
        rows, columns = np.nonzero(rest > 40)
        found = (
            columns.min() / width,
            rows.min() / height + 0.2,
            columns.max() / width,
            rows.max() / height + 0.2,
        )
        bottom, right = tea.area[1] + tea.area[3], tea.area[0] + tea.area[2]
        assert found == pytest.approx((tea.area[0], cup.area[1], right, bottom), abs=0.012)


async def test_a_fading_card_begins_at_its_start_and_begins_to_go_at_its_end(
    fading: Record,
) -> None:
    (item,) = fading.intervals
    for seen in fading.seen.values():
        judge(seen, 0, [item], LEAVING_MS)
        drawn = {s.date_ms: s.drawn["0"] for s in seen}
        full = max(drawn.values())
        coming = [d for date, d in drawn.items() if item.start - 2 <= date < item.start + 200]
        assert coming == sorted(coming)
        assert coming[0] < 0.5 * full < 0.9 * full < coming[-1]
        going = [d for date, d in drawn.items() if item.end - 2 <= date < item.end + LEAVING_MS]
        assert going == sorted(going, reverse=True)
        assert going[0] < 0.9 * full
        (last,) = [d for date, d in drawn.items() if item.end - FRAME_MS - 2 < date < item.end - 2]
        assert last > 0.98 * full
