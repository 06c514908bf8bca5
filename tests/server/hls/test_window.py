from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from server.hls.errors import TargetGrown, WindowError
from server.hls.listing import media_playlist, multivariant_playlist
from server.hls.playlist import DateRange
from server.hls.window import Window
from tests.server.hls.reader import ReadPlaylist, attributes, read
from tests.server.hls.show import AUDIO, PART, PDT, PER_SEGMENT, SMALL, TRACKS, VIDEO, Show, on_air


def playlist(show: Show, name: str = "720p") -> ReadPlaylist:
    return read(media_playlist(show.window, name).text())


def pin(number: int, start_ms: int, end_ms: int | None = None) -> DateRange:
    product = (("X-COM-EXAMPLE-PRODUCT", f"p{number}"),)
    return DateRange(f"pin-{number}", "com.example.pin", start_ms, 30_000, end_ms, product)


def test_rule_1_extinf_rounds_to_at_most_the_target() -> None:
    show = on_air(4)
    read_back = playlist(show)
    assert read_back.target_duration == 2
    assert all(s.duration and round(s.duration) <= 2 for s in read_back.segments)


def test_rule_1_an_epoch_with_longer_segments_is_refused_and_changes_nothing() -> None:
    show = on_air(2)
    epoch = show.epoch()
    before = media_playlist(show.window, "720p")
    longer = replace(epoch, number=9, pdt_ms=PDT + 60_000, segment_target=240_000)
    with pytest.raises(TargetGrown):
        show.window.open_epoch(longer)
    assert media_playlist(show.window, "720p") == before


def test_rule_2_parts_stay_within_the_part_target() -> None:
    show = on_air(3)
    read_back = playlist(show)
    parts = [part for segment in read_back.all_segments for part in segment.parts]
    assert parts
    assert all(part.duration <= read_back.part_target for part in parts)
    assert all(part.duration >= read_back.part_target * Fraction(85, 100) for part in parts)


def test_rule_4_server_control_is_the_same_everywhere() -> None:
    show = on_air(3)
    controls = {playlist(show, t.name).tags["EXT-X-SERVER-CONTROL"] for t in TRACKS}
    assert len(controls) == 1


def test_rule_7_the_hinted_uri_is_the_next_parts_across_segments_and_epochs() -> None:
    show = on_air()
    for step in range(30):
        hint = playlist(show).hints
        assert len(hint) == 1
        assert show.window.renditions["720p"].body(hint[0]["URI"]) is None
        if step == 15:
            show.epoch(after_ms=500)
        show.part()
        newest = playlist(show).all_segments[-1].parts[-1]
        assert newest.uri == hint[0]["URI"]


def test_rule_8_a_next_window_carries_both_sequences_on() -> None:
    first = on_air(3)
    first.epoch(after_ms=1000)
    first.parts(2)
    first.window.end()
    before = playlist(first)
    carried = Window(
        "r2",
        first_msn=first.window.next_msn,
        first_discontinuity=first.window.discontinuity_sequence,
    )
    second = Show(carried, pdt_ms=PDT + 100_000)
    second.epoch()
    second.segments(1)
    after = playlist(second)
    assert after.media_sequence == before.segments[-1].msn + 1
    assert after.segments[0].discontinuity
    assert after.segments[0].discontinuity_number == before.segments[-1].discontinuity_number + 1
    assert {s.uri for s in before.segments}.isdisjoint({s.uri for s in after.segments})


def test_rule_8_discontinuity_sequence_grows_as_the_tag_leaves() -> None:
    show = on_air(2, listed=6)
    show.epoch(after_ms=100)
    seen: list[tuple[int, int]] = []
    for _ in range(12):
        show.segments(1)
        read_back = playlist(show)
        seen += [(s.msn, s.discontinuity_number) for s in read_back.segments]
    assert len(set(seen)) == len({msn for msn, _ in seen})
    assert playlist(show).tags["EXT-X-DISCONTINUITY-SEQUENCE"] == "1"


def test_rule_8_an_epoch_without_media_counts_no_discontinuity() -> None:
    show = on_air(1)
    show.epoch(after_ms=100)
    show.epoch(after_ms=100)
    show.segments(1)
    numbers = [s.discontinuity_number for s in playlist(show).segments]
    assert numbers == [0, 1]


def test_rule_9_six_segments_are_listed_and_old_ones_leave_in_order() -> None:
    show = on_air(10, listed=6)
    assert [s.msn for s in playlist(show).segments] == [4, 5, 6, 7, 8, 9]
    with pytest.raises(ValueError, match="at least 6"):
        Window("r", segments=5)


