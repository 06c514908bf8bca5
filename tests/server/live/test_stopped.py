"""How long an encoder is kept off after its broadcast was stopped."""

from __future__ import annotations

from server.live.stopped import MOST, QUIET, KeptOff, Stopped


def test_an_encoder_that_comes_back_by_itself_never_gets_in() -> None:
    stopped = Stopped()
    stopped.note("tea", "key", 0.0, 7)
    now, pause = 0.0, 2.0
    while pause < 900:  # as OBS does
        now += pause
        assert stopped.wait("tea", "key", now) >= QUIET
        pause *= 1.5
    kept_off = stopped.kept_off("tea", now)
    assert kept_off is not None
    assert 900 < kept_off.seconds <= MOST


def test_one_that_was_quiet_begins_again() -> None:
    stopped = Stopped()
    stopped.note("tea", "key", 0.0, 7)
    assert stopped.kept_off("tea", 1.0) is None, "nobody has tried"
    assert stopped.wait("tea", "key", 2.0) == 15
    assert stopped.kept_off("tea", 2.5) == KeptOff(15, 7)
    assert stopped.wait("tea", "key", 17.0) == 0
    assert stopped.kept_off("tea", 17.0) is None


def test_who_only_asks_waits_no_longer_for_it() -> None:
    stopped = Stopped()
    stopped.note("tea", "key", 0.0, 7)
    assert [stopped.left("tea", "key", now) for now in (5.0, 10.0, 14.5, 15.0)] == [10, 5, 1, 0]
    assert stopped.left("tea", "new", 5.0) == 0
    assert stopped.kept_off("tea", 5.0) is None, "nobody came back by itself"


def test_a_key_that_is_not_known_is_any() -> None:
    stopped = Stopped()
    stopped.note("tea", "", 0.0, 7)
    assert stopped.wait("tea", "key", 2.0) == 15
    assert stopped.left("pots", "key", 2.0) == 0


def test_only_the_key_that_was_stopped_has_to_wait() -> None:
    stopped = Stopped()
    stopped.note("tea", "key", 0.0, 7)
    assert stopped.wait("tea", "new", 1.0) == 0
    assert stopped.wait("pots", "key", 1.0) == 0
    assert stopped.wait("tea", "key", 14.0) == 28
