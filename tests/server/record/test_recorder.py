"""Sessions become recordings: as they are, across epochs and losses."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from server.channel import Session
from server.errors import Conflict, NotFound
from server.hls.answer import Answer
from server.hls.edge import Edge
from server.hls.playlist import DateRange
from server.record.storage import home
from server.shop.timeline import Event, EventKind
from tests.server.hls.show import AUDIO, PART, PER_SEGMENT, VIDEO, Show
from tests.server.record.deck import CHANNEL, SESSION, deck

SEGMENT_MS = PART * PER_SEGMENT // 90


def pin(ms: int, kind: EventKind = EventKind.PIN, name: str = "p1") -> Event:
    return Event(
        id=f"{kind}-{name}", kind=kind, pin=name, product_id="cup", revision=3,
        t_media=ms, t_wall=ms, actor="anchor", burned=False,
    )  # fmt: skip


async def test_a_replay_is_the_live_segments_as_they_were(tmp_path: Path) -> None:
    async with deck(tmp_path) as here:
        show = await here.on_air(4)
        show.parts(2)
        live = {name: list(r.segments) for name, r in show.window.renditions.items()}
        bodies = {
            (name, each.uri): show.window.renditions[name].body(each.uri)
            for name, some in live.items()
            for each in some
        }
        entry = await here.end(show)
        assert (entry.gaps, entry.title) == (0, "Tea at five")
        assert entry.duration_ms == 4 * SEGMENT_MS + 2 * PART // 90
        for name, some in live.items():
            replay = await here.playlist(name)
            assert [s.uri for s in replay.segments][:4] == [s.uri for s in some]
            assert [s.pdt_ms for s in replay.segments][:4] == [s.pdt_ms for s in some]
            assert [s.map_uri for s in replay.segments][:4] == [s.map_uri for s in some]
            assert len(replay.segments) == 5  # the last is as far as the session went
            for each in some:
                assert (await here.media(each.uri, name)).body == bodies[name, each.uri]
            last = await here.media(replay.segments[4].uri or "", name)
            assert last.body.count(b";") == 2


async def test_a_replay_playlist_is_vod_and_keeps_its_rules(tmp_path: Path) -> None:
    async with deck(tmp_path) as here:
        show = await here.on_air(3)
        show.epoch(after_ms=20_000)
        show.segments(2)
        await here.end(show)
        replay = await here.playlist()
        assert replay.ended
        assert replay.tags["EXT-X-PLAYLIST-TYPE"] == "VOD"
        assert replay.target_duration == 2
        assert [s.discontinuity for s in replay.segments] == [False] * 3 + [True, False]
        assert all(s.pdt_ms is not None for s in replay.segments)
        assert replay.segments[3].map_uri != replay.segments[2].map_uri
        # Nobody broadcast for 20 s: that is no hole in the recording.
        assert not any(s.gap for s in replay.segments)
        text = (await here.library.playlist(CHANNEL, SESSION, None)).body.decode()
        uris = [line for line in text.splitlines() if not line.startswith("#")]
        assert uris == ["720p/index.m3u8", "360p/index.m3u8", "audio/index.m3u8"]
        assert text.count("BANDWIDTH=") == 2 * 3  # AVERAGE-BANDWIDTH too
        assert 'CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=30.000' in text


async def test_a_session_on_the_air_is_to_be_seen_live(tmp_path: Path) -> None:
    async with deck(tmp_path) as here:
        await here.on_air(2)
        with pytest.raises(Conflict, match="see /live/tea") as refused:
            await here.playlist()
        assert refused.value.code == "on-air"
        with pytest.raises(NotFound):
            await here.playlist(session="01KE00000000000000000000ZZ")
        with pytest.raises(NotFound):
            await here.library.recording("..", SESSION)


async def test_an_epoch_without_a_rendition_is_a_gap_of_its_length_there(tmp_path: Path) -> None:
    async with deck(tmp_path) as here:
        show = await here.on_air(2)
        show.epoch((AUDIO,))
        show.segments(2)
        show.epoch((VIDEO, AUDIO))
        show.segments(1)
        await here.end(show)
        sound, picture, small = [await here.playlist(n) for n in ("audio", "720p", "360p")]
        assert [s.gap for s in sound.segments] == [False] * 5
        assert [s.gap for s in picture.segments] == [False, False, True, True, False]
        assert [s.gap for s in small.segments] == [False, False, True, True, True]
        for one in (picture, small):
            assert [s.pdt_ms for s in one.segments] == [s.pdt_ms for s in sound.segments]
            assert [s.discontinuity for s in one.segments] == [
                s.discontinuity for s in sound.segments
            ]
        with pytest.raises(NotFound):
            await here.media(picture.segments[2].uri or "")


async def test_what_was_on_show_is_kept_with_it_and_closed(tmp_path: Path) -> None:
    async with deck(tmp_path) as here:
        show = await here.on_air()
        start = show.pdt_ms
        show.segments(3)
        await here.store.open_session(CHANNEL, session_of(show))
        await here.store.append(CHANNEL, SESSION, [pin(start + 1000)])
        here.recorder.annotate(SESSION, ())
        await here.recorder.settle()
        await here.written()
        end = show.window.latest_pdt_ms or 0
        closing = [pin(end, EventKind.UNPIN), pin(end, EventKind.HIDDEN)]
        await here.store.close_session(CHANNEL, SESSION, end, closing)
        await here.end(show)
        replay = await here.playlist()
        (tag,) = replay.ranges.values()
        assert tag["ID"] == "pin-p1"
        assert tag["X-VITRINE-PRODUCT"] == "cup"
        assert float(tag["DURATION"]) == (end - start - 1000) / 1000
        assert "END-DATE" in tag
        told = json.loads((await here.library.timeline(CHANNEL, SESSION)).body)
        assert [interval["product_id"] for interval in told["intervals"]] == ["cup"]
        assert told["ended_at"] == told["intervals"][0]["end"]
        assert [event["kind"] for event in told["events"]] == ["pin", "unpin", "hidden"]


async def test_a_removed_channels_recording_keeps_what_was_on_show(tmp_path: Path) -> None:
    async with deck(tmp_path) as here:
        show = await here.on_air(2)
        await here.store.open_session(CHANNEL, session_of(show))
        await here.store.append(CHANNEL, SESSION, [pin(show.pdt_ms + 500)])
        tag = DateRange("pin-p1", "com.x.pin", show.pdt_ms + 500, 1000, None, (("X-P", "cup"),))
        here.recorder.annotate(SESSION, (tag,))
        await here.recorder.settle()
        await here.written()
        assert await here.store.remove_channel(CHANNEL)
        await here.end(show)
        end_ms = show.window.latest_pdt_ms or 0
        (kept,) = (await here.library.recording(CHANNEL, SESSION)).ranges
        assert kept == tag.closed(end_ms)
        told = json.loads((await here.library.timeline(CHANNEL, SESSION)).body)
        assert [interval["end"] for interval in told["intervals"]] == [told["ended_at"]]


async def test_a_session_of_which_nothing_was_recorded_leaves_nothing(tmp_path: Path) -> None:
    async with deck(tmp_path) as here:
        show = await here.on_air()
        await here.recorder.session_ended(CHANNEL, SESSION, show.pdt_ms)
        async with asyncio.timeout(10):
            while here.recorder.unsealed:
                await here.recorder.settle()
        assert await here.store.recordings.get(CHANNEL, SESSION) is None
        assert not await asyncio.to_thread((tmp_path / home(CHANNEL, SESSION)).exists)


async def test_the_tape_is_the_windows_archive(tmp_path: Path) -> None:
    async with deck(tmp_path) as here:
        show = await here.on_air(dvr_seconds=120)
        for _ in range(40):
            show.segments(1)
            await here.written()
        rendition = show.window.renditions["720p"]
        assert len(rendition.segments) == 40
        assert rendition.body("r1-1.m4s") is None
        assert here.tape().holds("720p", "r1-1.m4s")
        assert (await here.tape().read("720p", "r1-1.m4s") or b"").count(b";") == PER_SEGMENT
        assert not here.tape().holds("720p", "r1-99.m4s")
        assert await here.tape().read("720p", "r1-99.m4s") is None
        await here.storage.remove(f"{home(CHANNEL, SESSION)}/720p/r1-1.m4s")
        assert await here.tape().read("720p", "r1-1.m4s") is None
        assert not here.tape().holds("720p", "r1-1.m4s")


def session_of(show: Show) -> Session:
    return Session(SESSION, show.pdt_ms)


async def test_the_edge_serves_from_disk_what_memory_let_go(tmp_path: Path) -> None:
    async with deck(tmp_path) as here:
        show = await here.on_air(dvr_seconds=120)
        for _ in range(30):
            show.segments(1)
            await here.written()
        edge = Edge(show.window, here.clock)
        first = show.window.renditions["720p"].segments[0]
        assert show.window.renditions["720p"].body(first.uri) is None
        answer = await edge.media("720p", first.uri)
        assert isinstance(answer, Answer)
        assert answer.body.count(b";") == PER_SEGMENT
        edge.close()
