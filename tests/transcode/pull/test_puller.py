"""The puller as a process, at real servers: what it sends, and what it says when it cannot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from ingest.unit import AudioConfig, AudioUnit, StreamInfo, VideoCodec, VideoConfig, VideoUnit
from tests.helpers.clips import Clip, read_number, write
from tests.helpers.pulling import Heard, pulling
from tests.helpers.rtsp_camera import Camera, filming
from tests.helpers.web_files import WebFiles, offering
from transcode.decode import AudioDecoder, VideoDecoder

pytestmark = pytest.mark.slow  # a process each, in real time

CLIP = Clip(seconds=1.0, b_frames=2)
KINDS = {
    "clip.mp4": "mp4", "clip.ts": "mpegts", "clip.flv": "flv", "clip.mkv": "matroska",
}  # fmt: skip
PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n"


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[WebFiles]:
    for name, container in KINDS.items():
        await asyncio.to_thread(write, CLIP, tmp_path / name, container)
    texts = {
        "good.m3u8": PLAYLIST.format("clip.ts"),
        "gap.m3u8": PLAYLIST.format("none.ts\n#EXT-X-DISCONTINUITY\n#EXTINF:1,\nclip.ts"),
        "file.m3u8": PLAYLIST.format(f"file://{tmp_path}/clip.ts"),
        "tcp.m3u8": PLAYLIST.format("tcp://127.0.0.1:1/clip.ts"),
        "key.m3u8": PLAYLIST.format('#EXT-X-KEY:METHOD=AES-128,URI="clip.ts"\nclip.ts'),
        "list.ffconcat": "ffconcat version 1.0\nfile clip.ts\n",
        "camera.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=video 9 RTP/AVP 96\n"
        "c=IN IP4 127.0.0.1\na=rtpmap:96 H264/90000\n",
        "text.mp4": "no media " * 1_000,
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    async with offering(WebFiles(tmp_path)) as files:
        yield files


def decoded(heard: Heard) -> list[int]:
    """Decode all that was heard; give the pictures' numbers. Fails on any damage."""
    (video,), (audio,) = heard.of(VideoConfig), heard.of(AudioConfig)
    broken: list[int] = []
    pictures = VideoDecoder(video, lambda: broken.append(1))
    sound = AudioDecoder(audio, lambda: broken.append(2))
    frames = [frame for unit in heard.of(VideoUnit) for frame in pictures.decode(unit)]
    frames += pictures.flush()
    samples = sum(one.samples for unit in heard.of(AudioUnit) for one in sound.decode(unit))
    assert broken == []
    assert samples >= 46_000
    return [read_number(np.asarray(one.to_ndarray(format="gray"), np.uint8)) for one in frames]


@pytest.mark.parametrize("name", [*KINDS, "good.m3u8", "gap.m3u8"])
async def test_every_kind_of_file_becomes_units_that_decode(web: WebFiles, name: str) -> None:
    async with pulling(f"{web.url}/{name}") as heard:
        assert await heard.to_the_end() == ""
    (info,) = heard.of(StreamInfo)
    assert (info.width, info.height, info.frame_rate) == (320, 180, Fraction(30))
    assert decoded(heard) == list(range(CLIP.frames))
    assert heard.of(VideoUnit)[0].keyframe
    assert all(one.dts <= two.dts for one, two in pairwise(heard.of(VideoUnit)))
    audio = heard.of(AudioConfig)[0]
    assert (audio.sample_rate, audio.channels, audio.extradata[:2]) == (48_000, 2, b"\x11\x90")


async def test_a_phones_film_says_how_it_is_turned(web: WebFiles) -> None:
    with av.open(str(web.folder / "turned.mp4"), "w") as made:
        stream = made.add_stream("libx264", 30, width=64, height=48, pix_fmt="yuv420p")
        stream.set_display_rotation(90)
        for _ in range(5):
            made.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        made.mux(stream.encode(None))
    async with pulling(f"{web.url}/turned.mp4") as heard:
        assert await heard.to_the_end() == ""
    assert [config.rotation for config in heard.of(VideoConfig)] == [90]
    assert len(heard.of(VideoUnit)) == 5


async def test_a_loop_has_one_time(web: WebFiles) -> None:
    async with pulling(f"{web.url}/clip.mp4", loop=True) as heard:
        await heard.until(lambda: len(heard.of(VideoUnit)) >= 3 * CLIP.frames)
    pictures = heard.of(VideoUnit)
    steps = [two.dts - one.dts for one, two in pairwise(pictures)]
    assert all(2_900 <= step <= 6_000 for step in steps), steps
    assert len(heard.of(VideoConfig)) == 1
    assert sum(unit.keyframe for unit in pictures[: 3 * CLIP.frames]) == 3


async def test_a_live_playlist_has_ended_when_it_says_so(web: WebFiles) -> None:
    live = PLAYLIST.format("clip.ts").replace("#EXT-X-ENDLIST\n", "")
    path = web.folder / "live.m3u8"
    path.write_text(live, encoding="utf-8")
    async with pulling(f"{web.url}/live.m3u8") as heard:
        await heard.until(lambda: bool(heard.of(VideoUnit)))
        path.write_text(live + "#EXT-X-ENDLIST\n", encoding="utf-8")
        assert await heard.to_the_end() == ""