def test_rule_9_short_segments_never_leave_less_than_three_targets() -> None:
    show = on_air(0, listed=6)
    for _ in range(40):
        show.part(last=True)
    total = sum((s.duration or 0) for s in playlist(show).segments)
    assert 6 <= total < 7


def test_rule_9_a_segment_stays_for_itself_and_the_longest_playlist() -> None:
    show = on_air(7, listed=6)
    body = show.window.renditions["720p"].body
    gone = "r1-0.m4s"
    assert gone not in [s.uri for s in playlist(show).segments]
    show.window.expire(50_000)
    show.window.expire(50_000 + 2_000 + 12_000)
    assert body(gone) is not None
    show.window.expire(50_000 + 2_000 + 15_000)
    assert body(gone) is None
    assert body("r1-1.m4s") is not None


def test_rule_9_a_part_stays_three_targets_after_its_tag_left() -> None:
    show = on_air(5)
    listed = {part.uri for s in playlist(show).all_segments for part in s.parts}
    assert len(listed) == 3 * PER_SEGMENT
    assert "r1-p0.m4s" not in listed
    body = show.window.renditions["720p"].body
    show.window.expire(1_000)
    show.window.expire(1_000 + 5_999)
    assert body("r1-p0.m4s") is not None
    show.window.expire(1_000 + 6_001)
    assert body("r1-p0.m4s") is None
    assert all(body(uri) is not None for uri in listed)


def test_memory_is_bounded_even_if_nobody_tells_the_time() -> None:
    show = on_air(0, listed=6)
    show.segments(150)
    held = show.window.renditions["720p"].held
    show.segments(150)
    assert show.window.renditions["720p"].held <= held + 2 * PER_SEGMENT


def test_rule_10_epoch_is_discontinuity_and_map_in_every_rendition_at_one_msn() -> None:
    show = on_air(2)
    show.parts(2)
    show.epoch(after_ms=700)
    show.parts(1)
    for track in TRACKS:
        read_back = playlist(show, track.name)
        assert read_back.growing is not None
        assert (read_back.growing.msn, read_back.growing.discontinuity) == (3, True)
        assert read_back.growing.map_uri == "init-r1-1.mp4"
        cut = read_back.segments[-1].duration or 0
        assert abs(cut - Fraction(2 * PART, 90_000)) < Fraction(1, 1000)
        assert show.window.renditions[track.name].body("init-r1-1.mp4") == track.init


def test_rule_10_a_rendition_that_lacks_the_last_segment_gets_a_gap() -> None:
    show = on_air(2)
    show.parts(3, without=("360p",))
    show.epoch(after_ms=700)
    show.parts(1)
    whole, lacking = playlist(show), playlist(show, "360p")
    assert lacking.segments[-1].gap
    assert not whole.segments[-1].gap
    assert lacking.segments[-1].duration == whole.segments[-1].duration
    assert [s.msn for s in lacking.all_segments] == [s.msn for s in whole.all_segments]
    assert lacking.segments[-1].pdt_ms == whole.segments[-1].pdt_ms


def test_a_rendition_that_lost_its_track_goes_on_as_gaps() -> None:
    show = on_air(2)
    show.epoch(tracks=(SMALL, AUDIO), after_ms=100)
    show.segments(2)
    gone = playlist(show)
    assert [s.gap for s in gone.segments] == [False, False, True, True]
    assert gone.segments[-1].msn == playlist(show, "360p").segments[-1].msn
    assert [t.name for t in show.window.tracks] == ["360p", "audio"]
    assert len(gone.hints) == 1


def test_a_rendition_that_appears_later_begins_at_its_epoch() -> None:
    show = Show(Window("r1"))
    show.epoch(tracks=(SMALL, AUDIO))
    show.segments(2)
    show.epoch(after_ms=100)
    show.segments(1)
    new, old = playlist(show), playlist(show, "360p")
    assert [s.msn for s in new.segments] == [2]
    assert new.segments[0].discontinuity_number == old.segments[2].discontinuity_number == 1


def test_rule_3_a_rendition_three_segments_behind_gets_gaps_and_late_parts_are_dropped() -> None:
    show = on_air(1)
    show.segments(4, without=("360p",))
    behind = playlist(show, "360p")
    assert [s.gap for s in behind.segments] == [False, True]
    show.window.add(show.made("360p", segment=1, index=0, start=PART * PER_SEGMENT))
    assert playlist(show, "360p").growing is None


def test_a_leap_over_segments_that_nobody_has_is_filled_with_gaps() -> None:
    show = on_air(1)
    show.segment, show.start = 3, 3 * PART * PER_SEGMENT
    show.part()
    segments = playlist(show).all_segments
    assert [s.gap for s in segments] == [False, True, True, False]
    assert [s.pdt_ms for s in segments] == [PDT, PDT + 2000, PDT + 4000, PDT + 6000]


