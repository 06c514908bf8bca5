"""A real worker process, fed a clip over its pipe as the server feeds it.

Imports PyAV to read the clip.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO

import av

from bench.report import BenchError
from bench.spent import Meter, Spent
from ingest.unit import (
    TICKS_PER_MS,
    TICKS_PER_SECOND,
    AudioCodec,
    AudioConfig,
    AudioUnit,
    StreamInfo,
    Unit,
    VideoCodec,
    VideoConfig,
    VideoUnit,
)
from overlay.scene import Scene
from transcode import wire
from transcode.ladder import Profile
from transcode.part import Epoch, Part
from transcode.process import environment

WORKER = "transcode.worker"
BEGAN_MS = 1_000_000
"""When the first unit arrives, on the clip's own clock."""
READ_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class Work:
    """What one worker made of a clip, and for how much."""

    spent: Spent
    pipe_cpu: float
    """Seconds of this process meanwhile: reading the clip, writing and reading the pipe."""
    epoch: Epoch
    parts: tuple[Part, ...]
    shown: tuple[wire.Shown, ...]
    words: str
    """The worker's standard error."""

    @property
    def cpu(self) -> float:
        """Seconds, both ends of the pipe."""
        return self.spent.cpu + self.pipe_cpu

    def write(self, folder: Path) -> None:
        """Write each rendition's parts as `{rendition}.mp4`."""
        for track in self.epoch.tracks:
            data = b"".join(part.data for part in self.parts if part.rendition == track.name)
            (folder / f"{track.name}.mp4").write_bytes(track.init + data)


def work(
    clip: Path, profile: Profile, scene: Scene | None, folder: Path,
    *, module: str = WORKER, deadline: float = 600.0,
) -> Work:  # fmt: skip
    """Have a worker transcode `clip` as fast as it can. Raises BenchError."""
    words = folder / "worker.txt"
    began = time.process_time()
    with words.open("wb") as log, subprocess.Popen(
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
        env=environment(),
    ) as process:  # fmt: skip
        if process.stdin is None or process.stdout is None:
            raise BenchError("the worker has no pipe")
        meter = Meter(process, deadline)
        feeder = threading.Thread(target=_feed, args=(process.stdin, clip, profile, scene))
        feeder.start()
        heard = _listen(process.stdout)
        feeder.join()
        spent = meter.wait()
    text = words.read_text(errors="replace")
    epochs = [message for message in heard if isinstance(message, Epoch)]
    if len(epochs) != 1 or not isinstance(heard[-1], wire.Closed):
        raise BenchError(f"the worker made {len(epochs)} epochs: {text[-800:]}")
    return Work(
        spent,
        time.process_time() - began,
        epochs[0],
        tuple(message for message in heard if isinstance(message, Part)),
        tuple(message for message in heard if isinstance(message, wire.Shown)),
        text,
    )


def _listen(pipe: IO[bytes]) -> list[wire.Message]:
    decoder = wire.Decoder()
    heard: list[wire.Message] = []
    while data := os.read(pipe.fileno(), READ_BYTES):
        heard += decoder.feed(data)
    return heard


def _feed(pipe: IO[bytes], clip: Path, profile: Profile, scene: Scene | None) -> None:
    try:
        with pipe:
            pipe.write(wire.encode(wire.Open(profile, 0)))
            if scene is not None:
                pipe.write(wire.encode(wire.Show(scene, 0)))  # long due: from the first picture on
            for unit in units(clip):
                pipe.write(wire.encode(wire.Feed(unit, _arrival(unit))))
                pipe.flush()  # a unit at a time, as they come in
            pipe.write(wire.encode(wire.Close()))
    except BrokenPipeError:
        pass  # the worker's end tells why


def _arrival(unit: Unit) -> int:
    match unit:
        case VideoUnit():
            return BEGAN_MS + unit.dts // TICKS_PER_MS
        case AudioUnit():
            return BEGAN_MS + unit.pts // TICKS_PER_MS
    return BEGAN_MS


def units(clip: Path) -> Iterator[Unit]:
    """Read a clip of H.264 and AAC as Units, configurations first."""
    with av.open(str(clip)) as source:
        video, audio = source.streams.video[0], source.streams.audio[0]
        rate = Fraction(video.average_rate or 0)
        yield StreamInfo("bench", video.width, video.height, rate)
        yield VideoConfig(VideoCodec.H264, video.codec_context.extradata or b"")
        extradata = audio.codec_context.extradata or b""
        yield AudioConfig(AudioCodec.AAC, extradata, audio.rate, audio.channels)
        for packet in source.demux(video, audio):
            if packet.pts is None or packet.dts is None or packet.time_base is None:
                continue
            pts, dts = (
                int(at * packet.time_base * TICKS_PER_SECOND) for at in (packet.pts, packet.dts)
            )
            if packet.stream.type == "video":
                yield VideoUnit(dts, pts, packet.is_keyframe, bytes(packet))
            else:
                yield AudioUnit(pts, bytes(packet))
