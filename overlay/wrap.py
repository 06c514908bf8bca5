"""Breaks a title into lines. Pure, standard library only.

A small part of UAX #14: lines break at spaces, after hyphens and slashes, and between
ideographs and kana (Korean keeps its words whole), but not before a closing or after
an opening mark.
"""

from __future__ import annotations

from collections.abc import Callable

Measure = Callable[[str], float]
"""Width of a text drawn on one line."""

ELLIPSIS = "…"

_SPARED = 6
"""Characters given up so that the ellipsis follows a whole word."""

_CLOSING = frozenset(
    "、。，．・：；？！）］｝〉》」』】〕〗’”,.:;?!)]}…—ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ%％℃°"
)
_OPENING = frozenset("（［｛〈《「『【〔〖‘“([{¥￥$€£#＃")
_BREAK_AFTER = frozenset("-–/／")

# Inclusive ranges of code points that may be broken between any two of them.
_IDEOGRAPHIC = (
    (0x2E80, 0x2FDF),
    (0x3000, 0x312F),
    (0x3190, 0x9FFF),
    (0xF900, 0xFAFF),
    (0xFE30, 0xFE4F),
    (0xFF00, 0xFFEF),
    (0x20000, 0x3FFFF),
)


def wrap(text: str, width: float, lines: int, measure: Measure) -> list[str]:
    """Break `text` into at most `lines` lines no wider than `width`.

    What does not fit ends in an ellipsis. A word wider than a line is broken anywhere.
    Spaces at the ends of lines are dropped.
    """
    rest = text.strip()
    done: list[str] = []
    while rest and len(done) < lines:
        if len(done) == lines - 1:
            done.append(_fit_last(rest, width, measure))
            break
        count = _fitting(rest, width, measure)
        cut = count if count == len(rest) else _last_break(rest, count)
        done.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return done


def _fitting(text: str, width: float, measure: Measure) -> int:
    """Count the characters of the longest prefix that fits; at least one."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if measure(text[:middle].rstrip()) <= width:
            low = middle
        else:
            high = middle - 1
    return low


def _last_break(text: str, limit: int) -> int:
    """Find the last place at or before `limit` where the text may break."""
    for cut in range(limit, 0, -1):
        if _may_break(text[cut - 1], text[cut]):
            return cut
    return limit


def _may_break(before: str, after: str) -> bool:
    if after == " " or before == " ":
        return True
    if before in _OPENING or after in _CLOSING:
        return False
    return before in _BREAK_AFTER or _ideographic(before) or _ideographic(after)


def _ideographic(character: str) -> bool:
    point = ord(character)
    return any(low <= point <= high for low, high in _IDEOGRAPHIC)


def _fit_last(text: str, width: float, measure: Measure) -> str:
    if measure(text) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if measure(text[:middle].rstrip() + ELLIPSIS) <= width:
            low = middle
        else:
            high = middle - 1
    # Half a word reads worse than a word less, while not much room is lost.
    whole = _last_break(text, low) if low else 0
    low = whole if low - whole <= _SPARED else low
    # Ellipsis straight after a word; a dangling comma or opening bracket looks like a fault.
    return text[:low].rstrip().rstrip(" ,.;:-–/、，。（([「『【") + ELLIPSIS
