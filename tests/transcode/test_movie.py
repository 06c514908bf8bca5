"""Plain MP4s made of recorded segments: read back by libav, ffmpeg and a reader of our own."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from struct import pack

import av
import numpy as np
import pytest

from tests.helpers.clips import Clip, read_number, units
from tests.helpers.footage import shifted
from tests.helpers.mp4_boxes import boxes as read_boxes
from tests.helpers.mp4_boxes import runs
from tests.helpers.rendered import beeps, parts, track
from tests.helpers.worker_run import Run as WorkerRun
from tests.helpers.worker_run import transcode
from transcode.chunks import first_fragment, first_sample, read_chunks, read_init
from transcode.errors import MediaError
from transcode.fmp4 import AUDIO_TRACK, VIDEO_TRACK, AudioTrack, VideoTrack, init_section
from transcode.fmp4 import Run as FragmentRun
from transcode.fmp4 import Sample, fragment
from transcode.message import Up
from transcode.movie import Movie
from transcode.nal import avcc

RUNG = "90p"
SPS = bytes.fromhex("6742c01e95a0280bfe54")
AVCC = avcc((SPS,), (b"\x68\xce\x3c\x80",))
INIT = init_section(VideoTrack(AVCC, 640, 360), AudioTrack(b"\x11\x90", 48_000, 2))


@dataclass(frozen=True)
class Made:
    """What a worker made of some clip: the segments of one rung, epoch by epoch."""

    init: bytes
    epochs: list[list[bytes]]

    @property
    def segments(self) -> list[bytes]:
        return [segment for epoch in self.epochs for segment in epoch]


def segments(messages: list[Up], rendition: str, epoch: int = 0) -> list[bytes]:
    found: dict[int, bytes] = {}
    for part in parts(messages, rendition, epoch):
        found[part.segment] = found.get(part.segment, b"") + part.data
    return list(found.values())


@pytest.fixture(scope="module")
def show() -> Made:
    """Six seconds, then the encoder comes back for four: two epochs of the same format."""
    run = WorkerRun()
    run.feed(units(Clip(seconds=6.0)))
    run.pipeline.interrupt(None) if False else None
    run.feed(shifted(units(Clip(seconds=4.0), first=1000), 90_000 * 3600), 1_700_000_060_000)
    made = run.close()
    return Made(track(made, RUNG).init, [segments(made, RUNG, n) for n in (0, 1)])
