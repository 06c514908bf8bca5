"""The linter's readers raise only their own errors, whatever a server sends."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.lint.boxes import BoxError, boxes
from server.lint.course import Course
from server.lint.ensemble import Ensemble
from server.lint.fragment import read_chunk
from server.lint.init import read_init
from server.lint.multivariant import read_multivariant
from server.lint.notes import Notes, Outcome
from server.lint.reader import PlaylistError, attributes, milliseconds, read
from tests.server.lint.origin import Origin, Vice
from transcode.fmp4 import AudioTrack, init_section

GOOD = Origin(Vice())
INIT = GOOD.tracks[0].init
CHUNK = GOOD.window.renditions["90p"].body("lint-20.m4s") or b""
PLAYLIST = """#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=12,PART-HOLD-BACK=1.0,HOLD-BACK=6
#EXT-X-PART-INF:PART-TARGET=0.334
#EXT-X-MEDIA-SEQUENCE:4
#EXT-X-SKIP:SKIPPED-SEGMENTS=3
#EXT-X-DATERANGE:ID="a",START-DATE="2026-01-01T00:00:00.000Z",X-A=1
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="i.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z
#EXT-X-PART:DURATION=0.33333,URI="a.m4s",INDEPENDENT=YES
#EXTINF:2.00000,
s.m4s
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="b.m4s"
#EXT-X-RENDITION-REPORT:URI="../x/index.m3u8",LAST-MSN=7,LAST-PART=1
"""


def damaged(data: bytes) -> st.SearchStrategy[bytes]:
    """Give the bytes with some of them changed, or cut off."""
    edits = st.lists(st.tuples(st.integers(0, len(data) - 1), st.integers(0, 255)), max_size=6)

    def change(changes: list[tuple[int, int]], end: int) -> bytes:
        body = bytearray(data)
        for at, value in changes:
            body[at] = value
        return bytes(body[:end])

    return st.builds(change, edits, st.integers(0, len(data)))


@given(st.one_of(st.binary(max_size=200), damaged(INIT)))
def test_initialization_sections(data: bytes) -> None:
    with contextlib.suppress(BoxError):
        assert read_init(data).tracks


@given(st.one_of(st.binary(max_size=200), damaged(CHUNK)))
def test_fragments(data: bytes) -> None:
    with contextlib.suppress(BoxError):
        assert read_chunk(data, read_init(INIT)).fragments > 0


@given(damaged(PLAYLIST.encode()), damaged(PLAYLIST.encode()))
def test_playlists_and_the_rules_on_them(first: bytes, second: bytes) -> None:
    notes = Notes()
    course = Course("x", notes, Ensemble({"x": "http://x/y", "z": "http://x/z"}, notes))
    for data in (first, second):
        with contextlib.suppress(PlaylistError):
            course.take(read(data.decode("latin-1"), course.playlist))
    notes.verdicts()


@given(st.text(max_size=300))
def test_multivariant_playlists(text: str) -> None:
    with contextlib.suppress(PlaylistError):
        assert read_multivariant(f"#EXTM3U\n#EXT-X-STREAM-INF:{text}").streams


def test_boxes_within_boxes_and_endless_runs_are_refused() -> None:
    nested = b""
    for _ in range(2_000):
        nested = (8 + len(nested)).to_bytes(4, "big") + b"moov" + nested
    with pytest.raises(BoxError, match="without end"):
        boxes(nested)
    with pytest.raises(PlaylistError, match="more than any"):
        read("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-SKIP:SKIPPED-SEGMENTS=99999999999\n")


@pytest.mark.parametrize(
    "text",
    ["", "#EXTM3U", "x", "#EXTM3U\n#EXT-X-TARGETDURATION:x\n", "#EXTM3U\na.m4s\n"],
)
def test_what_is_no_playlist_is_refused(text: str) -> None:
    with pytest.raises(PlaylistError):
        assert read(text).target_duration


def test_attribute_lists_and_dates_are_read_strictly() -> None:
    assert attributes('A=1,B="x,y"') == {"A": "1", "B": "x,y"}
    for text in ("A", "A=1,A=2", 'A="x', "a=1"):
        with pytest.raises(PlaylistError):
            attributes(text)
    assert milliseconds("2026-01-01T00:00:00.250+01:00") == 1_767_222_000_250
    for text in ("2026-01-01T00:00:00", "yesterday"):
        with pytest.raises(PlaylistError):
            milliseconds(text)


def test_a_codec_is_read_from_its_own_record() -> None:
    assert [track.codec for track in read_init(INIT).tracks] == ["avc1.42c01e", "mp4a.40.2"]
    he_aac = init_section(None, AudioTrack(b"\x2b\x8a\x08\x00", 24_000, 2))
    assert [track.codec for track in read_init(he_aac).tracks] == ["mp4a.40.5"]


def test_a_rule_that_was_never_met_is_not_seen() -> None:
    notes = Notes()
    notes.check(1, "segments", True)
    notes.check(2, "parts", False, "too short", "here")
    notes.check(2, "parts", False, "too short", "there")
    notes.unseen(3, "nothing came")
    first, second, third = notes.verdicts()[:3]
    assert (first.outcome, first.seen) == (Outcome.KEPT, (("segments", 1),))
    assert (second.outcome, second.faults[0].where, second.faults[0].times) == (
        Outcome.BROKEN,
        "here",
        2,
    )
    assert (third.outcome, third.why_not) == (Outcome.NOT_SEEN, "nothing came")
