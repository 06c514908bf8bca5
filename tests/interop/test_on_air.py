"""A minute on the air: boundaries, times and sound, measured in what a client takes."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.helpers.hls_client import Taken, TakenPart
from tests.helpers.mp4_boxes import ReadRun, boxes, runs
from tests.helpers.sight import Seen
from tests.interop.on_air import FRAME_MS, MINUTE_SECONDS, Record

pytestmark = [
    pytest.mark.interop,
    pytest.mark.alone,
    pytest.mark.slow,
    pytest.mark.timeout(480),  # whichever test comes first waits for the recording
    pytest.mark.asyncio(loop_scope="session"),
]

VIDEO_SCALE = 90_000
SOUND_SCALE = 48_000
MILLISECOND = 0.001
IDR = 5
SKEW_MS = 40.0


def runs_of(part: TakenPart) -> tuple[ReadRun | None, ReadRun]:
    """Give a part's picture (None: audio only) and sound."""
    found = runs(part.data)
    if len(found) == 1:
        return None, found[0]
    picture, sound = found
    return picture, sound


def seconds_of(part: TakenPart) -> float:
    """Measure a part by its samples: the picture's where there is one."""
    picture, sound = runs_of(part)
    return sound.duration / SOUND_SCALE if picture is None else picture.duration / VIDEO_SCALE


def starts(taken: Taken) -> dict[int, float]:
    """Give where each segment begins on the epoch's axis, in seconds, by its samples."""
    found = {}
    for segment in taken.whole:
        picture, sound = runs_of(segment.parts[0])
        scale = SOUND_SCALE if picture is None else VIDEO_SCALE
        found[segment.msn] = (picture or sound).decode_time / scale
    return found


def nal_kinds(sample: bytes) -> list[int]:
    """Give the types of the NAL units in an AVCC sample (ISO/IEC 14496-15, 4-byte lengths)."""
    kinds, at = [], 0
    while at < len(sample):
        size = int.from_bytes(sample[at : at + 4], "big")
        kinds.append(sample[at + 4] & 0x1F)
        at += 4 + size
    assert at == len(sample)
    return kinds


async def test_the_whole_minute_was_taken_without_a_hole(minute: Record) -> None:
    taken = list(minute.recording.renditions.values())
    assert [t.variant.name for t in taken] == ["720p", "480p", "360p", "audio"]
    for each in taken:
        assert each.seconds >= MINUTE_SECONDS
        assert each.ended
        assert not any(s.gap for s in each.segments.values())
        first = min(each.segments)
        assert sorted(each.segments) == list(range(first, first + len(each.segments)))
        assert not any(s.discontinuity for s in each.segments.values())
        assert len(each.inits) == 1


async def test_boundaries_and_dates_are_the_same_in_every_rendition(minute: Record) -> None:
    first, *others = minute.recording.renditions.values()
    wanted = starts(first)
    for other in others:
        found = starts(other)
        assert found.keys() == wanted.keys()
        assert [s.pdt_ms for s in other.whole] == [s.pdt_ms for s in first.whole]
        apart = [abs(found[msn] - wanted[msn]) * 1000 for msn in wanted]
        assert max(apart) <= FRAME_MS, other.variant.name


async def test_extinf_and_part_durations_are_those_of_the_samples(minute: Record) -> None:
    for taken in minute.recording.renditions.values():
        for segment in taken.whole:
            measured = [seconds_of(part) for part in segment.parts]
            for part, seconds in zip(segment.parts, measured, strict=True):
                assert float(part.duration) == pytest.approx(seconds, abs=MILLISECOND)
            assert segment.duration is not None
            assert float(segment.duration) == pytest.approx(sum(measured), abs=MILLISECOND)


async def test_no_part_is_longer_than_announced_nor_shorter_than_players_bear(
    minute: Record,
) -> None:
    for taken in minute.recording.renditions.values():
        assert taken.playlist is not None
        target = float(taken.playlist.part_target)
        for segment in taken.whole[:-1]:
            durations = [float(part.duration) for part in segment.parts]
            assert max(durations) <= target
            assert min(durations[:-1]) >= 0.85 * target
            assert segment.duration is not None
            assert round(segment.duration) <= taken.playlist.target_duration


async def test_every_segment_starts_with_an_idr_picture(minute: Record) -> None:
    for taken in minute.recording.rungs:
        for segment in taken.whole:
            picture, _ = runs_of(segment.parts[0])
            assert picture is not None
            assert picture.samples[0].sync
            assert IDR in nal_kinds(picture.samples[0].data)
            assert segment.parts[0].independent


async def test_no_gap_in_decode_times(minute: Record) -> None:
    for taken in minute.recording.renditions.values():
        parts = [runs_of(part) for segment in taken.whole for part in segment.parts]
        for picture_or_sound in (0, 1):
            track = [run for part in parts if (run := part[picture_or_sound]) is not None]
            assert all(a.decode_time + a.duration == b.decode_time for a, b in pairwise(track))
            assert not track or track[0].decode_time == 0


async def test_dates_follow_the_samples(minute: Record) -> None:
    for taken in minute.recording.rungs:
        begin, *later = taken.whole
        for segment, start in zip(later, list(starts(taken).values())[1:], strict=True):
            assert abs(segment.pdt_ms - begin.pdt_ms - start * 1000) <= 1


async def test_every_part_is_one_moof_and_one_mdat(minute: Record) -> None:
    for taken in minute.recording.renditions.values():
        for segment in taken.whole:
            for part in segment.parts:
                assert [box.kind for box in boxes(part.data)] == ["moof", "mdat"]


async def test_each_picture_shows_the_time_code_of_its_date(minute: Record) -> None:
    for name, seen in minute.seen.items():
        first = seen[0]
        assert len(seen) >= MINUTE_SECONDS * 30, name
        assert [s.number for s in seen] == list(range(first.number, first.number + len(seen)))
        late = [s.date_ms - first.date_ms - (s.number - first.number) * FRAME_MS for s in seen]
        assert max(map(abs, late)) <= 1.5, name
    firsts = {(seen[0].number, seen[0].date_ms) for seen in minute.seen.values()}
    assert len(firsts) == 1


def flashes(seen: list[Seen]) -> list[float]:
    """Give when the square lights up; the first second is left out, its beep may be cut."""
    return [b.date_ms for a, b in pairwise(seen) if b.flash and not a.flash]


async def test_beep_and_flash_are_together(minute: Record) -> None:
    for name, seen in minute.seen.items():
        lit = flashes(seen)
        assert len(lit) >= MINUTE_SECONDS - 1
        beeps = minute.heard[name].dates_ms
        for at in lit:
            skew = min((beep - at for beep in beeps), key=abs)
            assert abs(skew) <= SKEW_MS, f"{name}: {skew:.1f} ms at {at}"
