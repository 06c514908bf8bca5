"""Packets come back in order; what is missing is asked for, and waited for only so long."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ingest.rtp.packet import Packet, Unwrapper
from ingest.rtp.reorder import ASK_AGAIN, MOST_ASKED, MOST_HELD, MOST_MISSING, Reorder

PATIENCE = 0.3


def packet(number: int, arrival: float = 0.0) -> Packet:
    return Packet(number & 0xFFFF, 0, False, 96, b"x", arrival)


def numbers(packets: list[Packet]) -> list[int]:
    return [each.sequence for each in packets]


def test_a_counter_goes_on_past_its_wrap_both_ways() -> None:
    counter = Unwrapper(16)
    assert [counter.unwrap(n) for n in (65_534, 65_535, 0, 1, 65_535, 2)] == [
        65_534, 65_535, 65_536, 65_537, 65_535, 65_538,
    ]  # fmt: skip
    wide = Unwrapper(32)
    assert wide.unwrap(0xFFFFFFF0) == 0xFFFFFFF0
    assert wide.near(5) == 0x100000005
    assert wide.unwrap(0xFFFFFFF8) == 0xFFFFFFF8


def test_packets_in_order_pass_at_once() -> None:
    order = Reorder(PATIENCE)
    for number in range(65_500, 65_600):
        assert numbers(order.push(packet(number))) == [number]
        assert order.due(0.0) == []


def test_a_packet_that_was_overtaken_finds_its_place() -> None:
    order = Reorder(PATIENCE)
    assert numbers(order.push(packet(10))) == [10]
    assert order.push(packet(12, 0.01)) == []
    assert order.due(0.01) == [11]
    assert numbers(order.push(packet(11, 0.02))) == [11, 12]
    assert order.due(1.0) == []


def test_a_packet_twice_or_too_late_is_left_out() -> None:
    order = Reorder(PATIENCE)
    order.push(packet(10))
    assert order.push(packet(10)) == []
    assert order.push(packet(9)) == []
    order.push(packet(12))
    assert order.push(packet(12)) == []


def test_a_hole_is_given_up_after_a_while_and_asked_for_before() -> None:
    order = Reorder(PATIENCE)
    order.push(packet(65_535))
    assert order.push(packet(65_538, 0.0)) == []
    asked: list[list[int]] = []
    now = 0.0
    while not (ready := order.push(packet(65_539 + len(asked), now))):
        asked.append(order.due(now))
        now += ASK_AGAIN
    assert now >= PATIENCE
    assert ready[0].sequence == 65_538
    assert asked[0] == [0, 1]
    assert len([each for each in asked if each]) == MOST_ASKED
    assert order.due(now + 1) == []


def test_a_long_interruption_is_neither_waited_for_nor_asked_for() -> None:
    order = Reorder(PATIENCE)
    order.push(packet(0))
    assert numbers(order.push(packet(MOST_MISSING + 2))) == [MOST_MISSING + 2]
    assert order.due(0.0) == []
    assert order.push(packet(2 * MOST_MISSING + 3)) == []
    assert len(order.due(0.0)) == MOST_MISSING


def test_another_run_of_numbers_begins_anew() -> None:
    order = Reorder(PATIENCE)
    order.push(packet(100))
    assert [n & 0xFFFF for n in numbers(order.push(packet(40_000)))] == [40_000]
    assert [n & 0xFFFF for n in numbers(order.push(packet(40_001)))] == [40_001]


def test_what_is_held_is_bounded() -> None:
    order = Reorder(1e9)
    order.push(packet(0))
    given_out = 0
    for number in range(2, 3 * MOST_HELD, 2):
        given_out += len(order.push(packet(number)))
    assert given_out >= MOST_HELD / 2 - 2


@given(st.data(), st.integers(0, 0xFFFF))
def test_any_order_within_the_patience_comes_out_in_order(data: st.DataObject, first: int) -> None:
    count = data.draw(st.integers(1, 60))
    mixed = data.draw(st.permutations(range(1, count)))
    order = Reorder(PATIENCE)
    out = numbers(order.push(packet(first)))
    for number in mixed:
        out += numbers(order.push(packet(first + number)))
    assert out == list(range(first, first + count))


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.floats(0, 2)), max_size=200))
def test_no_numbers_are_given_twice_or_backwards_within_a_run(
    arrivals: list[tuple[int, float]],
) -> None:
    order, now, last = Reorder(PATIENCE), 0.0, None
    for number, wait in arrivals:
        now += wait
        for ready in order.push(replace(packet(number), arrival=now)):
            if last is not None and abs(ready.sequence - last) < 1_000:
                assert ready.sequence > last
            last = ready.sequence
        order.due(now)
