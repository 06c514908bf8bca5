"""Enhanced RTMP from FFmpeg 8's own muxer (PyAV's), against the real listener: every codec."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from fractions import Fraction
from pathlib import Path

import pytest

from ingest.limits import Limits
from ingest.rtmp.listener import RtmpListener
from ingest.unit import (
    TICKS_PER_MS,
    TICKS_PER_SECOND,
    AudioCodec,
    AudioConfig,
    AudioUnit,
    VideoCodec,
    VideoConfig,
    VideoUnit,
)
from tests.helpers.clips import read_number
from tests.helpers.codec_clip import RATE, SAMPLE_RATE, write
from tests.helpers.rare import rare
from tests.helpers.recording_gate import KEY, RecordingGate, RecordingSink, until
from tests.helpers.senders import sending, vitrine_push
from tests.helpers.sight import planes
from transcode.decode import AudioDecoder, VideoDecoder

pytestmark = pytest.mark.interop

SECONDS = 2
WAIT = 60.0
PAIRS = [
    # The first three are on the air in test_on_air_codecs.
    rare("libx265", "aac", VideoCodec.HEVC, AudioCodec.AAC),
    rare("libsvtav1", "libopus", VideoCodec.AV1, AudioCodec.OPUS),
    rare("libvpx-vp9", "flac", VideoCodec.VP9, AudioCodec.FLAC),
    ("libx264", "ac3", VideoCodec.H264, AudioCodec.AC3),
    ("libx264", "eac3", VideoCodec.H264, AudioCodec.EAC3),
    ("libx264", "libmp3lame", VideoCodec.H264, AudioCodec.MP3),
]


@pytest.fixture
def gate() -> RecordingGate:
    return RecordingGate()


@pytest.fixture
async def url(gate: RecordingGate) -> AsyncIterator[str]:
    listener = RtmpListener(gate, Limits(), "127.0.0.1", 0)
    await listener.start()
    yield f"rtmp://127.0.0.1:{listener.port}/live/"
    await listener.close()


@pytest.mark.parametrize(("video", "audio", "picture", "sound"), PAIRS)
async def test_every_codec_arrives_and_decodes(
    gate: RecordingGate,
    url: str,
    tmp_path: Path,
    video: str,
    audio: str,
    picture: VideoCodec,
    sound: AudioCodec,
) -> None:
    clip = tmp_path / "clip.mkv"
    await asyncio.to_thread(write, str(clip), video, audio, SECONDS)
    async with sending(*vitrine_push(clip, url + KEY)) as sender:
        await asyncio.wait_for(sender.wait(), WAIT)
        assert sender.returncode == 0
    await until(lambda: bool(gate.sinks and gate.sinks[0].closed))
    (sink,) = gate.sinks
    assert sink.goodbyes == [True], sink.closed
    assert [config.codec for config in sink.of(VideoConfig)] == [picture]
    assert sink.of(AudioConfig)[0].codec == sound
    await asyncio.to_thread(check_pictures, sink)
    await asyncio.to_thread(check_sound, sink)


def check_pictures(sink: RecordingSink) -> None:
    """Every picture that was sent, once, at its time, in order of presentation."""
    damaged: list[None] = []
    decoder = VideoDecoder(sink.of(VideoConfig)[0], lambda: damaged.append(None))
    units = sink.of(VideoUnit)
    assert units[0].keyframe
    frames = [frame for unit in units for frame in decoder.decode(unit)] + decoder.flush()
    assert damaged == []
    assert [read_number(planes(frame)[0]) for frame in frames] == list(range(SECONDS * RATE))
    period = Fraction(TICKS_PER_SECOND, RATE)
    times = [frame.pts or 0 for frame in frames]
    off = [abs(time - times[0] - n * period) for n, time in enumerate(times)]
    assert max(off) <= 2 * TICKS_PER_MS


def check_sound(sink: RecordingSink) -> None:
    damaged: list[None] = []
    config = sink.of(AudioConfig)[0]
    assert (config.sample_rate, config.channels) == (SAMPLE_RATE, 2)
    decoder = AudioDecoder(config, lambda: damaged.append(None))
    frames = [frame for unit in sink.of(AudioUnit) for frame in decoder.decode(unit)]
    assert damaged == []
    assert {frame.sample_rate for frame in frames} == {SAMPLE_RATE}
    heard = sum(frame.samples for frame in frames) / SAMPLE_RATE
    assert heard == pytest.approx(SECONDS, abs=0.15)
    assert max(abs(frame.to_ndarray().astype(float)).max() for frame in frames) > 0.1


async def test_of_two_tracks_of_ffmpegs_the_first_is_used(gate: RecordingGate, url: str) -> None:
    """FFmpeg sends track 0 plainly and further ones as multitrack messages."""
    program = (sys.executable, "-m", "tests.helpers.two_tracks", url + KEY)
    sender = await asyncio.create_subprocess_exec(
        *program, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    async with asyncio.timeout(WAIT):
        printed, _ = await sender.communicate()
    assert sender.returncode == 0, printed.decode(errors="replace")
    await until(lambda: bool(gate.sinks and gate.sinks[0].closed))
    (sink,) = gate.sinks
    assert sink.goodbyes == [True], sink.closed
    assert len(sink.of(VideoConfig)) == len(sink.of(AudioConfig)) == 1
    await asyncio.to_thread(check_pictures, sink)
    audio = sink.of(AudioUnit)
    assert len({unit.pts for unit in audio}) == len(audio) >= SECONDS * SAMPLE_RATE // 1024
