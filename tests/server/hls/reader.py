"""Reads media playlists back, as strictly as the strictest client."""

from __future__ import annotations

from server.lint import reader
from server.lint.reader import ReadPart as ReadPart
from server.lint.reader import ReadPlaylist as ReadPlaylist
from server.lint.reader import ReadSegment as ReadSegment
from server.lint.reader import attributes as attributes
from server.lint.reader import milliseconds as milliseconds


def read(text: str, before: ReadPlaylist | None = None) -> ReadPlaylist:
    """Read a media playlist; fail for what a strict client would refuse."""
    playlist = reader.read(text, before)
    assert playlist.faults == []
    return playlist
