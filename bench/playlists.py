"""What a long live playlist costs: bytes of a delta update, CPU of one update.

A playlist of 900 segments (half an hour) with 60 date ranges beside one of 15; each figure is
taken in the same run. Times are processor time of this thread.

Run from the repository's root: python -m bench.playlists
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable

from bench.report import Bound, Effort, Goal, Row, alone, median
from server.hls.listing import media_playlist
from server.hls.playlist import DateRange, Written
from server.hls.window import Window
from tests.server.hls.shelf_archive import Archive
from tests.server.hls.show import PDT, PER_SEGMENT, Show

LONG, SHORT = 900, 15
RANGES = 60
UPDATES = 60


class Held(Archive):
    """An archive that keeps names alone."""

    def holds(self, rendition: str, name: str) -> bool:
        return bool(rendition and name)


def on_air(segments: int) -> Show:
    """Put a show on the air whose playlist lists so many segments."""
    archive = Held()
    seconds = 2 * segments
    show = Show(Window("bench", dvr_seconds=seconds, archive=archive, scribe=archive))
    show.epoch()
    show.segments(segments + 2)
    for number in range(RANGES):
        begin = PDT + number * 2000 * segments // RANGES + 5000
        pin = (("X-COM-EXAMPLE-PRODUCT", f"product-{number}"), ("X-COM-EXAMPLE-REV", 1))
        range_id = f"pin-01JQ{number:022d}"
        show.window.annotate(
            (DateRange(range_id, "com.example.pin", begin, 60_000, begin + 20_000, pin),)
        )
    return show


def cost(show: Show, render: Callable[[], object]) -> float:
    """Measure milliseconds of one rendering, parts published between any two."""
    spent = []
    for _ in range(UPDATES):
        show.part()
        begin = time.thread_time_ns()
        render()
        spent.append((time.thread_time_ns() - begin) / 1e6)
    return median(spent)


def measure(effort: Effort) -> list[Row]:
    """Measure bytes and processor time, beside a short playlist and one written anew."""
    long, short = on_air(LONG), on_air(SHORT)
    playlist = media_playlist(long.window, "720p")
    whole, delta = playlist.text().encode(), playlist.text(delta=True).encode()
    conditions = f"{LONG} segments, {RANGES} date ranges"
    rows = [
        Row("playlist, delta / whole", len(delta) / len(whole), "x", conditions,
            Goal(Bound.AT_MOST, 0.25)),
        Row("playlist, delta / whole, gzip",
            len(gzip.compress(delta, 6)) / len(gzip.compress(whole, 6)), "x", conditions),
        Row("playlist, delta", len(delta) / 1000, "kB", f"whole: {len(whole) / 1000:.0f} kB"),
    ]  # fmt: skip
    written, brief = Written(), Written()
    figures: dict[str, list[float]] = {}
    for _ in range(effort.rounds):
        for name, show, render in (
            ("anew", long, lambda: media_playlist(long.window, "720p").text()),
            ("whole", long, lambda: media_playlist(long.window, "720p").text(written).encode()),
            ("delta", long,
             lambda: media_playlist(long.window, "720p").text(written, delta=True).encode()),
            ("short", short, lambda: media_playlist(short.window, "720p").text(brief).encode()),
            ("gzip", long,
             lambda: gzip.compress(media_playlist(long.window, "720p").text(written).encode(), 6)),
        ):  # fmt: skip
            figures.setdefault(name, []).append(cost(show, render))
    spent = {name: median(each) for name, each in figures.items()}
    per_part = f"{PER_SEGMENT} parts a segment, {conditions}"
    return [
        *rows,
        Row("playlist, whole / written anew", spent["whole"] / spent["anew"], "x", per_part,
            Goal(Bound.AT_MOST, 0.5)),
        Row("playlist, one whole", spent["whole"], "ms", f"{SHORT} segments: "
            f"{spent['short']:.3f} ms"),
        Row("playlist, one delta", spent["delta"], "ms", per_part),
        Row("playlist, one whole in gzip", spent["gzip"], "ms", per_part),
    ]  # fmt: skip


if __name__ == "__main__":
    alone(measure)
