"""The journal: what is written is read again, and what a crash tore off is cut, byte by byte."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.hls.playlist import DateRange
from server.hls.targets import Targets
from server.record import journal
from server.record.errors import BadJournal
from server.record.journal import End, Head, Lapse, Ledger, Note, PartNote
from server.record.recording import Kept, Listed, RecordedEpoch, RecordedTrack, Slot

HEAD = Head("tea", "01A", 'Tea "at" fünf', 1_000)
TRACK = RecordedTrack("720p", "avc1.64001f", 1, 1280, 720, Fraction(30_000, 1_001), "init-a.mp4")
SOUND = RecordedTrack("audio", "mp4a.40.2", 1, 0, 0, None, "init-b.mp4")
EPOCH = RecordedEpoch(0, 1_000, (TRACK, SOUND))
NEXT = RecordedEpoch(1, 9_000, (TRACK,), media_before_ms=5_000, targets=Targets(2, 334))
RANGE = DateRange("pin-1", "com.x", 1_200, 60_000, None, (("X-P", "cup"), ("X-REV", 3)))


def slot(msn: int, duration: int = 180_000, epoch: int = 0) -> Slot:
    return Slot(epoch, msn, f"r-{msn}.m4s", 1_000 + 2_000 * (msn - 1), duration)


NOTES: tuple[Note, ...] = (
    HEAD,
    EPOCH,
    PartNote("720p", slot(1, 90_000), 10),
    PartNote("720p", slot(1, 90_000), 20),
    Kept("720p", slot(1), 30),
    RANGE,
    PartNote("720p", slot(2, 90_000), 7),
    NEXT,
    Lapse("720p", Slot(0, 3, "r-3.m4s", 5_000, 180_000, Listed(0, False, 1))),
    Kept("720p", Slot(1, 4, "r-4.m4s", 9_000, 180_000, Listed(1, True, 2)), 8),
    End(12_000, 11_000),
)
WHOLE = b"".join(map(journal.line, NOTES))


def take(notes: tuple[Note, ...]) -> Ledger:
    ledger = Ledger()
    for note in notes:
        ledger.take(note)
    return ledger


@pytest.mark.parametrize("note", NOTES, ids=lambda note: type(note).__name__)
def test_every_line_comes_back(note: Note) -> None:
    assert journal.line(note).count(b"\n") == 1
    rest = () if isinstance(note, Head) else (HEAD,)
    found = journal.read(b"".join(map(journal.line, (*rest, note))))
    wanted = take((*rest, note))
    wanted.good = found.good
    assert found == wanted


def test_a_torn_journal_is_good_up_to_its_last_whole_line() -> None:
    ends = [0]
    for note in NOTES:
        ends.append(ends[-1] + len(journal.line(note)))
    for size in range(len(WHOLE) + 1):
        whole = max(end for end in ends if end <= size)
        ledger = journal.read(WHOLE[:size])
        assert ledger.good == whole
        assert len(ledger.epochs) <= 2
        assert (ledger.head is None) is (whole == 0)


def test_another_file_is_no_journal() -> None:
    with pytest.raises(BadJournal):
        journal.read(b"total 12\n")


def test_what_stands_behind_rubbish_is_not_believed() -> None:
    first, rest = journal.line(HEAD) + journal.line(EPOCH), journal.line(Kept("720p", slot(1), 3))
    for rubbish in (b"\0\0\0\n", b"{}\n", b"[]\n", b'{"kind":"segment"}\n', b"\xff\n"):
        ledger = journal.read(first + rubbish + rest)
        assert not ledger.kept
        assert ledger.good == len(first)


def test_lines_of_a_later_version_are_passed_over() -> None:
    later = b'{"kind":"weather","rain":true}\n'
    ledger = journal.read(journal.line(HEAD) + later + journal.line(EPOCH))
    assert ledger.epochs == [EPOCH]
    with pytest.raises(BadJournal):
        journal.read(journal.line(HEAD).replace(b'"version":1', b'"version":2'))


def test_lines_of_an_older_server_do_not_tell_how_a_segment_was_listed() -> None:
    lines = [journal.line(note) for note in (HEAD, NEXT, Kept("720p", slot(1), 3))]
    lines[1] = lines[1].replace(b',"targets":{"duration":2,"part_ms":334}', b"")
    assert not any(b"targets" in each or b"listed" in each for each in lines)
    ledger = journal.read(b"".join(lines))
    assert ledger.epochs == [replace(NEXT, targets=None)]
    assert [one.slot.listed for one in ledger.kept.values()] == [None]


def test_parts_count_as_far_as_their_file_goes() -> None:
    ledger = take(NOTES[:4])
    place = ("720p", 0, 1)
    assert ledger.growing[place] == Kept("720p", slot(1), 30)
    for size, kept in ((30, True), (31, True), (29, False), (-1, False)):
        ledger = take(NOTES[:4])
        ledger.settle({place: size})
        assert (place in ledger.kept) is kept


def test_a_journal_written_anew_says_the_same_and_less() -> None:
    ledger = take(NOTES)
    ledger.settle({("720p", 0, 1): 30, ("720p", 0, 2): 7})
    short = b"".join(ledger.lines())
    assert len(short) < len(WHOLE)
    again = journal.read(short)
    assert again.recording() == ledger.recording()
    assert again.lapses == ledger.lapses


def test_a_fraction_where_none_is_written_ends_what_can_be_read() -> None:
    spoilt = journal.line(NOTES[2]).replace(b'"duration":', b'"duration":0.')
    ledger = journal.read(b"".join(map(journal.line, NOTES[:2])) + spoilt)
    assert ledger.good == len(b"".join(map(journal.line, NOTES[:2])))


def test_segments_of_an_epoch_that_nobody_knows_are_left_out() -> None:
    ledger = take(NOTES)
    ledger.settle({})
    epoch, *others = ledger.epochs
    ledger.epochs = [replace(epoch, number=9), *others]
    assert "720p" in ledger.recording().renditions


@given(st.binary(max_size=300), st.integers(0, len(WHOLE)))
def test_no_rubbish_breaks_the_reader(rubbish: bytes, at: int) -> None:
    try:
        ledger = journal.read(WHOLE[:at] + rubbish + WHOLE[at:])
    except BadJournal:
        return
    if ledger.head is not None:
        ledger.settle({})
        _ = ledger.recording()
