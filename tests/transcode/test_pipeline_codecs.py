"""Every codec and pixel format that RTMP may bring, through the whole worker: H.264 comes out."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.rtmp.flv import FlvReader
from ingest.unit import StreamInfo, Unit, VideoUnit
from tests.helpers.clips import read_number
from tests.helpers.codec_clip import RATE, tags, write
from tests.helpers.rendered import parts, pictures, sound
from tests.helpers.worker_run import transcode
from transcode.message import Health

VIDEO_TAG, AUDIO_TAG = 9, 8


def units(folder: Path, video: str, audio: str, seconds: int, pix_fmt: str) -> list[Unit]:
    """Make a clip with FFmpeg's muxer and read it as the ingest does."""
    path, flv = folder / "clip.flv", FlvReader()
    write(str(path), video, audio, seconds, pix_fmt)
    made: list[Unit] = [StreamInfo(frame_rate=None)]
    for kind, stamp, tag in tags(path.read_bytes()):
        if kind in {VIDEO_TAG, AUDIO_TAG}:
            made += (flv.video if kind == VIDEO_TAG else flv.audio)(stamp, tag)
    return made


@pytest.mark.parametrize(
    ("video", "audio", "pix_fmt", "names"),
    [
        ("libx265", "aac", "yuv420p", ("HEVC Main", "AAC 48000 Hz 2")),
        ("libx265", "libmp3lame", "yuv420p10le", ("HEVC Main 10", "MP3 48000 Hz 2")),
        ("libsvtav1", "libopus", "yuv420p", ("AV1 Main", "Opus 48000 Hz 2")),
        ("libsvtav1", "eac3", "yuv420p10le", ("AV1 Main", "E-AC-3 48000 Hz 2")),
        ("libvpx-vp9", "flac", "yuv420p", ("VP9", "FLAC 48000 Hz 2")),
        ("libvpx-vp9", "ac3", "yuv444p", ("VP9", "AC-3 48000 Hz 2")),
        ("libx264", "aac", "yuv422p10le", ("H.264", "AAC 48000 Hz 2")),
    ],
)
def test_every_picture_comes_out_once(
    tmp_path: Path, video: str, audio: str, pix_fmt: str, names: tuple[str, str]
) -> None:
    media = units(tmp_path, video, audio, 2, pix_fmt)
    assert sum(isinstance(unit, VideoUnit) for unit in media) == 2 * RATE
    made = transcode(media)
    seen = pictures(made, "180p")
    assert [read_number(picture.luma) for picture in seen] == list(range(2 * RATE))
    assert parts(made, "180p")[0].start == 0
    assert abs(sound(made, "180p")).max() > 0.2
    health = [message for message in made if isinstance(message, Health)][-1]
    assert health.video.startswith(names[0])
    assert (health.audio, health.damaged, health.jumps) == (names[1], 0, 0)
