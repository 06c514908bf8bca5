from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from overlay.scene import MAX_CARDS, Rect
from server.hls.playlist import DateRange
from server.shop.timeline import Event, EventKind, Timeline

RECT = Rect(0, 0, 1, 1)


def event(kind: EventKind, pin: str, t_media: int, **changes: object) -> Event:
    made = Event(f"{pin}-{kind}", kind, pin, f"product-{pin}", 1, t_media, 0, "x")
    return replace(made, **changes)  # type: ignore[arg-type]


PIN, UNPIN, SHOWN, HIDDEN = EventKind.PIN, EventKind.UNPIN, EventKind.SHOWN, EventKind.HIDDEN


def line(*events: Event) -> Timeline:
    return Timeline("s").after(replace(e, seq=n) for n, e in enumerate(events, 1))


def test_commands_expect_and_reports_fix() -> None:
    pinned = line(event(PIN, "a", 100))
    assert [(i.start, i.start_exact) for i in pinned.intervals] == [(100, False)]
    shown = pinned.after([event(SHOWN, "a", 130, seq=2, rect=RECT)])
    (item,) = shown.intervals
    assert (item.t_media, item.start, item.start_exact, item.rect) == (100, 130, True, RECT)
    hidden = shown.after([event(UNPIN, "a", 200, seq=3), event(HIDDEN, "a", 230, seq=4)])
    (item,) = hidden.intervals
    assert (item.end, item.end_exact, hidden.seq) == (230, True, 4)
    assert pinned.intervals[0].end is None, "a timeline never changes in place"


def test_what_is_exact_stays() -> None:
    done = line(
        event(PIN, "a", 100),
        event(SHOWN, "a", 130),
        event(SHOWN, "a", 150),
        event(UNPIN, "a", 200),
        event(HIDDEN, "a", 230),
        event(HIDDEN, "a", 260),
    )
    assert [(i.start, i.end) for i in done.intervals] == [(130, 230)]


def test_an_end_is_never_before_its_start() -> None:
    done = line(event(PIN, "a", 500), event(UNPIN, "a", 100), event(HIDDEN, "a", 120))
    assert [(i.start, i.end) for i in done.intervals] == [(500, 500)]
    assert done.between(None, None) == ()


def test_events_of_unknown_pins_change_nothing() -> None:
    assert line(event(SHOWN, "a", 1), event(UNPIN, "b", 2)).intervals == ()


def test_parts_are_cut_half_open() -> None:
    whole = line(
        event(PIN, "a", 100, burned=False),
        event(UNPIN, "a", 200, burned=False),
        event(PIN, "b", 200, burned=False),
    )

    def names(since: int | None, until: int | None) -> list[str]:
        return [item.id for item in whole.between(since, until)]

    assert names(None, None) == ["a", "b"]
    assert names(199, 200) == ["a"]
    assert names(200, None) == ["b"]
    assert names(None, 100) == []
    assert names(5_000, 6_000) == ["b"]


def test_cues_are_the_changes_still_to_come() -> None:
    ahead = line(
        event(PIN, "a", 100),
        event(SHOWN, "a", 1_050),
        event(PIN, "b", 5_000),
        event(PIN, "c", 3_000),
    )
    assert ahead.cues(1_000) == (1_000, 3_000, 5_000)
    assert [item.id for item in ahead.on_stage(1_000)] == ["a"], "drawn already: it stays"
    assert [item.id for item in ahead.on_stage(3_000)] == ["a", "c"]


def test_ranges_hold_nothing_that_may_still_change() -> None:
    events = [
        event(PIN, "late", 50, burned=False, late=True),
        event(PIN, "waiting", 100),
        event(PIN, "open", 100),
        event(SHOWN, "open", 110),
        event(PIN, "ending", 100),
        event(SHOWN, "ending", 110),
        event(UNPIN, "ending", 150),
        event(PIN, "done", 100),
        event(SHOWN, "done", 110),
        event(UNPIN, "done", 150),
        event(HIDDEN, "done", 160),
    ]
    ranges = line(*events).date_ranges("com.example.pin", 9_000)
    assert [(item.id, item.start_ms, item.end_ms) for item in ranges] == [
        ("pin-open", 110, None),
        ("pin-ending", 110, None),
        ("pin-done", 110, 160),
    ]
    assert {item.planned_ms for item in ranges} == {9_000}


_EVENTS = st.lists(
    st.builds(
        event,
        st.sampled_from(EventKind),
        st.sampled_from("abcde"),
        st.integers(0, 1_000),
        slot=st.integers(0, MAX_CARDS - 1),
        burned=st.booleans(),
    ),
    max_size=40,
)


@given(_EVENTS)
def test_any_log_keeps_the_rules(events: list[Event]) -> None:
    timeline = Timeline("s")
    told: dict[str, DateRange] = {}
    for number, item in enumerate(e for e in events if e.kind is not PIN or _first(events, e)):
        timeline = timeline.after([replace(item, seq=number + 1)])
        for interval in timeline.intervals:
            assert interval.end is None or interval.start <= interval.end
        for made in timeline.date_ranges("com.example.pin", 1):
            known = told.setdefault(made.id, made)
            assert known.agrees_with(made), "a value changed under its id"
            assert known.end_ms in (None, made.end_ms)
            told[made.id] = made


def _first(events: list[Event], pin: Event) -> bool:
    """An id is pinned once: it is made by us, for each pin anew."""
    return next(e for e in events if e.kind is PIN and e.pin == pin.pin) is pin
