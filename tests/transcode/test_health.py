"""The worker's report on a whole clip, through the real decoders."""

from __future__ import annotations

import pytest

from ingest.unit import Unit, VideoConfig, VideoUnit
from tests.helpers.clips import Clip, units
from transcode import wire
from transcode.message import QUIET, Health, Open, Up
from transcode.pipeline import Pipeline
from transcode.profile import Profile, Rung

PROFILE = Profile("test", (Rung(90, 200_000),))


def reports(media: list[Unit]) -> list[Health]:
    """Feed units at the pace of their own clock; give the reports, first to last."""
    told: list[Up] = []
    pipeline = Pipeline(Open(PROFILE, 0), told.append)
    for unit in media:
        stamp = unit.dts if isinstance(unit, VideoUnit) else getattr(unit, "pts", 0)
        pipeline.feed(unit, 1_700_000_000_000 + stamp // 90)
    pipeline.close()
    return [message for message in told if isinstance(message, Health)]


def test_a_good_stream_is_told_as_good() -> None:
    *_, health = reports(units(Clip(seconds=4.2, keyframe_seconds=1.0)))
    assert health.fps == pytest.approx(30, abs=2)
    assert (health.jumps, health.damaged) == (0, 0)
    assert health.keyframe_interval == pytest.approx(1, abs=0.01)
    assert health.pixel_format == "yuv420p"
    assert (health.black, health.bars) == (False, 0)
    assert health.frozen_seconds < 2
    assert -8 < health.peak_left < -4, "the beep has half of full scale"
    assert health.peak_left == pytest.approx(health.peak_right, abs=1)
    assert health.clipped == 0


def test_the_next_publisher_is_not_told_what_the_one_before_looked_like() -> None:
    told: list[Up] = []
    pipeline = Pipeline(Open(PROFILE, 0), told.append)
    for unit in units(Clip(seconds=1.2)):
        pipeline.feed(unit, 1_700_000_000_000)
    pipeline.splice()
    for unit in units(Clip(seconds=2.2)):
        if not isinstance(unit, VideoUnit | VideoConfig):
            pipeline.feed(unit, 1_700_000_000_000 + getattr(unit, "pts", 0) // 90)
    pipeline.close()
    health = [message for message in told if isinstance(message, Health)][-1]
    assert (health.pixel_format, health.frozen_seconds, health.video) == ("", 0, "")
    assert health.level > QUIET


def test_without_sound_there_is_no_level() -> None:
    *_, health = reports(units(Clip(seconds=2.2, audio=False)))
    assert (health.peak_left, health.level) == (QUIET, QUIET)


def test_a_report_goes_through_the_pipe_whole() -> None:
    *_, health = reports(units(Clip(seconds=2.2)))
    assert wire.Decoder().feed(wire.encode(health)) == [health]
    assert wire.Decoder().feed(wire.encode(Health())) == [Health()]
    assert health.peak_left > QUIET
