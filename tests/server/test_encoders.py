"""The probe as a process of its own, asked before the server is ready."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from server.config_file import ConfigError
from server.encoders import try_encoders
from transcode.profile import BUILT_IN, Profile, Rung

SMALL = Profile("small", (Rung(90, 200_000),))


def test_what_encodes_is_silently_taken() -> None:
    try_encoders(BUILT_IN)


def test_every_refusal_is_a_line_with_its_key() -> None:
    fast = replace(SMALL, name="fast", preset="zoom")
    odd = replace(SMALL, name="odd", options=(("nope", "1"),))
    with pytest.raises(ConfigError) as caught:
        try_encoders((SMALL, fast, odd))
    first, second = caught.value.problems
    assert first.startswith("transcode.profiles.fast: 90p: libx264 refused: ")
    assert second == "transcode.profiles.odd: 90p: the encoder does not take the option nope: 1"


def test_a_probe_that_dies_or_hangs_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "false")
    with pytest.raises(ConfigError, match="ended with 1"):
        try_encoders(BUILT_IN)

    def late(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("probe", 1)

    monkeypatch.setattr(subprocess, "run", late)
    with pytest.raises(ConfigError, match=r"cannot be tried: .*timed out"):
        try_encoders(BUILT_IN)
