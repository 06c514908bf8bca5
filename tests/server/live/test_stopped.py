"""How long an encoder is kept off after its broadcast was stopped."""

from __future__ import annotations

from server.live.stopped import MOST, KeptOff, Stopped


def test_an_encoder_that_comes_back_by_itself_never_gets_in() -> None:
    stopped = Stopped(60.0)
    stopped.note("tea", "key", 0.0, 7)
    now, pause = 0.0, 2.0
    while pause < 900:  # as OBS does
        now += pause
        assert stopped.wait("tea", "key", now) >= 60
        pause *= 1.5
    kept_off = stopped.kept_off("tea", now)
    assert kept_off is not None
    assert 900 < kept_off.seconds <= MOST


def test_one_that_was_quiet_begins_again() -> None:
    stopped = Stopped(60.0)
    stopped.note("tea", "key", 0.0, 7)
    assert stopped.kept_off("tea", 1.0) is None, "nobody has tried"
    assert stopped.wait("tea", "key", 2.0) == 60
    assert stopped.kept_off("tea", 2.5) == KeptOff(60, 7)
    assert stopped.wait("tea", "key", 62.0) == 0
    assert stopped.kept_off("tea", 62.0) is None


def test_only_the_key_that_was_stopped_has_to_wait() -> None:
    stopped = Stopped(0.0)
    stopped.note("tea", "key", 0.0, 7)
    assert stopped.wait("tea", "new", 1.0) == 0
    assert stopped.wait("pots", "key", 1.0) == 0
    assert stopped.wait("tea", "key", 29.0) == 58
