"""HEVC, AV1, VP9 and several tracks into the real server: the right pictures come out."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

from ingest.rtmp.ex_tag import Multitrack, VideoPacketType
from ingest.unit import TICKS_PER_MS, AudioUnit, Unit, VideoConfig, VideoUnit
from tests.helpers import ex_tags, flv_tags
from tests.helpers.clips import Clip, units
from tests.helpers.codec_clip import RATE, write
from tests.helpers.hls_client import Recording, Taken, following
from tests.helpers.rtmp_publisher import RtmpPublisher
from tests.helpers.senders import sending, vitrine_push
from tests.helpers.sight import listen, watch
from tests.helpers.vitrine_server import Api
from tests.interop.on_air import FRAME_MS, LIVE_SECONDS

pytestmark = [pytest.mark.interop, pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

CLIP_SECONDS = 8
SECONDS = 4
SYNC_MS = 60
OTHER = 500
"""Pictures of the track that must not be shown are numbered from here."""


@pytest.mark.parametrize(
    ("video", "audio", "codec", "sound"),
    [
        ("libx265", "aac", "hevc", "aac"),
        ("libsvtav1", "libopus", "av1", "opus"),
        ("libvpx-vp9", "flac", "vp9", "flac"),
    ],
)
async def test_a_codec_of_enhanced_rtmp_is_shown(
    api: Api, tmp_path: Path, video: str, audio: str, codec: str, sound: str
) -> None:
    clip = tmp_path / "clip.mkv"
    await asyncio.to_thread(write, str(clip), video, audio, CLIP_SECONDS)
    made = await api.add_channel(f"from-{codec}")
    url = f"{api.server.rtmp}/{made.stream_key}"
    async with sending(*vitrine_push(clip, url, loop=True)):
        await api.until_state(made.id, "live", LIVE_SECONDS)
        async with following(api.session, f"{api.server.url}/live/{made.id}") as recording:
            await recording.until(enough, 60)
        document = await api.channel(made.id)
    assert (document["ingest"]["video"], document["ingest"]["audio"]) == (codec, sound)
    (taken,) = recording.rungs
    await asyncio.to_thread(judge, taken)


def enough(recording: Recording) -> bool:
    return all(taken.seconds >= SECONDS for taken in recording.renditions.values())


def judge(taken: Taken) -> None:
    """Each picture once, a frame after the last; a beep with every thirtieth of them."""
    seen = watch(taken)
    assert len(seen) == round(taken.seconds * RATE)
    for before, after in pairwise(seen):
        assert after.number == (before.number + 1) % (CLIP_SECONDS * RATE)
        assert after.date_ms - before.date_ms == pytest.approx(FRAME_MS, abs=1.5)
    seconds = [picture.date_ms for picture in seen if picture.number % RATE == 0]
    beeps = listen(taken).dates_ms
    inside = [at for at in seconds if seen[0].date_ms + 500 < at < seen[-1].date_ms - 500]
    assert len(inside) >= SECONDS - 1
    for at in inside:
        assert min(abs(at - beep) for beep in beeps) < SYNC_MS


def tags(layout: Multitrack, shown: list[Unit], hidden: list[Unit]) -> list[tuple[int, bytes]]:
    """Put two clips of one shape into messages: `hidden` is track 1 and goes first."""
    made: list[tuple[int, bytes]] = []
    for first, second in zip(pictures(hidden), pictures(shown), strict=True):
        kind, key = VideoPacketType.CODED_FRAMES, 1
        tracks, at = [], 0
        for number, unit in ((1, first), (0, second)):
            if isinstance(unit, VideoConfig):
                kind, data = VideoPacketType.SEQUENCE_START, unit.extradata
            else:
                at, key = unit.dts // TICKS_PER_MS, 1 if unit.keyframe else 2
                data = ex_tags.avc((unit.pts - unit.dts) // TICKS_PER_MS, unit.data)
            tracks.append((number, "avc1", data))
        apart = [[track] for track in tracks] if layout == Multitrack.ONE_TRACK else [tracks]
        for group in apart:
            tag = ex_tags.video_tracks(layout, kind, group, frame_type=key)
            made += [(at, tag)]
    return made


def pictures(clip: list[Unit]) -> list[VideoConfig | VideoUnit]:
    return [unit for unit in clip if isinstance(unit, VideoConfig | VideoUnit)]


@pytest.mark.parametrize("layout", list(Multitrack))
async def test_of_several_tracks_the_default_one_is_shown(api: Api, layout: Multitrack) -> None:
    shape = Clip(seconds=6, b_frames=2)
    shown = await asyncio.to_thread(units, shape)
    hidden = await asyncio.to_thread(units, shape, OTHER)
    made = await api.add_channel(f"tracks-{layout.name.lower().replace('_', '-')}")
    publisher = await RtmpPublisher.connect(int(api.server.rtmp.split(":")[2].split("/")[0]))
    status = await publisher.publish(made.stream_key, announced={"capsEx": 2.0})
    assert status["code"] == "NetStream.Publish.Start"
    publisher.metadata(framerate=30.0)
    publisher.audio(0, flv_tags.aac_header())
    sounds = [
        (u.pts // TICKS_PER_MS, flv_tags.aac_frame(u.data))
        for u in shown
        if isinstance(u, AudioUnit)
    ]
    media = [(at, 0, tag) for at, tag in tags(layout, shown, hidden)]
    media += [(at, 1, tag) for at, tag in sounds]
    for at, kind, tag in sorted(media, key=lambda item: item[:2]):
        (publisher.audio if kind else publisher.video)(at, tag)
        await publisher.drain()
    await api.until_state(made.id, "live", LIVE_SECONDS)
    async with following(api.session, f"{api.server.url}/live/{made.id}") as recording:
        await recording.until(enough, 60)
        await publisher.end()
    (taken,) = recording.rungs
    numbers = [picture.number for picture in await asyncio.to_thread(watch, taken)]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert numbers[-1] < OTHER
