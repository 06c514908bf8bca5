"""Reads multivariant playlists. Pure: standard library only."""

from __future__ import annotations

from dataclasses import dataclass

from server.lint.reader import PlaylistError, attributes


@dataclass(frozen=True, slots=True)
class Stream:
    """A media playlist as the multivariant playlist announces it."""

    name: str
    uri: str
    tags: dict[str, str]
    variant: bool = True
    """A Variant Stream; else a rendition of a group (EXT-X-MEDIA)."""

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height; None: not told, as of audio alone."""
        wide, _, high = self.tags.get("RESOLUTION", "").partition("x")
        return (int(wide), int(high)) if wide.isdecimal() and high.isdecimal() else None


@dataclass(frozen=True, slots=True)
class ReadMultivariant:
    streams: tuple[Stream, ...]
    """Each media playlist once."""
    independent: bool
    """EXT-X-INDEPENDENT-SEGMENTS."""


def is_multivariant(text: str) -> bool:
    return "#EXT-X-STREAM-INF:" in text


def read_multivariant(text: str) -> ReadMultivariant:
    """Read a multivariant playlist. Raises PlaylistError."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines or lines[0] != "#EXTM3U":
        raise PlaylistError("it does not begin with #EXTM3U")
    found: dict[str, Stream] = {}
    for position, line in enumerate(lines):
        tag, _, value = line.partition(":")
        if tag == "#EXT-X-STREAM-INF":
            uri = lines[position + 1] if position + 1 < len(lines) else "#"
            if uri.startswith("#"):
                raise PlaylistError("EXT-X-STREAM-INF without its URI")
            found.setdefault(uri, Stream(_name(uri), uri, attributes(value)))
        elif tag == "#EXT-X-MEDIA":
            pairs = attributes(value)
            if "URI" in pairs and pairs.get("TYPE") in ("AUDIO", "VIDEO"):
                found.setdefault(
                    pairs["URI"], Stream(_name(pairs["URI"]), pairs["URI"], pairs, variant=False)
                )
    if not found:
        raise PlaylistError("it lists no media playlist")
    return ReadMultivariant(tuple(found.values()), "#EXT-X-INDEPENDENT-SEGMENTS" in lines)


def _name(uri: str) -> str:
    """Name a rendition for people: its folder, or the file's name without its end."""
    pieces = [piece for piece in uri.partition("?")[0].split("/") if piece not in ("", ".", "..")]
    if len(pieces) > 1:
        return pieces[-2]
    return pieces[0].rpartition(".")[0] or pieces[0] if pieces else uri
