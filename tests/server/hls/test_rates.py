"""At every frame rate and part length: cut, listed, and judged by the linter's own rules."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from struct import pack

import pytest

from server.hls.listing import media_playlist
from server.hls.window import Window
from server.lint.course import Course
from server.lint.ensemble import Ensemble
from server.lint.lane import Lane
from server.lint.notes import Notes
from server.lint.reader import read
from tests.server.lint.origin import AVCC, PDT
from transcode.cutter import Cutter
from transcode.fmp4 import AudioTrack, VideoTrack, init_section
from transcode.ladder import AAC_FRAME, DEFAULT, Ladder, resolve
from transcode.part import Epoch, Part, Track

SEGMENTS = 3
RATES = (
    Fraction(30000, 1001), Fraction(24000, 1001), Fraction(60000, 1001), Fraction(15),
    Fraction(24), Fraction(25), Fraction(30), Fraction(48), Fraction(50), Fraction(60),
    Fraction(17), Fraction(2997, 100),
)  # fmt: skip
LENGTHS = (Fraction(1, 5), Fraction(333, 1000), Fraction(1))
AUDIO = AudioTrack(b"\x11\x90", 48_000, 2)
VIDEO = VideoTrack(AVCC, 640, 360)


class Show:
    """Two rungs and the sound, cut on one grid."""

    def __init__(self, ladder: Ladder) -> None:
        self.ladder = ladder
        codecs = "avc1.42c01e,mp4a.40.2"
        both, alone = init_section(VIDEO, AUDIO), init_section(None, AUDIO)
        self.tracks = (
            Track("360p", codecs, 900_000, 640, 360, ladder.frame_rate, both),
            Track("180p", codecs, 400_000, 640, 360, ladder.frame_rate, both),
            Track("audio", "mp4a.40.2", 64_000, init=alone),
        )
        self.cutters = {
            track.name: Cutter(track.name, 0, ladder, VIDEO if track.width else None, AUDIO)
            for track in self.tracks
        }
        self.window = Window("r1")
        self.window.open_epoch(
            Epoch(0, 0, PDT, ladder.part_target, ladder.segment_target, self.tracks)
        )

    def frame(self, number: int, sounds: range) -> list[Part]:
        """Give the parts that a picture, and sound up to its end, complete."""
        key = number % self.ladder.frames_per_segment == 0
        picture = pack(">IB", 101, 0x65 if key else 0x41) + bytes(100)
        made: list[Part] = []
        for track in self.tracks:
            cutter = self.cutters[track.name]
            if track.width:
                made += cutter.video(picture, key)
            for _ in sounds:
                made += cutter.audio(bytes(50))
        return made


class Judge:
    """The linter's rules on one window, without a network."""

    def __init__(self, show: Show) -> None:
        self.notes = Notes()
        urls = {track.name: f"http://x/{track.name}/index.m3u8" for track in show.tracks}
        ensemble = Ensemble(urls, self.notes)
        self.courses = {name: Course(name, self.notes, ensemble) for name in urls}
        self.lanes = {name: Lane(name, None, self.notes, ensemble) for name in urls}
        for track in show.tracks:
            self.lanes[track.name].init("init-r1-0.mp4", track.init)

    def look(self, window: Window, part: Part) -> None:
        """Judge a rendition's playlist and its newest part."""
        name = part.rendition
        playlist = read(media_playlist(window, name).text())
        self.courses[name].take(playlist)
        lane, newest = self.lanes[name], playlist.all_segments[-1]
        lane.part(newest, len(newest.parts) - 1, newest.parts[-1], part.data)
        if newest.duration is not None:
            lane.whole(newest)
            body = window.renditions[name].body(newest.uri or "") or b""
            lane.segment(newest, body, [])


@pytest.mark.parametrize("length", LENGTHS, ids=str)
@pytest.mark.parametrize("rate", RATES, ids=str)
def test_rules_1_2_4_7_8_10_to_13_and_18_at_every_frame_rate(
    rate: Fraction, length: Fraction
) -> None:
    ladder = resolve(replace(DEFAULT, part_seconds=length), 640, 360, rate)
    show = Show(ladder)
    judge = Judge(show)
    heard = 0
    for number in range(SEGMENTS * ladder.frames_per_segment):
        ends = Fraction(number + 1) / ladder.frame_rate * ladder.sample_rate
        more = range(heard, -(-ends // AAC_FRAME))
        heard = max(heard, more.stop)
        for part in show.frame(number, more):
            show.window.add(part)
            # No playlist is served before it has a whole segment.
            if all(each.segments for each in show.window.renditions.values()):
                judge.look(show.window, part)
    verdicts = judge.notes.verdicts()
    assert {v.rule.number: v.faults for v in verdicts if v.faults} == {}
    seen = {v.rule.number for v in verdicts if v.seen}
    assert seen >= {1, 2, 4, 7, 8, 10, 11, 12, 13, 18}
