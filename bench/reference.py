"""The ffmpeg command line that does what a worker does, with the same x264 settings.

Standard library only.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from bench.card import Sticker
from transcode.encode import ENCODERS
from transcode.ladder import Ladder, Profile, Rendition


class Kind(Enum):
    """How ffmpeg is set up."""

    SAME = "ffmpeg, same settings, one thread per codec"
    """Each rung scaled from the source, as anybody writes it."""
    STEPS = "ffmpeg, same settings, rungs scaled from each other"
    """Scaled as a worker does it: each rung from the smallest one that is large enough."""
    DEFAULT = "ffmpeg, same settings, its default threads"


def command(
    kind: Kind,
    source: Path,
    profile: Profile,
    ladder: Ladder,
    stickers: dict[str, Sticker],
    parents: dict[str, str | None],
) -> list[str]:
    """Write the command; it makes `{rendition}.mp4` in its working folder.

    `stickers` and `parents` go by rendition; a parent is the rung that a rung is
    scaled from, None the source.
    """
    single = kind is not Kind.DEFAULT
    if kind is not Kind.STEPS:
        parents = dict.fromkeys(parents)
    inputs = [*(["-threads", "1"] if single else []), "-i", str(source)]
    for rendition in ladder.renditions:
        inputs += ["-i", str(stickers[rendition.name].path)]
    line = ["ffmpeg", "-nostdin", "-y", "-loglevel", "error", *inputs]
    if single:
        line += ["-filter_complex_threads", "1"]
    line += ["-filter_complex", _graph(ladder, stickers, parents)]
    for index, rendition in enumerate(ladder.renditions):
        line += ["-map", f"[o{rendition.name}]"]
        if index == 0:
            # A worker, too, encodes the sound once.
            line += ["-map", "0:a", "-c:a", "aac", "-b:a", str(ladder.audio_bitrate)]
        line += _encoder(profile, ladder, rendition, single=single)
        line += ["-f", "mp4", f"{rendition.name}.mp4"]
    return line


def _graph(ladder: Ladder, stickers: dict[str, Sticker], parents: dict[str, str | None]) -> str:
    """Split, scale, overlay. A rung's picture is handed down before its card is drawn."""
    chains: list[str] = []
    for origin in (None, *(rendition.name for rendition in ladder.renditions)):
        below = [name for name, parent in parents.items() if parent == origin]
        outs = [f"[from{name}]" for name in below]
        entry = "[0:v]"
        if origin is not None:
            index = next(n for n, each in enumerate(ladder.renditions) if each.name == origin)
            rendition = ladder.renditions[index]
            outs.append(f"[bare{origin}]")
            # As transcode.scale: what was scaled before is averaged, not sharpened again.
            flags = "bicubic" if parents[origin] is None else "area"
            entry = f"[from{origin}]scale={rendition.width}:{rendition.height}:flags={flags},"
            sticker = stickers[origin]
            chains.append(
                f"[bare{origin}][{index + 1}:v]"
                f"overlay={sticker.x}:{sticker.y}:format=yuv420[o{origin}]"
            )
        chains.append(f"{entry}split={len(outs)}{''.join(outs)}")
    return ";".join(chains)


def _encoder(profile: Profile, ladder: Ladder, rendition: Rendition, *, single: bool) -> list[str]:
    options = dict(ENCODERS[profile.encoder](profile, rendition))
    if not single:
        parameters = options["x264-params"].split(":")
        options["x264-params"] = ":".join(p for p in parameters if not p.startswith("threads="))
    seconds = float(ladder.frames_per_segment / ladder.frame_rate)
    line = ["-c:v", profile.encoder, "-b:v", str(rendition.bitrate), "-g", str(1 << 20)]
    line += ["-force_key_frames", f"expr:gte(t,n_forced*{seconds:g})"]
    if single:
        line += ["-threads", "1"]
    for name, value in options.items():
        line += [f"-{name}:v" if name == "profile" else f"-{name}", value]
    return line
