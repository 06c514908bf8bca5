"""Whatever the worker and the shop do, in any order, the playlists keep their promises."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from server.hls.listing import media_playlist
from server.hls.playlist import DateRange
from server.hls.window import Window
from tests.server.hls.reader import ReadPlaylist, read
from tests.server.hls.show import AUDIO, PDT, SMALL, TRACKS, VIDEO, Show

NAMES = tuple(track.name for track in TRACKS)
STEPS = st.one_of(
    st.tuples(st.just("parts"), st.integers(1, 40), st.sets(st.sampled_from(NAMES), max_size=2)),
    st.tuples(st.just("short"), st.just(1), st.sets(st.sampled_from(NAMES), max_size=2)),
    st.tuples(
        st.just("epoch"),
        st.integers(0, 5000),
        st.sampled_from([TRACKS, (VIDEO, AUDIO), (SMALL, AUDIO), (AUDIO,)]),
    ),
    st.tuples(st.just("pin"), st.integers(0, 9), st.integers(-3000, 3000)),
    st.tuples(st.just("unpin"), st.integers(0, 9), st.integers(0, 3000)),
)


@dataclass
class Watcher:
    """Remembers what one rendition's playlists said, and holds the next one to it."""

    playlist: ReadPlaylist | None = None
    segments: dict[int, tuple[object, ...]] = field(default_factory=dict)
    ranges: dict[str, dict[str, str]] = field(default_factory=dict)
    part_uris: dict[tuple[int, int], str] = field(default_factory=dict)

    def look(self, playlist: ReadPlaylist) -> None:
        before, self.playlist = self.playlist, playlist
        assert len(playlist.hints) == (0 if playlist.ended else 1)
        if before is not None:
            assert playlist.media_sequence >= before.media_sequence
            sequence = int(playlist.tags["EXT-X-DISCONTINUITY-SEQUENCE"])
            assert sequence >= int(before.tags["EXT-X-DISCONTINUITY-SEQUENCE"])
            assert playlist.target_duration == before.target_duration
            assert playlist.part_target == before.part_target
            last = before.media_sequence + len(before.segments)
            assert playlist.media_sequence + len(playlist.segments) >= last
        self._segments(playlist)
        for key, pairs in playlist.ranges.items():
            known = self.ranges.setdefault(key, pairs)
            assert {name: pairs[name] for name in known} == known
            self.ranges[key] = pairs

    def _segments(self, playlist: ReadPlaylist) -> None:
        date = 0
        for segment in playlist.all_segments:
            assert segment.pdt_ms is not None
            assert segment.pdt_ms >= date
            date = segment.pdt_ms
            if segment.duration is not None:
                assert round(segment.duration) <= playlist.target_duration
                span = (segment.uri, segment.pdt_ms, segment.duration)
                said = (*span, segment.gap, segment.discontinuity_number)
                assert self.segments.setdefault(segment.msn, said) == said
            if segment.parts:
                assert segment.map_uri is not None
            for index, part in enumerate(segment.parts):
                assert part.duration <= playlist.part_target
                uri = self.part_uris.setdefault((segment.msn, index), part.uri)
                assert uri == part.uri


def pin(number: int, start_ms: int, end_ms: int | None = None) -> DateRange:
    product = (("X-COM-EXAMPLE-PRODUCT", f"p{number}"),)
    return DateRange(f"pin-{number}", "com.example.pin", start_ms, 30_000, end_ms, product)


def take(show: Show, pins: dict[int, DateRange], step: tuple[str, int, object]) -> None:
    """Do one thing that a worker or the shop may do."""
    kind, number, detail = step
    now_ms = show.window.latest_pdt_ms or PDT
    if kind == "parts" and isinstance(detail, set):
        show.parts(number, without=tuple(detail))
    elif kind == "short" and isinstance(detail, set):
        show.part(without=tuple(detail), last=True)
    elif kind == "epoch" and isinstance(detail, tuple):
        show.epoch(tracks=detail, after_ms=number + 1)
    elif kind == "pin" and isinstance(detail, int) and number not in pins:
        pins[number] = pin(number, now_ms + detail)
        show.window.annotate((pins[number],))
    elif kind == "unpin" and isinstance(detail, int) and number in pins:
        if pins[number].end_ms is None:
            pins[number] = pins[number].closed(now_ms + detail)
        show.window.annotate((pins[number],))


@given(st.lists(STEPS, max_size=25), st.integers(0, 1000))
def test_promises_hold_over_any_show(steps: list[tuple[str, int, object]], first_msn: int) -> None:
    show = Show(Window("r1", first_msn=first_msn, segments=6))
    show.epoch()
    pins: dict[int, DateRange] = {}
    watchers = {name: Watcher() for name in NAMES}
    for step in steps:
        take(show, pins, step)
        look(show, watchers)
    show.window.end()
    look(show, watchers)
    ends = {name: w.playlist for name, w in watchers.items() if w.playlist}
    assert all(p.ended for p in ends.values())
    assert len({p.media_sequence + len(p.segments) for p in ends.values()}) == 1
    assert all("DURATION" in r for p in ends.values() for r in p.ranges.values())


def look(show: Show, watchers: dict[str, Watcher]) -> None:
    """Read every rendition, and hold them against each other."""
    numbers: dict[int, int] = {}
    for name in show.window.renditions:
        playlist = read(media_playlist(show.window, name).text())
        watchers[name].look(playlist)
        rendition = show.window.renditions[name]
        for segment in playlist.segments:
            shared = numbers.setdefault(segment.msn, segment.discontinuity_number)
            assert shared == segment.discontinuity_number
            assert (rendition.body(segment.uri or "") is None) == segment.gap
            assert all(rendition.body(part.uri) is not None for part in segment.parts)
            assert segment.gap or rendition.body(segment.map_uri or "") is not None
