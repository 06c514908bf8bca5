"""What a fragmented file has before its segments, and how these are moved in time."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import pytest

from tests.helpers.mp4_boxes import ReadRun, boxes, runs
from tests.transcode.test_movie import INIT
from transcode.chunks import first_fragment, read_init
from transcode.errors import MediaError
from transcode.fmp4 import AUDIO_TRACK, VIDEO_TRACK, Run, Sample, box, fragment
from transcode.fragmented import Reach, head, moved, reach

HEADS = read_init(INIT)
SCALES = {one.id: one.timescale for one in HEADS}


def told(made: bytes) -> list[ReadRun]:
    cut = len(first_fragment(made))
    return [*runs(made[:cut]), *runs(made[cut:])]


def segment(at_s: int) -> bytes:
    """One second of both tracks in two fragments; the sound ends a little later."""
    picture = [Sample(bytes(9), 45_000, True)]
    sound = [Sample(bytes(5), 24_512, True)]
    made = b""
    for number in (0, 1):
        video = Run(VIDEO_TRACK, 90_000 * at_s + 45_000 * number, picture)
        audio = Run(AUDIO_TRACK, 48_000 * at_s + 24_512 * number, sound)
        made += fragment(7 + number, [video, audio])
    return made


def test_a_segment_reaches_as_far_as_the_longest_of_its_tracks() -> None:
    assert reach(segment(5), HEADS) == Reach(Fraction(5), 5 + Fraction(49_024, 48_000))
    many = bytearray(fragment(1, [Run(VIDEO_TRACK, 0, [Sample(bytes(9), 45_000, True)])]))
    at = many.index(b"trun")
    many[at + 4 : at + 12] = b"\x01\x00\x00\x01\xff\xff\xff\xff"  # sizes not told
    for bad in (b"", segment(0)[:60], box(b"mdat", bytes(8)), bytes(many)):
        with pytest.raises(MediaError):
            reach(bad, HEADS)


@pytest.mark.parametrize("by", [Fraction(3), Fraction(-5), Fraction(1, 3)])
def test_a_segment_that_is_moved_keeps_its_bytes_but_for_its_times(by: Fraction) -> None:
    before = segment(5)
    after = moved(before, SCALES, by, 4_097)
    assert len(after) == len(before)
    for old, new in zip(told(before), told(after), strict=True):
        assert new.decode_time == old.decode_time + round(by * SCALES[old.track])
        assert new.samples == old.samples
    moofs = [each for each in boxes(after) if each.kind == "moof"]
    numbers = [int.from_bytes(moof.one("mfhd").payload[4:8]) for moof in moofs]
    assert numbers == [4_097, 4_098]
    differing = sum(a != b for a, b in zip(before, after, strict=True))
    assert differing <= 4 * 8 + 2 * 4


def test_an_event_in_the_media_moves_with_it() -> None:
    event = box(b"emsg", b"\1\0\0\0" + (1_000).to_bytes(4) + (5_500).to_bytes(8) + bytes(8))
    after = moved(event + segment(5), SCALES, Fraction(-5), 1)
    assert int.from_bytes(after[16:24]) == 500


def test_what_cannot_be_moved_is_said_to_be_damaged() -> None:
    cut = box(b"moof", box(b"traf", box(b"tfhd", bytes(2))))
    for bad in (cut, segment(0)[:30], segment(2)):
        scales = SCALES if bad != segment(2) else {VIDEO_TRACK: 90_000}
        with pytest.raises(MediaError):
            moved(bad, scales, Fraction(1), 1)


def test_a_head_tells_the_length_and_where_each_segment_is(tmp_path: Path) -> None:
    rows_wanted = [(1_000, 180_000), (2_000, 90_000)]
    written = head(INIT, rows_wanted)
    kinds = [each.kind for each in boxes(written)]
    assert kinds == ["ftyp", "moov", "sidx"]
    _, moov, sidx = boxes(written)
    assert int.from_bytes(moov.one("mvex/mehd").payload[4:12]) == 3_000
    assert int.from_bytes(sidx.payload[30:32]) == len(rows_wanted)
    rows = [sidx.payload[32 + 12 * n : 44 + 12 * n] for n in range(len(rows_wanted))]
    assert [(int.from_bytes(r[:4]), int.from_bytes(r[4:8])) for r in rows] == rows_wanted
    file = tmp_path / "file.mp4"
    file.write_bytes(written)
    subprocess.run(["ffprobe", "-v", "quiet", str(file)], check=True)


def test_a_very_long_shows_segments_are_told_together() -> None:
    sidx = boxes(head(INIT, [(1_000, 180_000)] * 70_001))[-1]
    count = int.from_bytes(sidx.payload[30:32])
    assert count == 35_001
    assert int.from_bytes(sidx.payload[32:36]) == 2_000
    assert int.from_bytes(sidx.payload[-12:-8]) == 1_000
