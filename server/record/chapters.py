"""Products as chapters of a recording: when each was explained. Pure.

Read from `timeline.json`, as it was stored when the show ended. Times are milliseconds of the
replay (server.record.axis).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from server.instant import parse_rfc3339
from server.record.axis import Axis

JOINED_MS = 1_500
"""Two showings of a product that lie closer are one: its price changed meanwhile."""


@dataclass(frozen=True, slots=True)
class Showing:
    """One pin of the stored timeline, on the PDT axis."""

    pin: str
    product: str
    title: str
    """The product's, when the show ended; its id where that is not known."""
    start_ms: int
    end_ms: int | None
    """None: it was never ended."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """A stretch of the replay in which a product was shown."""

    product: str
    title: str
    start_ms: int
    end_ms: int


def showings(timeline: Mapping[str, object]) -> tuple[Showing, ...]:
    """Read the pins of a stored timeline, in order of start; what makes no sense is left out."""
    items = timeline.get("intervals")
    some = items if isinstance(items, list) else []
    found = [_showing(item) for item in some if isinstance(item, dict)]
    return tuple(sorted((one for one in found if one is not None), key=lambda one: one.start_ms))


def chapters(shown: tuple[Showing, ...], axis: Axis) -> tuple[Chapter, ...]:
    """Lay showings on the replay, in order of start; what fell into a gap is left out."""
    made: list[Chapter] = []
    for one in shown:
        start = axis.replay_ms(one.start_ms)
        end = axis.end_ms if one.end_ms is None else axis.replay_ms(one.end_ms)
        if end <= start:
            continue
        same = [n for n, chapter in enumerate(made) if chapter.product == one.product]
        if same and start - made[same[-1]].end_ms < JOINED_MS:
            before = made[same[-1]]
            made[same[-1]] = replace(before, end_ms=max(before.end_ms, end))
        else:
            made.append(Chapter(one.product, one.title, start, end))
    return tuple(made)


def explanation(shown: tuple[Showing, ...], pin: str) -> Showing | None:
    """Return a pin's showing with what adjoins it of the same product: its price may change."""
    found = next((one for one in shown if one.pin == pin), None)
    for one in shown:
        if found is None or found.end_ms is None:
            break
        if one.product != found.product or one.end_ms == one.start_ms:
            continue
        if found.start_ms <= one.start_ms <= found.end_ms + JOINED_MS:
            end = None if one.end_ms is None else max(found.end_ms, one.end_ms)
            found = replace(found, end_ms=end)
    return found


def chapters_vtt(made: tuple[Chapter, ...]) -> str:
    """Write chapters as WebVTT (W3C WebVTT 1.0, 4.1): a cue each, its title as text."""
    cues = [
        f"{number}\n{timestamp(one.start_ms)} --> {timestamp(one.end_ms)}\n{_cue_text(one.title)}\n"
        for number, one in enumerate(made, 1)
    ]
    return "\n".join(["WEBVTT\n", *cues])


def timestamp(ms: int) -> str:
    """Write a WebVTT timestamp (4.1, hours always)."""
    seconds, rest = divmod(ms, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:03d}"


def _showing(item: Mapping[str, object]) -> Showing | None:
    pin, product, sold = item.get("id"), item.get("product_id"), item.get("product")
    start, end = _instant(item.get("start")), _instant(item.get("end"))
    if not isinstance(pin, str) or not isinstance(product, str) or start is None:
        return None
    title = sold.get("title") if isinstance(sold, dict) else None
    return Showing(pin, product, title if isinstance(title, str) else product, start, end)


def _instant(value: object) -> int | None:
    try:
        return parse_rfc3339(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _cue_text(title: str) -> str:
    """Make one line of cue text: no markup, no arrow, no line of its own."""
    line = " ".join(title.split())
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
