"""What a new worker hears after Open."""

from __future__ import annotations

from fractions import Fraction

from ingest.unit import AudioCodec, AudioConfig, StreamInfo, VideoCodec, VideoConfig
from overlay.scene import Scene
from transcode.briefing import Briefing
from transcode.message import Feed, Interrupt, Show

INFO = StreamInfo(frame_rate=Fraction(30))
VIDEO = VideoConfig(VideoCodec.VP8, b"")
AUDIO = AudioConfig(AudioCodec.OPUS, b"", 48_000, 2)
GONE = Interrupt(slate=True, title="Tea")


def test_the_newest_of_each_opening_and_the_scenes_are_told() -> None:
    briefing = Briefing()
    for unit in (INFO, AudioConfig(AudioCodec.MP3, b"", 44_100, 1), VIDEO, AUDIO):
        briefing.opening(unit)
    briefing.show(Scene("one"), 5)
    briefing.show(Scene("two"), 9)
    briefing.drawn("two")
    told = [Feed(INFO, 7), Feed(AUDIO, 7), Feed(VIDEO, 7), Show(Scene("two"), 9)]
    assert list(briefing.messages(7)) == told


def test_an_interruption_is_told_first_until_a_publisher_is_back() -> None:
    briefing = Briefing()
    briefing.opening(VIDEO)
    briefing.show(Scene("one"), 5)
    briefing.interrupt(GONE)
    assert list(briefing.messages(7)) == [GONE, Show(Scene("one"), 5)]
    briefing.opening(AUDIO)
    assert next(briefing.messages(7)) == GONE
    briefing.resume()
    assert list(briefing.messages(7)) == [Feed(AUDIO, 7), Show(Scene("one"), 5)]


def test_what_a_publisher_said_is_forgotten_with_it() -> None:
    briefing = Briefing()
    briefing.opening(VIDEO)
    briefing.splice()
    assert list(briefing.messages(7)) == []