def test_a_leap_at_an_epochs_start_is_a_gap_of_that_epoch() -> None:
    show = on_air(1)
    show.epoch(after_ms=5000)
    show.segment, show.start = 1, PART * PER_SEGMENT
    show.part()
    segments = playlist(show).all_segments
    assert [s.gap for s in segments] == [False, True, False]
    assert [s.discontinuity for s in segments] == [False, True, False]
    assert [s.pdt_ms for s in segments] == [PDT, PDT + 7000, PDT + 9000]
    assert segments[1].duration == 2


def test_rule_3_time_without_media_becomes_gaps_once_half_a_target_overdue() -> None:
    show = on_air(2)
    show.parts(2)
    window = show.window
    end = window.latest_pdt_ms
    assert end is not None
    assert not window.lapse(end + 2_999)
    assert window.next_msn == 3
    assert window.lapse(end + 3_000)
    assert window.lapse(end + 7_000)
    assert not window.lapse(end + 7_000)
    assert window.latest_pdt_ms == end + 6_000
    for name in window.renditions:
        playlist = media_playlist(window, name)
        closed, *gaps = playlist.segments[2:]
        assert (closed.gap, closed.part_count) == (False, 2)
        assert [(s.gap, s.duration) for s in gaps] == [(True, 180_000)] * 3
        assert [s.pdt_ms for s in gaps] == [end, end + 2_000, end + 4_000]
        assert not any(s.discontinuity for s in gaps)
        assert playlist.text().count("#EXT-X-GAP") == 3
        assert playlist.hint is not None


def test_rule_10_media_after_gaps_is_a_discontinuity_and_parts_of_the_lapsed_are_late() -> None:
    show = on_air(1)
    show.parts(2)
    window = show.window
    late = show.made("720p")
    assert window.lapse((window.latest_pdt_ms or 0) + 3_000)
    before = window.next_msn
    window.add(late)
    assert window.next_msn == before
    show.epoch(after_ms=5_000)
    show.segments(1)
    segments = media_playlist(window, "720p").segments
    assert [(s.gap, round(s.duration / 90_000), s.discontinuity) for s in segments[-4:]] == [
        (True, 2, False),
        (True, 2, False),
        (True, 1, False),
        (False, 2, True),
    ], "the hole up to the new epoch is all gaps"
    assert segments[-4].msn == before - 1


def test_a_window_without_media_or_ended_lapses_nothing() -> None:
    assert not Window("r1").lapse(10**12)
    show = on_air(1)
    show.window.end()
    assert not show.window.lapse(10**13)


def test_rules_11_and_12_msn_and_date_are_the_same_in_every_rendition() -> None:
    show = on_air(4)
    dates = [[(s.msn, s.pdt_ms) for s in playlist(show, t.name).segments] for t in TRACKS]
    assert dates[0] == dates[1] == dates[2]
    assert [date for _, date in dates[0]] == [PDT, PDT + 2000, PDT + 4000, PDT + 6000]


def test_rule_13_durations_are_those_of_the_parts_to_a_millisecond() -> None:
    show = Show(Window("r1"))
    show.epoch()
    for index in range(6):
        duration = 30_030 if index % 2 else 28_829
        show.window.add(show.made("720p", index=index, duration=duration, last=index == 5))
    read_back = playlist(show)
    exact = Fraction(3 * 30_030 + 3 * 28_829, 90_000)
    assert abs((read_back.segments[0].duration or 0) - exact) < Fraction(1, 1000)
    assert abs(read_back.segments[0].parts[1].duration - Fraction(30_030, 90_000)) < Fraction(
        1, 1000
    )


def test_a_segment_is_its_parts_in_order() -> None:
    show = on_air(2)
    rendition = show.window.renditions["720p"]
    parts = [rendition.body(f"r1-p{n}.m4s") or b"" for n in range(6, 12)]
    assert rendition.body("r1-1.m4s") == b"".join(parts)
    assert all(parts)


def test_rule_14_bandwidth_is_the_tracks_until_measured_then_the_peak() -> None:
    show = Show(Window("r1"))
    show.epoch(tracks=(VIDEO, AUDIO))
    assert multivariant_playlist(show.window).variants[0].bandwidth == VIDEO.bandwidth
    for size in (40_000, 90_000, 50_000):
        for _ in range(PER_SEGMENT):
            closes = show.index == PER_SEGMENT - 1
            show.window.add(show.made("720p", data=bytes(size), last=closes))
            show.part(without=("720p",))
    measured = multivariant_playlist(show.window).variants[0]
    peak = 90_000 * 6 * 8 // 2
    assert peak <= measured.bandwidth <= peak * 1.1
    assert measured.average_bandwidth == 60_000 * 6 * 8 // 2


