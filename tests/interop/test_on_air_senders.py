"""Real senders to the real server: the ladder that comes out plays, and is what was announced."""

from __future__ import annotations

import asyncio
import io
import shutil
from itertools import pairwise

import av
import av.logging
import pytest

from tests.helpers.hls_client import Recording, Taken, following
from tests.helpers.senders import ffmpeg_live, gstreamer_live, pyav_live, sending
from tests.helpers.sight import epochs, pictures, planes
from tests.helpers.vitrine_server import Api
from tests.interop.on_air import FRAME_MS, LIVE_SECONDS

pytestmark = [pytest.mark.interop, pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

SECONDS = 5
SENDERS = ("ffmpeg", "gstreamer", "pyav")
SIZES = {"720p": (1280, 720), "480p": (854, 480), "360p": (640, 360), "audio": None}


def command(sender: str, url: str) -> tuple[str, ...]:
    if sender == "gstreamer" and shutil.which("gst-launch-1.0") is None:
        pytest.fail("GStreamer is not installed: make setup-test installs or names it")
    return {
        "ffmpeg": ffmpeg_live(url),
        "gstreamer": gstreamer_live(url),
        "pyav": pyav_live(url, 300),
    }[sender]


@pytest.mark.parametrize("sender", SENDERS)
async def test_every_rung_plays(api: Api, sender: str) -> None:
    made = await api.add_channel(f"from-{sender}")
    async with sending(*command(sender, f"{api.server.rtmp}/{made.stream_key}")):
        await api.until_state(made.id, "live", LIVE_SECONDS)
        async with following(api.session, f"{api.server.url}/live/{made.id}") as recording:
            await recording.until(enough, 60)
        document = await api.channel(made.id)
    assert {n: t.variant.resolution for n, t in recording.renditions.items()} == SIZES
    assert [r["name"] for r in document["renditions"]] == list(SIZES)
    assert document["ingest"]["video"] == "h264"
    for taken in recording.renditions.values():
        await asyncio.to_thread(judge, taken)
    await api.end_show(made.id)


def enough(recording: Recording) -> bool:
    return all(taken.seconds >= SECONDS for taken in recording.renditions.values())


def judge(taken: Taken) -> None:
    """Decode all of it, and compare what comes out with what the playlist says."""
    tags = taken.variant.tags
    codecs = tags["CODECS"].split(",")
    with av.logging.Capture(local=False) as log:
        seconds = judge_sound(taken)
        if taken.variant.resolution is None:
            assert codecs == ["mp4a.40.2"]
        else:
            judge_picture(taken)
            assert codecs == [codec_in(next(epochs(taken))[0]), "mp4a.40.2"]
    assert [line for level, _, line in log if level <= av.logging.ERROR] == []
    assert seconds == pytest.approx(taken.seconds, abs=0.1)
    peak = max(len(s.data) * 8 / float(s.duration or 1) for s in taken.whole)
    assert peak <= int(tags["BANDWIDTH"])


def judge_picture(taken: Taken) -> None:
    dates = []
    for date, _, frame in pictures(taken):
        dates.append(date)
        assert (frame.width, frame.height) == taken.variant.resolution
        assert planes(frame)[0].std() > 5, "an empty picture"
    assert len(dates) == round(taken.seconds * 30)
    assert all(abs(b - a - FRAME_MS) <= 1.5 for a, b in pairwise(dates))
    assert float(taken.variant.tags["FRAME-RATE"]) == pytest.approx(30)


def judge_sound(taken: Taken) -> float:
    """Decode the sound; give its length in seconds."""
    seconds = 0.0
    for init, segments in epochs(taken):
        data = init + b"".join(segment.data for segment in segments)
        with av.open(io.BytesIO(data), "r") as source:
            for frame in source.decode(audio=0):
                assert frame.sample_rate == 48_000
                assert frame.layout.name == "stereo"
                seconds += frame.samples / frame.sample_rate
    return seconds


def codec_in(init: bytes) -> str:
    """Read the picture's codec (RFC 6381) from the avcC box."""
    at = init.index(b"avcC") + 4
    return "avc1." + init[at + 1 : at + 4].hex()
