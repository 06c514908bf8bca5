"""Encoders that are too slow for what arrives: shed, stay small, come back."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.helpers.clips import picture
from tests.helpers.footage import Footage, Soundtrack, film, record, time_of, together
from tests.helpers.promises import hold
from tests.helpers.rendered import numbers
from tests.helpers.worker_run import START_MS, Run
from transcode.message import Health
from transcode.profile import Profile, Rung

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(240)]

HARD, EASY = 8.0, 6.0
FOOTAGE = Footage(seconds=HARD + EASY, width=640, height=360, key_seconds=2.0)
MOST_HELD_BYTES = 200 << 20


def draw(number: int, width: int, height: int) -> NDArray[np.uint8]:
    """Draw what costs an encoder much, up to HARD; then what costs it nothing."""
    luma = picture(number, width, height)[:height]
    if number < HARD * 30:
        dice = np.random.default_rng(number)
        luma[height // 4 :] = dice.integers(0, 255, (height - height // 4, width), dtype=np.uint8)
    else:
        luma[height // 4 :] = 90
    return luma


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_latency_and_memory_come_back_when_encoders_were_too_slow() -> None:
    media = together(film(replace(FOOTAGE, draw=draw)), record(Soundtrack(seconds=HARD + EASY)))
    profile = Profile("hard", (Rung(360, 900_000),), preset="veryslow")
    began, before = time.monotonic(), resident()
    run = Run(profile=profile, clock=lambda: START_MS / 1000 + time.monotonic() - began)
    lags, most = [], 0
    for unit in media:
        at = time_of(unit) / 90_000
        run.pipeline.feed(unit, START_MS + round(at * 1000))
        lags.append(time.monotonic() - began - at)
        most = max(most, resident())
    made = run.close()
    epochs = hold(made)
    assert max(lags) > 0.8, "the machine was too slow, as it had to be"
    assert max(lags) < 20
    assert lags[-1] < 1
    assert most - before < MOST_HELD_BYTES
    last = numbers(made, "360p", len(epochs) - 1)
    pictures = round((HARD + EASY) * 30)
    assert last[-30:] == list(range(pictures - 30, pictures)), "whole again in the last second"
    assert [one for one in made if isinstance(one, Health)][-1].dropped > 10
