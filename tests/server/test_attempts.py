from __future__ import annotations

from server.attempts import Attempts


def test_too_many_failures_wait_for_the_window_to_end() -> None:
    attempts = Attempts(limit=3, window=60)
    for second in range(3):
        assert attempts.wait("a", 10.0 + second) == 0
        attempts.count("a", 10.0 + second)
    assert attempts.wait("a", 13.0) == 57
    assert attempts.wait("b", 13.0) == 0
    assert attempts.wait("a", 69.9) == 1
    assert attempts.wait("a", 70.0) == 0
    attempts.count("a", 71.0)
    assert attempts.wait("a", 71.0) == 0, "a new window counts from one"


def test_success_is_forgiving() -> None:
    attempts = Attempts(limit=2)
    attempts.count("a", 0.0)
    attempts.forgive("a")
    attempts.count("a", 1.0)
    assert attempts.wait("a", 1.0) == 0


def test_memory_is_bounded_and_the_busiest_are_remembered() -> None:
    attempts = Attempts(limit=1, most=100)
    attempts.count("guesser", 0.0)
    for number in range(1_000):
        attempts.count(f"address {number}", 1.0)
        attempts.count("guesser", 1.0)
    assert attempts.wait("guesser", 2.0) > 0
    assert attempts.wait("address 0", 2.0) == 0
    assert attempts.wait("address 999", 2.0) > 0


def test_a_name_is_taken_as_it_is() -> None:
    attempts = Attempts(limit=1)
    attempts.count("2001:db8::1", 0.0)
    assert attempts.wait("2001:db8::2", 1.0) == 0, "whom an address stands for is the caller's"
