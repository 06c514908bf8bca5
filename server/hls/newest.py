"""The newest picture of a live window that memory has, still encoded. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from server.hls.rendition import Rendition
from server.hls.window import Window


@dataclass(frozen=True, slots=True)
class Newest:
    """Media that begins with a key picture, and what a decoder needs for it."""

    name: str
    """Unique for ever, as all names of the live path."""
    init: bytes
    media: bytes
    """A part, or a whole segment."""


def newest(window: Window, longer_side: int) -> Newest | None:
    """Return the newest picture: of the smallest rendition that is `longer_side` pixels, or more.

    Where none is so large, of the largest. None: memory has no picture.
    """
    seen = [track for track in window.tracks if track.width > 0]
    if not seen:
        return None
    enough = [track for track in seen if max(track.width, track.height) >= longer_side]
    rendition = window.renditions.get((enough[-1] if enough else seen[0]).name)
    return next(_pictures(rendition), None) if rendition is not None else None


def _pictures(rendition: Rendition) -> Iterator[Newest]:
    """Give what begins with a key picture, newest first, as far back as memory goes."""
    growing = rendition.growing
    if growing is not None and growing.parts and growing.parts[0].independent:
        yield from _held(rendition, growing.parts[0].uri, growing.map_uri)
    for segment in reversed(rendition.segments):
        if not segment.gap:
            yield from _held(rendition, segment.uri, segment.map_uri)


def _held(rendition: Rendition, name: str, map_uri: str | None) -> Iterator[Newest]:
    init, media = rendition.body(map_uri or ""), rendition.body(name)
    if init is not None and media is not None:
        yield Newest(name, init, media)
