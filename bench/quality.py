"""Whether two transcoders did the same: frames, key pictures, bit rates, likeness to the source.

Imports PyAV to count; ffmpeg compares pictures.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import av

from bench.report import BenchError
from transcode.ladder import Ladder, Rendition

DEADLINE = 900.0
SAME_BITRATE = 0.08
"""Relative difference of bit rates that still counts as the same work."""


@dataclass(frozen=True, slots=True)
class Quality:
    """One rendition of one transcoder."""

    frames: int
    keys: tuple[int, ...]
    """Numbers of the key pictures."""
    bitrate: float
    """Bit/s of video."""
    psnr: float
    """dB of luma."""
    ssim: float
    """Of luma, 0..1."""

    def __str__(self) -> str:
        return f"{self.bitrate / 1000:.0f} kbit/s, PSNR {self.psnr:.2f} dB, SSIM {self.ssim:.4f}"


def judge(source: Path, folder: Path, ladder: Ladder) -> dict[str, Quality]:
    """Measure `{rendition}.mp4` of `folder`. Raises BenchError when something cannot be read.

    The likeness is that of the upper half, where no card is, to the source scaled by the
    same filter.
    """
    likeness = _likeness(source, folder, ladder)
    found: dict[str, Quality] = {}
    for rendition in ladder.renditions:
        sizes, keys = _packets(folder / f"{rendition.name}.mp4")
        seconds = len(sizes) / ladder.frame_rate
        psnr, ssim = likeness[rendition.name]
        bitrate = float(sum(sizes) * 8 / seconds)
        found[rendition.name] = Quality(len(sizes), keys, bitrate, psnr, ssim)
    return found


def compare(ours: dict[str, Quality], theirs: dict[str, Quality], who: str) -> list[str]:
    """Give one sentence for whatever makes the comparison unfair."""
    wrong: list[str] = []
    for name, mine in ours.items():
        other = theirs[name]
        if (mine.frames, mine.keys) != (other.frames, other.keys):
            wrong.append(f"{name}: {mine.frames} frames and {other.frames}, or other key pictures")
        if abs(mine.bitrate / other.bitrate - 1) > SAME_BITRATE:
            wrong.append(f"{name}: {mine} against {other}: bit rates differ")
    return [f"{who}: {sentence}" for sentence in wrong]


def behind(ours: dict[str, Quality], theirs: dict[str, Quality]) -> float:
    """Give our PSNR less theirs, in dB, of the rung where that is worst."""
    return min(mine.psnr - theirs[name].psnr for name, mine in ours.items())


def _packets(path: Path) -> tuple[list[int], tuple[int, ...]]:
    with av.open(str(path)) as made:
        packets = [packet for packet in made.demux(made.streams.video[0]) if packet.size]
        keys = tuple(number for number, packet in enumerate(packets) if packet.is_keyframe)
        return [packet.size for packet in packets], keys


def _likeness(source: Path, folder: Path, ladder: Ladder) -> dict[str, tuple[float, float]]:
    inputs = ["-i", str(source)]
    for rendition in ladder.renditions:
        inputs += ["-i", f"{rendition.name}.mp4"]
    count = len(ladder.renditions)
    graph = [f"[0:v]split={count}" + "".join(f"[s{n}]" for n in range(count))]
    outputs: list[str] = []
    for number, rendition in enumerate(ladder.renditions):
        graph.append(_pair(number, rendition, f"{ladder.frame_rate}"))
        for kind in ("psnr", "ssim"):
            outputs += ["-map", f"[{kind}{number}]", "-f", "null", "-"]
    told = subprocess.run(
        ["ffmpeg", "-nostdin", "-nostats", *inputs, "-filter_complex", ";".join(graph), *outputs],
        cwd=folder, capture_output=True, text=True, check=False, timeout=DEADLINE,
    )  # fmt: skip
    found: dict[str, tuple[float, float]] = {}
    for rendition in ladder.renditions:
        name = re.escape(rendition.name)
        psnr = re.search(rf"psnr@{name} .*PSNR y:([0-9.]+)", told.stderr)
        ssim = re.search(rf"ssim@{name} .*SSIM Y:([0-9.]+)", told.stderr)
        if psnr is None or ssim is None:
            raise BenchError(f"no likeness of {rendition.name}: {told.stderr[-800:]}")
        found[rendition.name] = float(psnr[1]), float(ssim[1])
    return found


def _pair(number: int, rendition: Rendition, rate: str) -> str:
    """Compare by picture number: the containers count time differently."""
    _, _, by = rate.partition("/")
    step = f"settb={by or 1}/{rate.partition('/')[0]},setpts=N,crop=iw:floor(ih/4)*2:0:0"
    return (
        f"[s{number}]scale={rendition.width}:{rendition.height}:flags=bicubic,{step},"
        f"split[a{number}][b{number}];"
        f"[{number + 1}:v]{step},split[c{number}][d{number}];"
        f"[c{number}][a{number}]psnr@{rendition.name}[psnr{number}];"
        f"[d{number}][b{number}]ssim@{rendition.name}[ssim{number}]"
    )