async def test_a_camera_tells_its_parameter_sets_beside_the_picture(web: WebFiles) -> None:
    camera = Camera(Clip(seconds=1.0), login="ann:s3cret")
    async with filming(camera) as url:
        async with pulling(url.replace("://", "://ann:s3cret@")) as heard:
            await heard.until(lambda: len(heard.of(VideoUnit)) >= 45)
        async with pulling(url.replace("://", "://ann:wrong@")) as turned_away:
            assert "user and password" in await turned_away.to_the_end()
    (config,) = heard.of(VideoConfig)
    assert config.codec is VideoCodec.H264
    assert config.extradata.startswith(b"\x00\x00\x00\x01g")
    numbers = decoded(heard)
    assert len(numbers) >= 40
    assert all(b == (a + 1) % 30 for a, b in pairwise(numbers))


async def test_a_camera_cannot_send_us_elsewhere() -> None:
    other = Camera()
    async with filming(other) as secret, filming(Camera(redirect=secret)) as url:
        async with pulling(url) as heard:
            assert "redirects" in await heard.to_the_end()
    assert other.asked == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none.mp4", "404"),
        ("text.mp4", "read as media"),
        ("list.ffconcat", "read as media"),
        ("camera.sdp", "read as media"),
        ("file.m3u8", ""),
        ("tcp.m3u8", ""),
        ("key.m3u8", "encrypted"),
        ("moved?to=file:///etc/passwd", "redirects to an address"),
        ("moved?to=rtsp://127.0.0.1/", "not http or https"),
        ("moved?to=/moved?to=/moved", "status 500"),
        ("moved?to=http://127.0.0.1:1/", "connection refused"),
    ],
)
async def test_what_cannot_be_read_is_told_in_words(web: WebFiles, name: str, said: str) -> None:
    async with pulling(f"{web.url}/{name}", open_seconds=2.0, silence_seconds=2.0) as heard:
        reason = await heard.to_the_end()
    assert reason
    assert said in reason
    assert "127.0.0.1" not in reason
    assert not heard.of(VideoUnit)
    assert not heard.of(AudioUnit)


async def test_an_index_at_the_end_is_named_where_the_server_gives_no_parts(
    tmp_path: Path,
) -> None:
    clip = Clip(seconds=2.0, width=640, height=360)
    await asyncio.to_thread(write, clip, tmp_path / "late.mp4", "mp4")
    async with offering(WebFiles(tmp_path, ranges=False)) as web:
        async with pulling(f"{web.url}/late.mp4") as heard:
            reason = await heard.to_the_end()
    assert "index (moov) is at its end" in reason
    assert "+faststart" in reason
    assert heard.units == [], "nothing of it was read"


async def test_redirects_are_followed(web: WebFiles) -> None:
    async with pulling(f"{web.url}/moved?to=/moved?to=/clip.mp4") as heard:
        assert await heard.to_the_end() == ""
    assert decoded(heard) == list(range(CLIP.frames))


async def test_nothing_of_this_machine_is_read_unless_it_may_be(web: WebFiles) -> None:
    for url in (web.url, web.url.replace("127.0.0.1", "localhost"), "rtsp://2130706433:1"):
        async with pulling(f"{url}/clip.mp4", allow_private=False) as heard:
            assert "allow_private" in await heard.to_the_end()
    assert web.asked == []


async def test_a_password_is_sent_and_asked_for(web: WebFiles) -> None:
    async with pulling(web.url.replace("://", "://ann:p%40ss@") + "/clip.flv") as heard:
        assert await heard.to_the_end() == ""
    assert ("/clip.flv", "Basic YW5uOnBAc3M=") in web.asked


async def test_a_packet_over_the_limit_ends_it(web: WebFiles) -> None:
    async with pulling(f"{web.url}/clip.mp4", max_packet=500) as heard:
        assert "too large" in await heard.to_the_end()


async def test_a_source_that_goes_silent_has_ended() -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        for scheme in ("http", "rtsp", "rtmp"):
            url = f"{scheme}://127.0.0.1:{port}/live/x"
            async with pulling(url, open_seconds=1.0, silence_seconds=1.0) as heard:
                assert "silent" in await heard.to_the_end()


async def test_it_ends_when_the_server_is_no_more(web: WebFiles) -> None:
    async with pulling(f"{web.url}/clip.mp4", loop=True) as heard:
        await heard.until(lambda: bool(heard.units))
        assert await heard.process.end() == 0, "by itself, not by force"


async def test_sound_without_a_picture_is_a_source_a_cover_is_no_picture(
    web: WebFiles, tmp_path: Path
) -> None:
    await asyncio.to_thread(write, Clip(seconds=1.0, video=False), tmp_path / "a.mp4", "mp4")
    async with pulling(f"{web.url}/a.mp4") as heard:
        assert await heard.to_the_end() == ""
    assert heard.of(AudioUnit)
    assert heard.of(VideoConfig) == []


async def test_a_codec_that_is_not_read_is_named(web: WebFiles, tmp_path: Path) -> None:
    def make() -> None:
        with av.open(str(tmp_path / "odd.mkv"), "w", format="matroska") as output:
            stream = output.add_stream("ffv1", rate=30)
            stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
            for number in range(5):
                frame = av.VideoFrame(64, 64, "yuv420p")
                frame.pts = number
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))

    await asyncio.to_thread(make)
    async with pulling(f"{web.url}/odd.mkv") as heard:
        assert "ffv1" in await heard.to_the_end()