def test_rule_14_audio_only_is_listed_last() -> None:
    show = Show(Window("r1"))
    show.epoch(tracks=(AUDIO, VIDEO))
    names = [v.uri for v in multivariant_playlist(show.window).variants]
    assert names == ["720p/index.m3u8", "audio/index.m3u8"]


def test_rendition_reports_tell_of_all_others() -> None:
    show = on_air(2)
    show.parts(2)
    assert playlist(show).reports == [
        {"URI": f"../{name}/index.m3u8", "LAST-MSN": "2", "LAST-PART": "1"}
        for name in ("360p", "audio")
    ]


def test_rule_16_every_media_playlist_repeats_every_date_range() -> None:
    show = on_air(2)
    show.window.annotate((pin(1, PDT + 100), pin(2, PDT + 900)))
    show.window.annotate((pin(1, PDT + 100, PDT + 2_100),))
    for track in TRACKS:
        ranges = playlist(show, track.name).ranges
        assert list(ranges) == ["pin-1", "pin-2"]
        assert ranges["pin-1"]["DURATION"] == "2.000"
        assert "DURATION" not in ranges["pin-2"]


def test_rule_16_no_value_changes_under_an_id() -> None:
    show = on_air(1)
    closed = pin(1, PDT, PDT + 500)
    show.window.annotate((closed,))
    for changed in (pin(1, PDT), pin(1, PDT, PDT + 501), pin(1, PDT + 1, PDT + 500)):
        with pytest.raises(WindowError, match="under its id"):
            show.window.annotate((pin(7, PDT), changed))
    assert show.window.date_ranges == (closed,)


def test_rule_16_a_range_leaves_when_it_maps_to_no_listed_segment() -> None:
    show = on_air(1, listed=6)
    show.window.annotate((pin(1, PDT, PDT + 1000), pin(2, PDT), pin(3, PDT, PDT + 4_500)))
    show.segments(7)
    assert list(playlist(show).ranges) == ["pin-2", "pin-3"]
    show.window.annotate((pin(1, PDT, PDT + 1000),))
    assert list(playlist(show).ranges) == ["pin-2", "pin-3"]


def test_rule_16_at_endlist_every_range_is_closed_and_nothing_is_hinted() -> None:
    show = on_air(2)
    show.parts(2, without=("360p",))
    show.window.annotate((pin(1, PDT + 1_000), pin(2, PDT + 90_000)))
    show.window.end()
    show.window.end()
    for track in TRACKS:
        read_back = playlist(show, track.name)
        assert read_back.ended
        assert not read_back.hints
        assert read_back.growing is None
        assert [s.msn for s in read_back.segments] == [0, 1, 2]
        assert list(read_back.ranges) == ["pin-1"]
        assert read_back.ranges["pin-1"]["DURATION"] == "3.667"
    text = media_playlist(show.window, "720p").text()
    show.window.annotate((pin(3, PDT),))
    assert media_playlist(show.window, "720p").text() == text


def test_what_does_not_follow_is_refused_and_changes_nothing() -> None:
    show = on_air(1)
    show.part()
    before = {t.name: media_playlist(show.window, t.name) for t in TRACKS}
    wrong = [
        show.made("720p", epoch=5),
        show.made("1080p"),
        show.made("720p", index=0),
        show.made("720p", index=2),
        show.made("720p", duration=0),
        show.made("720p", start=-1),
        show.made("720p", segment=10**9, index=0),
    ]
    for part in wrong:
        with pytest.raises(WindowError):
            show.window.add(part)
    assert {t.name: media_playlist(show.window, t.name) for t in TRACKS} == before


def test_an_epoch_may_not_begin_before_the_last_segment() -> None:
    show = on_air(1)
    show.parts(2)
    for earlier in (-700, -1500):
        with pytest.raises(WindowError, match="before the last segment"):
            show.epoch(after_ms=earlier)
        show.pdt_ms = PDT
        show.start = 8 * PART
    show.epoch(after_ms=-600)


def test_what_the_run_carries_for_others() -> None:
    show = on_air(2)
    show.part()
    assert show.window.run == "r1"
    assert show.window.latest_pdt_ms == PDT + 4333
    assert show.window.next_msn == 3
    assert show.window.discontinuity_sequence == 1
    assert attributes("A=1,B=2") == {"A": "1", "B": "2"}
