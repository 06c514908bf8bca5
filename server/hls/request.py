"""What a request gets: the rules of the origin, as one pure function.

RFC 8216bis 6.2.5.2 (blocking playlist reload) and 6.2.6 (preload hints). Values and
`server.hls.window` only: no clock, no waiting.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from server.hls.rendition import Rendition
from server.hls.window import Window

_DECIMAL = re.compile(r"[0-9]{1,15}", re.ASCII)
MSN_AHEAD = 2


class Refusal(StrEnum):
    BAD_REQUEST = "bad-request"
    NOT_FOUND = "not-found"
    UNAVAILABLE = "unavailable"
    """Not now: too late, or too many wait."""


@dataclass(frozen=True, slots=True)
class PlaylistRequest:
    rendition: str | None
    """None: the multivariant playlist."""
    msn: int | None = None
    part: int | None = None
    skip: bool = False
    """A delta update is asked for (6.2.5.1)."""


@dataclass(frozen=True, slots=True)
class MediaRequest:
    rendition: str
    name: str


Request = PlaylistRequest | MediaRequest


@dataclass(frozen=True, slots=True)
class Serve:
    """Answer now."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """Answer with what the archive has."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Ask again after the next change."""


@dataclass(frozen=True, slots=True)
class Refuse:
    refusal: Refusal
    detail: str
    """One sentence for people."""


SERVE = Serve()
FETCH = Fetch()
WAIT = Wait()
SKIPS = ("YES", "v2")
"""v2 would leave out old date ranges as well, where CAN-SKIP-DATERANGES offers that; we do not."""


def read_directives(rendition: str | None, query: Mapping[str, str]) -> PlaylistRequest | Refuse:
    """Read the delivery directives of a playlist request; others are ignored."""
    numbers: list[int | None] = []
    for directive in ("_HLS_msn", "_HLS_part"):
        text = query.get(directive)
        if text is not None and not _DECIMAL.fullmatch(text):
            return Refuse(Refusal.BAD_REQUEST, f"{directive} is not a decimal integer.")
        numbers.append(None if text is None else int(text))
    msn, part = numbers
    return PlaylistRequest(rendition, msn, part, query.get("_HLS_skip") in SKIPS)


def decide(window: Window, request: Request) -> Serve | Fetch | Wait | Refuse:
    """Decide whether a request is answered, held or refused as the window stands."""
    if request.rendition is None:
        return _unless_ended(window) if not window.playable else SERVE
    rendition = window.renditions.get(request.rendition)
    if rendition is None:
        if not window.renditions and isinstance(request, PlaylistRequest):
            return _unless_ended(window)
        return Refuse(Refusal.NOT_FOUND, "There is no such rendition.")
    if isinstance(request, MediaRequest):
        return _decide_media(window, rendition, request.name)
    return _decide_playlist(window, rendition, request)


def _unless_ended(window: Window) -> Wait | Refuse:
    return Refuse(Refusal.NOT_FOUND, "The session ended without media.") if window.ended else WAIT


def _decide_media(window: Window, rendition: Rendition, name: str) -> Serve | Fetch | Wait | Refuse:
    if rendition.body(name) is not None:
        return SERVE
    if rendition.is_away(name):
        return FETCH
    if name == rendition.hint and not window.ended:
        return WAIT
    return Refuse(Refusal.NOT_FOUND, "There is no such segment or part, or no longer.")


def _decide_playlist(
    window: Window, rendition: Rendition, request: PlaylistRequest
) -> Serve | Wait | Refuse:
    msn, part = request.msn, request.part
    if window.ended:
        return SERVE
    if msn is None:
        if part is not None:
            return Refuse(Refusal.BAD_REQUEST, "_HLS_part without _HLS_msn.")
        # Players take a playlist without a whole segment for an empty one.
        return SERVE if rendition.segments else WAIT
    if msn > rendition.next_msn - 1 + MSN_AHEAD:
        return Refuse(Refusal.BAD_REQUEST, f"_HLS_msn is more than {MSN_AHEAD} ahead.")
    if msn < rendition.first_msn:
        return SERVE if rendition.segments else WAIT
    if part is None:
        return SERVE if msn < rendition.next_msn else WAIT
    if msn >= rendition.next_msn and part - rendition.part_count(msn) + 1 > _advance_limit(window):
        return Refuse(Refusal.BAD_REQUEST, "_HLS_part is too far ahead.")
    return SERVE if _has_part(rendition, msn, part) else WAIT


def _has_part(rendition: Rendition, msn: int, part: int) -> bool:
    """Tell whether the part is there; past the last of a whole segment it is the next's 0."""
    if msn > rendition.next_msn:
        return False
    if part < rendition.part_count(msn):
        return True
    if msn == rendition.next_msn:
        return False
    return msn + 1 < rendition.next_msn or rendition.growing is not None


def _advance_limit(window: Window) -> float:
    """The Advance Part Limit (6.2.5.2), in parts."""
    return 3000 / window.part_target_ms if window.part_target_ms < 1000 else 3
