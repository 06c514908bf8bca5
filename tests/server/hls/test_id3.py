"""Rule 17: date ranges in the media, at the time that the playlist says."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

from server.hls.id3 import InBand, emsg, id3
from server.hls.listing import media_playlist
from server.hls.playlist import DateRange
from server.hls.window import Window
from server.lint.boxes import boxes
from tests.server.hls.reader import read
from tests.server.hls.show import PART, PDT, TRACKS, Show

PIN = DateRange("pin-1", "com.example.pin", PDT + 1_100, 60_000, None, (("X-P", "Tasse «é»"),))
PART_MS = PART // 90


def on_air() -> Show:
    window = Window("r1")
    window.in_band = InBand()
    show = Show(window)
    show.epoch()
    return show


def events(show: Show, rendition: str) -> list[tuple[int, Fraction, dict[str, object]]]:
    """Give each event in the parts: index of the part, seconds, what it tells."""
    found = []
    number = 0
    while (body := show.window.renditions[rendition].body(f"r1-p{number}.m4s")) is not None:
        while body[4:8] == b"emsg":
            size = int.from_bytes(body[:4], "big")
            box, body = boxes(body[:size])[0], body[size:]
            scheme, _, rest = box.payload[24:].partition(b"\0")
            assert scheme == b"https://aomedia.org/emsg/ID3"
            at = int.from_bytes(box.payload[8:16], "big")
            told = Fraction(at, int.from_bytes(box.payload[4:8], "big"))
            found.append((number, told, value_of(rest[1:])[1]))
        number += 1
    return found


def value_of(tag: bytes) -> tuple[str, dict[str, object]]:
    """Read an ID3v2.4 tag with one TXXX frame: description and value."""
    assert tag[:6] == b"ID3\x04\0\0"
    assert plain(tag[6:10]) == len(tag) - 10
    assert tag[10:14] == b"TXXX"
    assert plain(tag[14:18]) == len(tag) - 20
    assert tag[20] == 3
    description, _, value = tag[21:].decode().partition("\0")
    return description, json.loads(value)


def plain(synchsafe: bytes) -> int:
    assert all(byte < 128 for byte in synchsafe)
    return int("".join(f"{byte:07b}" for byte in synchsafe), 2)


def test_rule_17_an_event_is_in_the_part_of_its_time_in_every_rendition() -> None:
    show = on_air()
    show.part()
    show.window.annotate((PIN,))
    show.window.annotate((PIN,))
    show.parts(5)
    show.window.annotate((PIN.closed(PDT + 2_500),))
    show.parts(4)
    for track in TRACKS:
        told = events(show, track.name)
        assert [(number, at) for number, at, _ in told] == [
            (1_100 // PART_MS, Fraction(1_100, 1000)),
            (2_500 // PART_MS, Fraction(2_500, 1000)),
        ]
        assert told[0][2] == {"id": "pin-1", "event": "start", "X-P": "Tasse «é»"}
        assert told[1][2]["event"] == "end"


def test_rule_17_an_event_a_little_late_is_in_the_next_part_and_a_later_one_in_none() -> None:
    show = on_air()
    show.parts(8)
    late = replace(PIN, id="pin-2", start_ms=PDT + 2_200)
    show.window.annotate((PIN, late))
    show.parts(2)
    assert [(number, told["id"]) for number, _, told in events(show, "720p")] == [(8, "pin-2")]


def test_rule_17_the_segment_is_its_parts_with_their_events() -> None:
    show = on_air()
    show.window.annotate((PIN,))
    show.segments(1)
    rendition = show.window.renditions["720p"]
    parts = [rendition.body(f"r1-p{number}.m4s") or b"" for number in range(6)]
    assert rendition.body("r1-0.m4s") == b"".join(parts)
    assert b"emsg" in b"".join(parts)
    assert read(media_playlist(show.window, "720p").text()).segments[0].uri == "r1-0.m4s"


def test_rule_17_an_id3_is_at_most_a_kilobyte_and_keeps_the_id() -> None:
    long = tuple((f"X-A{number}", "é" * 120) for number in range(20))
    tag = id3(replace(PIN, attributes=long), "start")
    assert len(tag) <= 1024
    description, told = value_of(tag)
    assert description == "com.example.pin"
    assert told["id"] == "pin-1"
    assert told["X-A0"] == "é" * 120


def test_events_of_one_key_have_one_id() -> None:
    first, again, other = emsg(0, "a", b""), emsg(9, "a", b""), emsg(0, "b", b"")
    assert first[28:32] == again[28:32] != other[28:32]


def test_without_it_the_media_is_as_the_worker_made_it() -> None:
    show = Show(Window("r1"))
    show.epoch()
    show.window.annotate((PIN,))
    expected = show.made("720p").data
    show.parts(6)
    assert show.window.renditions["720p"].body("r1-p0.m4s") == expected
    assert events(show, "720p") == []
