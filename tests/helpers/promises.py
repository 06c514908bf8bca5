"""What a worker promises of every epoch, whatever the publisher sent: hls.md 1-3 and 10-13.

Held against the samples in the parts, not against what the parts say of themselves; then
against the window that the server has, which must take all of it without a word.
"""

from __future__ import annotations

from itertools import pairwise

import pytest

from server.hls.window import Window
from tests.helpers.mp4_boxes import ReadRun, runs
from tests.helpers.rendered import epochs, parts
from transcode.message import Up
from transcode.part import Epoch, Part, Track

SHORTEST = 0.85
VIDEO_SCALE = 90_000
SOUND_SCALE = 48_000
MILLISECOND = 90
AAC_TICKS = 1920
IDR = 5
SOUND = "audio"


def hold(messages: list[Up]) -> list[Epoch]:
    """Fail where a promise is broken; give the epochs."""
    made = epochs(messages)
    assert made, "nothing went on the air"
    assert [epoch.number for epoch in made] == list(range(len(made)))
    for epoch in made:
        _tracks(messages, epoch)
    _dates(messages, made)
    _window(messages)
    return made


def end_ms(messages: list[Up], epoch: Epoch) -> float:
    """Give where an epoch's first track ends on the PDT axis."""
    last = parts(messages, epoch.tracks[0].name, epoch.number)
    ticks = max((part.start + part.duration for part in last), default=0)
    return epoch.pdt_ms + ticks / MILLISECOND


def _tracks(messages: list[Up], epoch: Epoch) -> None:
    grids = {}
    for track in epoch.tracks:
        made = parts(messages, track.name, epoch.number)
        grids[track.name] = [(part.segment, part.index, part.last) for part in made]
        _lengths(made, epoch)
        _samples(made, track)
    first = epoch.tracks[0].name
    for name, grid in grids.items():
        assert grid == grids[first], f"{name} is not in step with {first}"
    starts = [
        [part.start for part in parts(messages, track.name, epoch.number)] for track in epoch.tracks
    ]
    assert all(each == starts[0] for each in starts), "boundaries differ"


def _lengths(made: list[Part], epoch: Epoch) -> None:
    segments: dict[int, int] = {}
    for part, following in zip(made, [*made[1:], None], strict=True):
        assert 0 < part.duration <= epoch.part_target
        if following is not None:
            assert not (part.last and following.segment == part.segment)
            if following.segment == part.segment:
                assert following.index == part.index + 1
                assert part.duration >= SHORTEST * epoch.part_target
            else:
                assert (part.last, following.index) == (True, 0)
                assert following.segment == part.segment + 1
        segments[part.segment] = segments.get(part.segment, 0) + part.duration
    if made:
        assert (made[0].segment, made[0].index, made[0].start) == (0, 0, 0)
    assert all(length <= epoch.segment_target for length in segments.values())


def _samples(made: list[Part], track: Track) -> None:
    pictures: list[ReadRun] = []
    sounds: list[ReadRun] = []
    for part in made:
        found = runs(part.data)
        has_video = track.name != SOUND
        if has_video:
            picture = next(run for run in found if run.track == min(r.track for r in found))
            pictures.append(picture)
            assert picture.decode_time == part.start
            assert abs(picture.duration - part.duration) <= 1
            _keys(picture, part)
        rest = [run for run in found if not has_video or run is not pictures[-1]]
        sounds += rest
        if not has_video:
            measured = sum(run.duration for run in rest) * VIDEO_SCALE / SOUND_SCALE
            assert measured == pytest.approx(part.duration, abs=1)
    for track_runs in (pictures, sounds):
        assert not track_runs or track_runs[0].decode_time == 0
        for a, b in pairwise(track_runs):
            assert a.decode_time + a.duration == b.decode_time, f"{track.name}: a hole in tfdt"
    if pictures and sounds:
        skew = sounds[-1].decode_time / SOUND_SCALE - pictures[-1].decode_time / VIDEO_SCALE
        assert abs(skew) <= 0.04, f"{track.name}: its tracks are {skew:.3f} s apart in one part"


def _keys(run: ReadRun, part: Part) -> None:
    for number, sample in enumerate(run.samples):
        begins_segment = part.index == 0 and number == 0
        idr = any(kind == IDR for kind in _nal_kinds(sample.data))
        assert sample.sync == idr == begins_segment, "IDR pictures begin segments, and only they"
    assert part.independent == (part.index == 0)


def _nal_kinds(sample: bytes) -> list[int]:
    kinds, at = [], 0
    while at < len(sample):
        kinds.append(sample[at + 4] & 0x1F)
        at += 4 + int.from_bytes(sample[at : at + 4], "big")
    assert at == len(sample)
    return kinds


def _dates(messages: list[Up], made: list[Epoch]) -> None:
    for before, after in pairwise(made):
        assert after.pdt_ms >= end_ms(messages, before) - 1, "the PDT axis went back"
    targets = {round(epoch.segment_target / VIDEO_SCALE) for epoch in made}
    assert len(targets) == 1, "EXT-X-TARGETDURATION may never change"


def _window(messages: list[Up]) -> None:
    """Publish all of it; a WindowError fails the test."""
    window = Window("promises")
    for message in messages:
        if isinstance(message, Epoch):
            window.open_epoch(message)
        elif isinstance(message, Part):
            window.add(message)
    window.end()
    ends = {(one.next_msn, one.discontinuity_sequence >= 0) for one in window.renditions.values()}
    assert len(ends) == 1, "renditions end at different media sequence numbers"
